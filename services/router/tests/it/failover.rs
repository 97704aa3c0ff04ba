//! A router dies, another goes on.

use std::collections::BTreeMap;

use crate::fleet::{Fleet, assert_unique, message, said};

const TENANTS: [&str; 4] = ["acme", "beta", "core", "dune"];
const CONVERSATIONS: usize = 50;
const MESSAGES: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_when_a_router_is_killed() {
    let fleet = Fleet::start().await;
    for tenant in TENANTS {
        fleet.tenant(tenant).await;
    }
    let first = fleet.router("first").await;
    let customers: Vec<(&str, String)> =
        (0..CONVERSATIONS).map(|n| (TENANTS[n % TENANTS.len()], format!("user-{n}"))).collect();
    let round = async |n: usize| {
        let writing =
            customers.iter().map(|(tenant, user)| fleet.receive(message(tenant, user, &n.to_string())));
        futures::future::join_all(writing).await;
    };
    for n in 0..10 {
        round(n).await;
    }
    // The second takes its share from the first, then all of it.
    let _second = fleet.router("second").await;
    for n in 10..20 {
        round(n).await;
    }
    first.kill();
    for n in 20..MESSAGES {
        round(n).await;
    }

    let received = fleet.count("message.received", CONVERSATIONS * MESSAGES).await;
    assert_eq!(received.len(), CONVERSATIONS * MESSAGES);
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
}
