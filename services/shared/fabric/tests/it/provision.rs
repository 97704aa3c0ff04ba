use std::time::Duration;

use heliograph_fabric::provision::{ProvisionError, ProvisionOptions, Verdict, provision};
use heliograph_fabric::subjects::{Bucket, ObjectBucket};
use heliograph_fabric::{Layout, Options, Plan, Stream};

use crate::support::{Nats, connect};

#[tokio::test(flavor = "multi_thread")]
async fn a_bare_broker_is_named_as_such_with_the_command_that_helps() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let error = fabric.check().await.unwrap_err().to_string();
    assert!(
        error.contains("HG_INBOUND")
            && error.contains("KV_HG_LEASES")
            && error.contains("heliograph provision"),
        "{error}"
    );
    assert!(matches!(fabric.layout().await, Err(ProvisionError::NotProvisioned(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_twice_changes_nothing_and_a_dry_run_nothing_at_all() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let plan = Plan { layout: Layout { inbound: 8, routing: 4, outbound: 2 }, ..Plan::default() };

    let dry = ProvisionOptions { dry_run: true, ..ProvisionOptions::default() };
    let report = provision(&fabric, &plan, dry).await.unwrap();
    assert!(!report.applied && report.changes.iter().all(|change| change.verdict == Verdict::Create));
    assert_eq!(report.changes.len(), Stream::ALL.len() + Bucket::ALL.len() + ObjectBucket::ALL.len());
    assert!(fabric.check().await.is_err());

    provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
    fabric.check().await.unwrap();
    assert_eq!(fabric.layout().await.unwrap(), plan.layout);
    let again = provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
    assert!(again.changes.is_empty(), "{:?}", again.changes);

    let bucket = fabric.kv(Bucket::Contacts).await.unwrap();
    bucket.put("a", "b".into()).await.unwrap();
    assert_eq!(bucket.get("a").await.unwrap().unwrap(), "b");
    let objects = fabric.object_store(ObjectBucket::Media).await.unwrap();
    objects.put("picture", &mut b"bytes".as_slice()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_grows_when_asked_and_shrinks_only_by_force() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let day = Duration::from_hours(24);
    let plan = |days: u32, partitions: u16| Plan {
        work_age: day * days,
        layout: Layout { inbound: partitions, routing: 4, outbound: 4 },
        ..Plan::default()
    };
    provision(&fabric, &plan(2, 4), ProvisionOptions::default()).await.unwrap();
    let grown = provision(&fabric, &plan(3, 4), ProvisionOptions::default()).await.unwrap();
    assert!(!grown.changes.is_empty() && grown.refused().count() == 0);

    let refused = provision(&fabric, &plan(1, 2), ProvisionOptions::default()).await.unwrap();
    assert!(refused.is_unchanged() && refused.refused().count() == 5, "{:?}", refused.changes);
    let other = connect(&nats, "other").await;
    assert_eq!(other.layout().await.unwrap().inbound, 4);

    let forced = ProvisionOptions { force: true, ..ProvisionOptions::default() };
    provision(&fabric, &plan(1, 2), forced).await.unwrap();
    let other = connect(&nats, "another").await;
    assert_eq!(other.layout().await.unwrap().inbound, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_broker_is_a_clear_error() {
    let mut nats = Nats::start().await;
    nats.kill();
    let options = Options { connect_within: Duration::from_millis(200), ..Options::new(nats.url(), "test") };
    let error = heliograph_fabric::Fabric::connect(options).await.unwrap_err().to_string();
    assert!(error.contains("cannot reach NATS at nats://127.0.0.1"), "{error}");
}
