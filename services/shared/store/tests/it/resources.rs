use heliograph_domain::resources::{Kind, Resource, ResourceKey};
use heliograph_store::KvBucket;
use heliograph_store::resources::{Expect, Outcome, ResourceError, ResourceStore, Revision};
use jiff::Timestamp;
use serde_json::json;

use crate::support::{connect, eventually, nats, within};

fn queue(tenant: &str, name: &str, display_name: &str) -> Resource {
    Resource::from_json(&json!({
        "apiVersion": "heliograph.dev/v1",
        "kind": "Queue",
        "metadata": { "tenant": tenant, "name": name },
        "spec": { "display_name": display_name },
    }))
    .unwrap()
}

fn key(tenant: &str, name: &str) -> ResourceKey {
    ResourceKey { tenant: tenant.to_owned(), kind: Kind::Queue, name: name.to_owned() }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_780_000_000).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_count_changes_and_guard_against_lost_ones() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    let apply = |resource: Resource, expect| {
        let store = store.clone();
        async move { store.apply(&resource, expect, "ada", now()).await }
    };
    let first = apply(queue("acme", "sales", "Sales"), Expect::Absent).await.unwrap();
    assert_eq!((first.outcome, first.version), (Outcome::Created, 1));
    let again = apply(queue("acme", "sales", "Sales"), Expect::Anything).await.unwrap();
    assert_eq!((again.outcome, again.version), (Outcome::Unchanged, 1));
    let second = apply(queue("acme", "sales", "Sales EU"), Expect::Version(1)).await.unwrap();
    assert_eq!((second.outcome, second.version), (Outcome::Updated, 2));
    let stale = apply(queue("acme", "sales", "Lost"), Expect::Version(1)).await;
    assert!(matches!(stale, Err(ResourceError::Stale { found: Some(2), .. })), "{stale:?}");
    let exists = apply(queue("acme", "sales", "Lost"), Expect::Absent).await;
    assert!(matches!(exists, Err(ResourceError::Stale { found: Some(2), .. })), "{exists:?}");

    let stored = store.get(&key("acme", "sales")).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.applied_by.as_str(), stored.applied_at), (2, "ada", now()));
    assert_eq!(stored.resource, queue("acme", "sales", "Sales EU"));

    assert!(store.delete(&key("acme", "sales"), Expect::Version(2)).await.unwrap());
    assert!(!store.delete(&key("acme", "sales"), Expect::Anything).await.unwrap());
    assert!(store.get(&key("acme", "sales")).await.unwrap().is_none());
    // Made again, it goes on counting.
    let third = apply(queue("acme", "sales", "Sales"), Expect::Absent).await.unwrap();
    assert_eq!((third.outcome, third.version), (Outcome::Created, 3));

    let history = store.history(&key("acme", "sales")).await.unwrap();
    let steps: Vec<u64> = history
        .iter()
        .map(|step| match step {
            Revision::Applied(stored) => stored.version,
            Revision::Deleted { .. } => 0,
            Revision::Unreadable { reason, .. } => panic!("{reason}"),
        })
        .collect();
    assert_eq!(steps, [1, 2, 0, 3]);
}

