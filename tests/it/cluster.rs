//! Three brokers that are one: each is killed in turn, leaders and all, while messages pass.

use std::{sync::Arc, time::Duration};

use heliograph_domain::content;
use heliograph_proto::v1::event::Payload;
use heliograph_testkit::sandbox::Customer;
use heliograph_tests::{
    agent::{Agent, Transcript},
    fleet::Fleet,
};

const CUSTOMERS: usize = 8;
const EACH: usize = 30;

/// Writes in order; each message is posted until it is taken, as a provider does.
async fn write(customer: Customer) {
    for number in 0..EACH {
        let call = customer.compose(&format!("says {number}"));
        while customer.post(&call).await != Some(200) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// What was answered to a customer, in the order of the conversation.
fn answers_to(seen: &Transcript, user: &str) -> Vec<String> {
    let accepted = seen.events.values().filter_map(|event| match &event.payload {
        Some(Payload::MessageAccepted(it)) => it.message.as_ref(),
        _ => None,
    });
    accepted
        .filter(|message| message.address.as_ref().is_some_and(|address| address.user_id == user))
        .filter_map(|message| message.content.as_ref().map(content::preview))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_while_brokers_are_killed_in_turn() {
    let mut fleet = Fleet::start_clustered(3, &["sms", "router", "egress", "desk"]).await;
    let answers = Arc::new(|_: &str, text: &str| Some(format!("you {text}")));
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", answers).await;
    let writers: Vec<_> = (0..CUSTOMERS)
        .map(|index| fleet.sandbox.customer("acme-us", &format!("+1212555{index:04}"), ""))
        .map(|customer| tokio::spawn(write(customer)))
        .collect();
    for node in 0..3 {
        let done = CUSTOMERS * EACH * node / 4;
        agent.wait("messages before the next kill", |seen| (seen.count() >= done).then_some(())).await;
        fleet.nats.nodes()[node].kill9();
        // The others go on without it.
        let more = agent.transcript().count() + 5;
        agent
            .wait("messages without a broker", |seen| {
                (seen.count() >= more.min(CUSTOMERS * EACH)).then_some(())
            })
            .await;
        fleet.nats.nodes()[node].restart().await.expect("the broker comes back");
    }
    for writer in writers {
        writer.await.expect("a customer writes to the end");
    }
    agent.wait("every message", |seen| (seen.count() >= CUSTOMERS * EACH).then_some(())).await;
    agent
        .wait("every answer's end", |seen| {
            let ended = seen.count_of("message.sent") + seen.count_of("message.in_doubt");
            (ended >= CUSTOMERS * EACH).then_some(())
        })
        .await;

    let seen = agent.transcript();
    let sent = fleet.sandbox.sent();
    for index in 0..CUSTOMERS {
        let user = format!("+1212555{index:04}");
        let said: Vec<String> = (0..EACH).map(|number| format!("says {number}")).collect();
        assert_eq!(seen.texts_of(&user), said, "{user}");
        // The agent may read what was said before they had the conversation after what came next; answers leave in the
        // order in which they were given.
        let given = answers_to(&seen, &user);
        let heard: Vec<&String> =
            sent.iter().filter(|sent| sent.user_id == user).map(|sent| &sent.text).collect();
        let places: Vec<Option<usize>> =
            heard.iter().map(|text| given.iter().position(|answer| answer == *text)).collect();
        assert!(places.is_sorted_by(|one, next| one < next), "{user}: doubled or out of order: {places:?}");
    }
    assert_eq!(seen.received.len(), CUSTOMERS, "one conversation each");
    let in_doubt = seen.count_of("message.in_doubt");
    assert!(sent.len() + in_doubt >= CUSTOMERS * EACH, "{} answers arrived, {in_doubt} in doubt", sent.len());
}
