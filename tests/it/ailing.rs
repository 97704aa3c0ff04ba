//! A provider that fails holds up its own channel and no other, and loses nothing there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use heliograph_proto::v1::event::Payload;
use heliograph_testkit::sandbox::{Customer, Fault, Sent};
use heliograph_tests::{
    PATIENCE,
    agent::{Agent, Transcript},
    eventually,
    fleet::Fleet,
};

/// Every way in which it fails. `Slow` is longer than a channel waits for its provider, so that in none of them it is said
/// that a message was sent.
fn faults() -> [Fault; 4] {
    [
        Fault::Status(429, Some(1)),
        Fault::Status(500, None),
        Fault::Slow(Duration::from_secs(20)),
        Fault::Hang(Duration::from_hours(1)),
    ]
}

/// Without keys for repeats, what nobody knows of is reported.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatsapp_fails_in_four_ways_and_the_others_do_not_notice() {
    let fleet = Fleet::start(&["sms", "telegram", "whatsapp", "router", "egress", "desk"]).await;
    let doubted = fail(&fleet, "whatsapp", "acme-br", |n| format!("551198765000{n}")).await;
    // When it was too slow, and when it was silent.
    assert!(!doubted.is_empty());
    for text in &doubted {
        assert!(of_round(text, 2) || of_round(text, 3), "{text} is in doubt");
    }
}

/// With keys for repeats, nothing stays open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_fails_in_four_ways_and_everything_arrives_all_the_same() {
    let fleet = Fleet::start(&["sms", "telegram", "line", "router", "egress", "desk"]).await;
    // Replies have no keys, pushes have.
    let id = r#"channel_id: "1234567890""#;
    let pushing = fleet.tenant(|manifest| manifest.replace(id, &format!("{id}, reply_tokens: false")));
    fleet.apply(&pushing).await;
    let doubted = fail(&fleet, "line", "acme-jp", |n| format!("U{n:032x}")).await;
    assert_eq!(doubted, Vec::<String>::new());
}

const CUSTOMERS: usize = 3;

fn question(n: usize, round: usize, which: char) -> String {
    format!("{n} asks in round {round}, {which}")
}

fn answer(text: &str) -> String {
    format!("re: {text}")
}

/// One provider fails in every way, while the others are well; the replies that ended in doubt.
async fn fail(fleet: &Fleet, channel: &str, account: &str, user: impl Fn(usize) -> String) -> Vec<String> {
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", Arc::new(|_, text| Some(answer(text)))).await;
    let ill: Vec<_> = (0..CUSTOMERS).map(|n| fleet.sandbox.customer(account, &user(n), "Ida")).collect();
    let well = [
        fleet.sandbox.customer("acme-us", "+12125550100", "Amy"),
        fleet.sandbox.customer("acme-telegram", "70000001", "Tom"),
    ];
    for (round, fault) in faults().into_iter().enumerate() {
        let met = fleet.sandbox.faults_met(channel);
        fleet.sandbox.ail(channel, Some(fault.clone()));
        for which in ['a', 'b'] {
            for (n, customer) in ill.iter().enumerate() {
                say(customer, &question(n, round, which)).await;
            }
        }
        eventually("the provider is asked", || async {
            (fleet.sandbox.faults_met(channel) > met).then_some(())
        })
        .await;
        for which in ['a', 'b', 'c'] {
            for (n, customer) in well.iter().enumerate() {
                say(customer, &question(n, round, which)).await;
            }
        }
        for customer in &well {
            arrived(fleet, customer, 3 * (round + 1)).await;
        }
        // The provider fails still: nothing of this round has left it for good.
        let so_far = ends(&agent.transcript(), channel);
        let sent = so_far.iter().filter(|(text, end)| of_round(text, round) && **end == "sent");
        assert_eq!(sent.count(), 0, "sent while the provider answers {fault:?}: {so_far:?}");

        fleet.sandbox.ail(channel, None);
        let all = 2 * CUSTOMERS * (round + 1);
        agent.wait("an end of every reply", |seen| (ends(seen, channel).len() >= all).then_some(())).await;
    }
    let seen = agent.transcript();
    let ends = ends(&seen, channel);
    assert_eq!(seen.count_of("message.failed"), 0, "{ends:?}");
    for (n, customer) in ill.iter().enumerate() {
        let written = written(&seen, channel, n);
        assert_eq!(written.len(), 2 * faults().len(), "{written:?}");
        let arrived = texts(&fleet.sandbox.sent(), customer);
        let in_order = written.iter().filter(|text| arrived.contains(text)).cloned().collect::<Vec<_>>();
        assert_eq!(arrived, in_order, "once each, and in order");
        for text in written {
            let end = ends.get(&text).copied();
            assert!(
                arrived.contains(&text) || end == Some("in_doubt"),
                "{text} is lost; it ended as {end:?}"
            );
        }
    }
    for (n, (customer, channel)) in well.iter().zip(["sms", "telegram"]).enumerate() {
        let written = written(&seen, channel, n);
        assert_eq!(written.len(), 3 * faults().len(), "{written:?}");
        assert_eq!(texts(&fleet.sandbox.sent(), customer), written);
    }
    ends.into_iter().filter(|(_, end)| *end == "in_doubt").map(|(text, _)| text).collect()
}

fn of_round(text: &str, round: usize) -> bool {
    text.contains(&format!("round {round},"))
}

async fn say(customer: &Customer, text: &str) {
    assert_eq!(customer.say(text).await.status, Some(200), "{text}");
}

/// What a customer reads, in order.
fn texts(sent: &[Sent], customer: &Customer) -> Vec<String> {
    sent.iter().filter(|sent| sent.user_id == customer.user_id).map(|sent| sent.text.clone()).collect()
}

/// Waits until a customer has read so many replies.
async fn arrived(fleet: &Fleet, customer: &Customer, count: usize) {
    let waiting = fleet.sandbox.wait_for(|sent| (texts(sent, customer).len() >= count).then_some(()));
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| {
        panic!("{} waits for {count} replies while another channel fails", customer.user_id)
    });
}

/// What the agent has written on a channel, by message id, in the order of the transcript.
fn accepted<'a>(seen: &'a Transcript, channel: &'a str) -> impl Iterator<Item = (&'a str, String)> {
    let on_it = seen.events.values().filter(move |event| event.channel == channel);
    let messages = on_it.filter_map(|event| match &event.payload {
        Some(Payload::MessageAccepted(it)) => it.message.as_ref(),
        _ => None,
    });
    messages.filter_map(|message| {
        let content = message.content.as_ref()?;
        Some((message.id.as_str(), heliograph_domain::content::preview(content)))
    })
}

/// What the agent has written to the `n`th customer of a channel.
fn written(seen: &Transcript, channel: &str, n: usize) -> Vec<String> {
    let to = answer(&format!("{n} asks"));
    accepted(seen, channel).map(|(_, text)| text).filter(|text| text.starts_with(&to)).collect()
}

/// What is said of each reply on a channel at last.
fn ends(seen: &Transcript, channel: &str) -> BTreeMap<String, &'static str> {
    let accepted: BTreeMap<_, _> = accepted(seen, channel).collect();
    let said = seen.events.values().filter_map(|event| match &event.payload {
        Some(Payload::MessageSent(it)) => Some((&it.message_id, "sent")),
        Some(Payload::MessageInDoubt(it)) => Some((&it.message_id, "in_doubt")),
        Some(Payload::MessageFailed(it)) => Some((&it.message_id, "failed")),
        _ => None,
    });
    said.filter_map(|(id, end)| Some((accepted.get(id.as_str())?.clone(), end))).collect()
}
