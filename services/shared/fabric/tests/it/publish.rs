use std::time::Duration;

use heliograph_fabric::provision::{ProvisionOptions, provision};
use heliograph_fabric::publish::within;
use heliograph_fabric::{Plan, PublishError, Stream, subjects};

use crate::support::{Nats, PATIENCE, connect, envelope, holds, ready};

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_stream_is_an_error_and_not_a_hang() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let message = envelope("evt_1", "x");
    let published = fabric.publish("hg.inbound.0.acme.sms", &message, None).await;
    assert!(matches!(published, Err(PublishError::NotProvisioned { .. })));

    // With a core subscriber there is no "no responders" answer (nats-server #8038).
    let _subscriber = fabric.client().subscribe("hg.inbound.>").await.unwrap();
    let published = fabric.publish("hg.inbound.0.acme.sms", &message, within(PATIENCE)).await;
    assert!(matches!(published, Err(PublishError::NotProvisioned { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_id_is_stored_once() {
    let (_nats, fabric) = ready().await;
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    let first = fabric.publish(&subject, &envelope("evt_1", "one"), None).await.unwrap();
    let again = fabric.publish(&subject, &envelope("evt_1", "one"), None).await.unwrap();
    assert_eq!((first.duplicate, again.duplicate, again.seq), (false, true, first.seq));
    assert_eq!(fabric.read_subject(Stream::Inbound, &subject).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_while_the_broker_restarts_is_stored_once() {
    let (mut nats, fabric) = ready().await;
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    nats.kill();
    let (publisher, target) = (fabric.clone(), subject.clone());
    let publish =
        tokio::spawn(
            async move { publisher.publish(&target, &envelope("evt_1", "one"), within(PATIENCE)).await },
        );
    let link = fabric.link();
    holds("the loss is noticed", || !link.borrow().connected).await;
    assert!(!publish.is_finished());
    nats.revive();
    publish.await.unwrap().unwrap();
    assert_eq!(fabric.read_subject(Stream::Inbound, &subject).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_hangs_is_away_and_the_retry_does_not_double() {
    let (nats, fabric) = ready().await;
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    nats.freeze().await;
    let error = fabric
        .publish(&subject, &envelope("evt_1", "one"), within(Duration::from_millis(300)))
        .await
        .unwrap_err();
    assert!(error.is_away(), "{error}");
    nats.thaw();
    // The timed-out publish is stored when the broker reads it (nats.node #628), so this one is a duplicate.
    let published = fabric.publish(&subject, &envelope("evt_1", "one"), within(PATIENCE)).await.unwrap();
    assert!(published.duplicate);
    assert_eq!(fabric.read_subject(Stream::Inbound, &subject).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_refuses_the_new_and_keeps_the_old() {
    let nats = Nats::start().await;
    let fabric = connect(&nats, "test").await;
    let plan = Plan { max_bytes: Some(4096), ..Plan::default() };
    provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    let text = "x".repeat(1000);
    let mut stored = 0;
    let error = loop {
        let message = envelope(&format!("evt_{stored}"), &text);
        match fabric.publish(&subject, &message, within(Duration::from_millis(100))).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, PublishError::Full { .. }) && error.is_away(), "{error}");
    assert_eq!(fabric.read_subject(Stream::Inbound, &subject).await.unwrap().len(), stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_at_once() {
    let (_nats, fabric) = ready().await;
    let subject = subjects::inbound(0, "acme", "sms").unwrap();
    let error = fabric.publish(&subject, &envelope("evt_1", &"x".repeat(2 << 20)), None).await.unwrap_err();
    assert!(matches!(error, PublishError::TooLarge { .. }) && !error.is_away(), "{error}");
}