// A broker allows a thousand consumers of a stream: who applies ten thousand agents must not need one for each.
#[tokio::test(flavor = "multi_thread")]
async fn many_new_resources_and_listings_leave_no_consumers_behind() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    let apply = async |n: usize| {
        let resource = queue("acme", &format!("queue-{n}"), "Queue");
        store.apply(&resource, Expect::Absent, "ada", now()).await
    };
    let applied = futures::future::join_all((0..1_100).map(apply)).await;
    assert!(applied.iter().all(Result::is_ok), "{:?}", applied.iter().find(|applied| applied.is_err()));
    for _ in 0..10 {
        assert_eq!(store.list("acme", None).await.unwrap().len(), 1_100);
        assert_eq!(store.history(&key("acme", "queue-7")).await.unwrap().len(), 1);
    }
    let bucket =
        nats.context.get_stream(format!("KV_{}", heliograph_store::resources::BUCKET)).await.unwrap();
    assert_eq!(bucket.get_info().await.unwrap().state.consumer_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_stay_within_their_tenant() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    for (tenant, name) in [("acme", "b"), ("acme", "a"), ("acme-2", "a")] {
        store.apply(&queue(tenant, name, "Q"), Expect::Anything, "ada", now()).await.unwrap();
    }
    let names = |list: Vec<heliograph_domain::resources::Stored>| {
        list.into_iter().map(|stored| stored.resource.metadata.name).collect::<Vec<_>>()
    };
    assert_eq!(names(store.list("acme", None).await.unwrap()), ["a", "b"]);
    assert_eq!(names(store.list("acme", Some(Kind::Queue)).await.unwrap()), ["a", "b"]);
    assert_eq!(names(store.list("acme", Some(Kind::Agent)).await.unwrap()), Vec::<String>::new());
    assert_eq!(store.list_all().await.unwrap().len(), 3);
    for hostile in ["*", ">", "acme.Queue", ""] {
        assert!(
            matches!(store.list(hostile, None).await, Err(ResourceError::InvalidName { .. })),
            "{hostile}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_current_over_a_restart() {
    let mut nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    store.apply(&queue("acme", "sales", "Sales"), Expect::Anything, "ada", now()).await.unwrap();
    store.apply(&queue("acme", "old", "Old"), Expect::Anything, "ada", now()).await.unwrap();
    store.apply(&queue("other", "sales", "Theirs"), Expect::Anything, "bob", now()).await.unwrap();
    let view = store.watch();
    within("the view is ready", view.ready()).await;
    assert_eq!(view.snapshot().len(), 3);
    assert_eq!(view.snapshot().of_tenant("acme", Some(Kind::Queue)).count(), 2);
    assert_eq!(view.snapshot().of_tenant("acme", Some(Kind::Agent)).count(), 0);
    assert_eq!(view.snapshot().of_tenant("acm", None).count(), 0);
    assert_eq!(view.snapshot().of_kind(Kind::Queue).count(), 3);

    nats.server.kill9();
    // What was known stays in force while the broker is away.
    assert!(view.snapshot().get(&key("acme", "sales")).is_some());
    nats.server.restart().await.unwrap();
    let other = ResourceStore::open(&connect(&nats.server).await).await.unwrap();
    eventually("the broker takes writes again", || async {
        other.apply(&queue("acme", "sales", "Sales EU"), Expect::Anything, "ada", now()).await.is_ok()
    })
    .await;
    other.delete(&key("acme", "old"), Expect::Anything).await.unwrap();
    eventually("the view has caught up", || async {
        let snapshot = view.snapshot();
        snapshot.get(&key("acme", "old")).is_none()
            && snapshot.get(&key("acme", "sales")).is_some_and(|stored| stored.version == 2)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_does_not_replace_what_could() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    store.apply(&queue("acme", "sales", "Sales"), Expect::Anything, "ada", now()).await.unwrap();
    let view = store.watch();
    within("the view is ready", view.ready()).await;
    let bucket = KvBucket::open(&nats.context, "HG_RESOURCES").await.unwrap();
    let newer =
        json!({ "version": 7, "resource": { "kind": "Hologram" }, "applied_by": "x", "applied_at": "?" });
    bucket.put("acme.Queue.sales", &newer).await.unwrap();
    eventually("the view says so", || async { !view.snapshot().unreadable().is_empty() }).await;
    assert_eq!(view.snapshot().get(&key("acme", "sales")).unwrap().version, 1);
    // It can be replaced all the same.
    let mended =
        store.apply(&queue("acme", "sales", "Sales"), Expect::Version(7), "ada", now()).await.unwrap();
    assert_eq!((mended.outcome, mended.version), (Outcome::Updated, 8));
    eventually("the view is mended", || async {
        let snapshot = view.snapshot();
        snapshot.unreadable().is_empty() && snapshot.get(&key("acme", "sales")).unwrap().version == 8
    })
    .await;
}

/// A policy of 500 regions and 5,000 rules, as JSON.
fn great_policy(reason: &str) -> Resource {
    let letters = || b'a'..=b'z';
    let names: Vec<String> = letters()
        .flat_map(|a| letters().map(move |b| format!("region-{}{}", char::from(a), char::from(b))))
        .take(500)
        .collect();
    let regions: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(n, name)| json!({ "name": name, "countries": [format!("number:+1{}", 200 + n)], "channels": ["sms"] }))
        .collect();
    let rules: Vec<_> = (0..5_000_usize)
        .map(|n| {
            json!({
                "name": format!("rule-number-{n}"),
                "match": { "direction": "outbound", "regions": [names[n % 500]], "classes": ["marketing"] },
                "when": format!("contact.attributes['tier'] == '{n}' && window.open == false"),
                "then": "deny",
                "reason": format!("{reason}: customers of tier {n} have asked not to be written to there"),
            })
        })
        .collect();
    Resource::from_json(&json!({
        "apiVersion": "heliograph.dev/v1",
        "kind": "ChannelPolicy",
        "metadata": { "tenant": "acme", "name": "default" },
        "spec": { "regions": regions, "default": { "channels": ["webchat"] }, "rules": rules },
    }))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_longer_than_a_message_is_kept_with_its_history() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    let view = store.watch();
    let (first, second) = (great_policy("First"), great_policy("Second"));
    // What a broker takes that nobody told otherwise.
    let limit = 1024 * 1024;
    let length = first.to_json().to_string().len();
    assert!(length > limit, "{length} bytes would fit");
    for (policy, by) in [(&first, "ada"), (&second, "bob"), (&second, "eve")] {
        store.apply(policy, Expect::Anything, by, now()).await.unwrap();
    }
    let key = first.key();
    let stored = store.get(&key).await.unwrap().unwrap();
    assert_eq!((stored.version, &stored.resource), (2, &second));
    assert_eq!(store.list("acme", Some(Kind::ChannelPolicy)).await.unwrap(), [stored]);
    eventually("the view has it", || async {
        view.snapshot().get(&key).is_some_and(|stored| stored.version == 2 && stored.resource == second)
    })
    .await;
    let history = store.history(&key).await.unwrap();
    let steps: Vec<_> = history
        .iter()
        .map(|step| match step {
            Revision::Applied(stored) => (stored.version, stored.applied_by.as_str(), stored.applied_at),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(steps, [(1, "ada", now()), (2, "bob", now())]);
    let bucket = KvBucket::open(&nats.context, "HG_RESOURCES").await.unwrap();
    let stored = bucket.history(&key.path()).await.unwrap();
    let longest = stored.iter().map(|entry| entry.value.len()).max();
    assert!(longest.is_some_and(|longest| longest < limit), "{longest:?} bytes do not fit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_cannot_be_read_still_says_whose_it_is() {
    let nats = nats().await;
    let store = ResourceStore::open(&nats.context).await.unwrap();
    let bucket = KvBucket::open(&nats.context, "HG_RESOURCES").await.unwrap();
    let newer = json!({
        "version": 7, "resource": { "kind": "Hologram" }, "applied_by": "ada", "applied_at": "2030-01-01T00:00:00Z",
    });
    bucket.put("acme.Queue.sales", &newer).await.unwrap();
    bucket.put("acme.Queue.sales", &json!("nonsense")).await.unwrap();
    let history = store.history(&key("acme", "sales")).await.unwrap();
    let steps: Vec<_> = history
        .iter()
        .map(|step| match step {
            Revision::Unreadable { version, by, .. } => (*version, by.as_str()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(steps, [(Some(7), "ada"), (None, "")]);
}
