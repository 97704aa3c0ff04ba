//! A router dies, another goes on.

use std::collections::BTreeMap;
use std::time::Duration;

use heliograph_domain::content;
use heliograph_router::{AssignmentConfig, RouterConfig, replay};

use crate::fleet::{Fleet, LAYOUT, assert_unique, message, said};

const TENANTS: [&str; 4] = ["acme", "beta", "core", "dune"];
const CONVERSATIONS: usize = 50;
const MESSAGES: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_when_a_router_is_killed() {
    let fleet = Fleet::start().await;
    for tenant in TENANTS {
        fleet.tenant(tenant).await;
    }
    // Snapshots all the time, so that the takeover meets them at any stage.
    let assignment = AssignmentConfig {
        snapshot_entries: 50,
        snapshot_every: Duration::from_millis(200),
        ..AssignmentConfig::default()
    };
    let config = RouterConfig { assignment, ..RouterConfig::default() };
    let first = fleet.router_with("first", config.clone()).await;
    let customers: Vec<(&str, String)> =
        (0..CONVERSATIONS).map(|n| (TENANTS[n % TENANTS.len()], format!("user-{n}"))).collect();
    let round = async |n: usize| {
        let writing =
            customers.iter().map(|(tenant, user)| fleet.receive(message(tenant, user, &n.to_string())));
        let text = format!("offer {n}");
        let sending = customers.iter().map(|(tenant, user)| fleet.send(tenant, user, &text));
        tokio::join!(futures::future::join_all(writing), futures::future::join_all(sending));
    };
    for n in 0..10 {
        round(n).await;
    }
    // The second takes its share from the first, then all of it.
    let second = fleet.router_with("second", config).await;
    for n in 10..20 {
        round(n).await;
    }
    first.kill();
    for n in 20..MESSAGES {
        round(n).await;
    }

    let received = fleet.count("message.received", CONVERSATIONS * MESSAGES).await;
    assert_eq!(received.len(), CONVERSATIONS * MESSAGES);
    fleet.count("message.accepted", CONVERSATIONS * MESSAGES).await;
    second.stop().await;
    assert_unique(&fleet.events().await);
    let mut by_customer: BTreeMap<(String, String), Vec<&heliograph_proto::v1::Event>> = BTreeMap::new();
    for event in &received {
        by_customer.entry((event.tenant.clone(), event.contact.clone())).or_default().push(event);
    }
    assert_eq!(by_customer.len(), CONVERSATIONS);
    let expected: Vec<String> = (0..MESSAGES).map(|n| n.to_string()).collect();
    for ((tenant, contact), events) in by_customer {
        assert!(
            events.iter().all(|event| event.conversation == events[0].conversation),
            "{tenant} {contact}"
        );
        let texts: Vec<String> = events.iter().map(|event| said(event)).collect();
        assert_eq!(texts, expected, "{tenant} {contact}");
    }

    let mut by_conversation: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for work in fleet.outbound().await {
        let message = work.message.unwrap();
        let text = content::preview(&message.content.unwrap());
        by_conversation.entry(work.conversation).or_default().push(text);
    }
    assert_eq!(by_conversation.len(), CONVERSATIONS);
    let expected: Vec<String> = (0..MESSAGES).map(|n| format!("offer {n}")).collect();
    for (conversation, texts) in by_conversation {
        assert_eq!(texts, expected, "{conversation}");
    }

    let snapshots = fleet.snapshot_store().await;
    for partition in 0..LAYOUT.routing {
        let from_snapshot = replay(&fleet.fabric, Some(&snapshots), partition).await.unwrap();
        let from_log = replay(&fleet.fabric, None, partition).await.unwrap();
        assert_eq!(
            (from_snapshot.applied, from_snapshot.digest),
            (from_log.applied, from_log.digest),
            "partition {partition} from {}",
            from_snapshot.from
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_restarts_and_a_redis_that_forgets_cost_nothing() {
    let mut fleet = Fleet::start().await;
    let router = fleet.router("one").await;
    for n in 0..30 {
        if n == 10 {
            fleet.nats.restart().await.unwrap();
        }
        if n == 20 {
            fleet.nats.kill9();
            fleet.nats.restart().await.unwrap();
            fleet.redis.restart().await.unwrap();
        }
        let text = n.to_string();
        let writing = (0..20).map(|user| fleet.receive(message(TENANTS[0], &format!("user-{user}"), &text)));
        futures::future::join_all(writing).await;
    }
    fleet.count("message.received", 600).await;
    router.stop().await;
    let events = fleet.events().await;
    assert_unique(&events);
    let mut by_contact: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for event in events.iter().filter(|event| event.r#type == "message.received") {
        by_contact.entry(&event.contact).or_default().push(said(event));
    }
    let expected: Vec<String> = (0..30).map(|n| n.to_string()).collect();
    assert_eq!(by_contact.len(), 20);
    for (contact, texts) in by_contact {
        assert_eq!(texts, expected, "{contact}");
    }
}
