//! Everything may arrive twice; nothing may happen twice.

use std::sync::Arc;

use futures::future::join_all;
use heliograph_tests::{agent::Agent, fleet::Fleet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_posted_a_hundred_times_is_one_event_and_a_hundred_messages_are_one_conversation() {
    let fleet = Fleet::start(&["sms", "router", "egress", "desk"]).await;
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", Arc::new(|_, _| None)).await;

    let repeated = fleet.sandbox.customer("acme-us", "+12125550100", "Amy");
    let call = repeated.compose("only once");
    let statuses = join_all((0..100).map(|_| repeated.post(&call))).await;
    assert!(statuses.iter().all(|status| *status == Some(200)), "{statuses:?}");

    let hasty = fleet.sandbox.customer("acme-us", "+12125550199", "Zoe");
    let texts: Vec<String> = (0..100).map(|n| format!("first message {n}")).collect();
    let posted = join_all(texts.iter().map(|text| hasty.say(text))).await;
    assert!(posted.iter().all(|posted| posted.status == Some(200)), "{posted:?}");

    let seen = agent.wait("every message", |seen| (seen.count() >= 101).then(|| seen.clone())).await;
    assert_eq!(seen.texts_of("+12125550100"), ["only once"]);
    let mut shown = seen.texts_of("+12125550199");
    let (mut expected, conversations) = (texts, seen.received.len());
    shown.sort();
    expected.sort();
    assert_eq!(shown, expected);
    assert_eq!(conversations, 2, "one conversation for each customer");
}
