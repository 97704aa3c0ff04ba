//! None lost, none seen twice, order kept: while processes are killed, the broker restarts and Redis is flushed.
//!
//! `make chaos` runs it at full size; here it is short. Sizes come from `HELIOGRAPH_CHAOS_MESSAGES` and
//! `HELIOGRAPH_CHAOS_CONVERSATIONS`.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use heliograph_proto::v1::event::Payload;
use heliograph_testkit::sandbox::{Customer, Fault};
use heliograph_tests::{
    agent::{Agent, Transcript},
    fleet::Fleet,
};

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|size| size.parse().ok()).unwrap_or(default)
}

/// Every tenth message is answered.
fn answered(number: usize) -> bool {
    number % 10 == 3
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered_while_everything_is_killed_in_turn() {
    let conversations = size("HELIOGRAPH_CHAOS_CONVERSATIONS", 40);
    let each = size("HELIOGRAPH_CHAOS_MESSAGES", 800) / conversations;
    let mut fleet = Fleet::start(&["sms", "router", "router-2", "egress", "desk"]).await;
    let answers = Arc::new(|_: &str, text: &str| {
        let number = text.rsplit(' ').next().and_then(|number| number.parse().ok());
        number.filter(|number| answered(*number)).map(|_| format!("answer to {text}"))
    });
    let agent = Agent::start(&fleet.grpc("desk"), "ann", "ann", answers).await;

    let done = Arc::new(AtomicUsize::new(0));
    for index in 0..conversations {
        let customer = fleet.sandbox.customer("acme-us", &format!("+1212555{index:04}"), "");
        tokio::spawn(write(customer, each, done.clone()));
    }

    let mut rounds = 0;
    while done.load(Ordering::Relaxed) < conversations {
        disturb(&mut fleet, rounds).await;
        rounds += 1;
    }
    // At least once each, however fast the customers were.
    for round in rounds..6 {
        disturb(&mut fleet, round).await;
    }

    let total = conversations * each;
    let patience = Duration::from_mins(3);
    agent.wait_for("every message", patience, |seen| (seen.count() >= total).then_some(())).await;
    let replies = conversations * (0..each).filter(|number| answered(*number)).count();
    let seen = agent
        .wait_for("every answer's outcome", patience, |seen| {
            (outcomes(seen).len() >= replies).then(|| seen.clone())
        })
        .await;

    for index in 0..conversations {
        let user = format!("+1212555{index:04}");
        let expected: Vec<String> = (0..each).map(|number| format!("{index} says {number}")).collect();
        assert_eq!(seen.texts_of(&user), expected, "{user}");
    }
    assert_eq!(seen.received.len(), conversations, "one conversation each");
    let stream = fleet.cli(&["tail", "--json", "--from", "start", "--no-follow"]).await;
    let contacts = stream.lines().filter(|line| line.contains("\"contact.updated\"")).count();
    assert_eq!(contacts, conversations, "each contact is new once");
    check_answers(&fleet, &seen, replies);
    let in_doubt = outcomes(&seen).values().filter(|outcome| **outcome == "in_doubt").count();
    println!(
        "{total} messages, {rounds} rounds of faults: none lost, doubled or reordered; {in_doubt} of {replies} answers in doubt"
    );
}

/// Writes in order; each message is posted until it is taken, as a provider does.
async fn write(customer: Customer, each: usize, done: Arc<AtomicUsize>) {
    let digits = customer.user_id.trim_start_matches("+1212555").parse::<usize>().unwrap();
    for number in 0..each {
        let call = customer.compose(&format!("{digits} says {number}"));
        while customer.post(&call).await != Some(200) {}
    }
    done.fetch_add(1, Ordering::Relaxed);
}

/// One fault, in turn.
async fn disturb(fleet: &mut Fleet, round: usize) {
    fleet
        .sandbox
        .inject("sinch", [Fault::Status(500, None), Fault::LoseResponse, Fault::Status(429, Some(1))]);
    match round % 6 {
        0 => restart(fleet, "sms").await,
        1 => restart(fleet, "router").await,
        2 => restart(fleet, "egress").await,
        3 => fleet.nats.nodes()[0].restart().await.unwrap(),
        4 => flush(fleet).await,
        _ => restart(fleet, "router-2").await,
    }
}

async fn restart(fleet: &mut Fleet, name: &str) {
    let process = fleet.process(name);
    process.kill9().await;
    process.restart();
    process.ready().await;
}

async fn flush(fleet: &Fleet) {
    let client = redis::Client::open(fleet.redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
}

/// The last word on each answer, by message id.
fn outcomes(seen: &Transcript) -> HashMap<String, &'static str> {
    let mut outcomes = HashMap::new();
    for event in seen.events.values() {
        let (id, outcome) = match &event.payload {
            Some(Payload::MessageSent(it)) => (&it.message_id, "sent"),
            Some(Payload::MessageInDoubt(it)) => (&it.message_id, "in_doubt"),
            Some(Payload::MessageFailed(it)) => (&it.message_id, "failed"),
            _ => continue,
        };
        outcomes.insert(id.clone(), outcome);
    }
    outcomes
}

/// Each answer reached its customer once and in order, or is reported as in doubt.
fn check_answers(fleet: &Fleet, seen: &Transcript, replies: usize) {
    let outcomes = outcomes(seen);
    assert_eq!(outcomes.len(), replies);
    assert!(outcomes.values().all(|outcome| *outcome != "failed"), "{outcomes:?}");

    let mut by_user: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sent in fleet.sandbox.sent() {
        by_user.entry(sent.user_id).or_default().push(sent.text);
    }
    let mut reached = HashSet::new();
    for (user, texts) in &by_user {
        let numbers: Vec<usize> =
            texts.iter().map(|text| text.rsplit(' ').next().unwrap().parse().unwrap()).collect();
        assert!(
            numbers.windows(2).all(|pair| pair[0] < pair[1]),
            "{user}: doubled or out of order: {numbers:?}"
        );
        reached.extend(texts.iter().cloned());
    }
    let accepted = seen.events.values().filter_map(|event| match &event.payload {
        Some(Payload::MessageAccepted(it)) => it.message.as_ref(),
        _ => None,
    });
    for message in accepted {
        let text = message.content.as_ref().map(heliograph_domain::content::preview).unwrap_or_default();
        let outcome = outcomes.get(&message.id).copied();
        assert!(
            outcome == Some("in_doubt") || reached.contains(&text),
            "{text}: {outcome:?}, and nobody got it"
        );
    }
}
