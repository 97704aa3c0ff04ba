//! Agents who leave, with and without a word: their work never stays with them.

use super::{Bench, agent, names, pool};
use crate::{Action, Presence, QueueSpec};

/// `bo` has one conversation assigned, one in wrap-up and one ringing; nobody else is there.
fn busy() -> Bench {
    let mut config = pool([("bo", agent(3, &[])), ("cy", agent(3, &[]))]);
    config.queues.insert(
        "support".into(),
        QueueSpec { wrap_up_seconds: 300, ring_seconds: 50, ..QueueSpec::default() },
    );
    let mut bench = Bench::new(config);
    bench.online("bo");
    bench.write("wrapping");
    bench.accept("bo");
    let conversation = bench.open("wrapping");
    bench.act("bo", Action::Close { conversation, wrap_up: Some("solved".into()) });
    bench.write("assigned");
    bench.accept("bo");
    bench.write("ringing");
    bench
}

#[test]
fn going_away_withdraws_offers_and_keeps_the_rest() {
    let mut bench = busy();
    let decisions = bench.presence("bo", Presence::Away);
    assert_eq!(
        names(&decisions),
        ["command.accepted", "agent.presence_changed", "reservation.rescinded", "conversation.requeued"]
    );
    assert_eq!(bench.holder("assigned").as_deref(), Some("bo"));
    assert_eq!(bench.holder("wrapping").as_deref(), Some("bo"));
    bench.online("bo");
    assert_eq!(bench.holder("ringing").as_deref(), Some("bo"));
}

#[test]
fn going_offline_gives_everything_back_at_once() {
    let mut bench = busy();
    bench.online("cy");
    let decisions = bench.presence("bo", Presence::Offline);
    let told = names(&decisions);
    assert_eq!(
        told[..4],
        ["command.accepted", "agent.presence_changed", "reservation.rescinded", "conversation.requeued"]
    );
    assert_eq!(told.iter().filter(|name| **name == "reservation.created").count(), 2);
    assert!(told.contains(&"conversation.closed"), "a wrap-up ends with its agent");
    assert_eq!(bench.holder("assigned").as_deref(), Some("cy"));
    assert_eq!(bench.holder("ringing").as_deref(), Some("cy"));
    let view = bench.agent("bo");
    assert!(view.reservations.is_empty() && view.assigned.is_empty() && view.wrap_ups.is_empty());
}

#[test]
fn a_disconnected_agent_keeps_conversations_for_the_grace_period() {
    let mut bench = busy();
    let decisions = bench.act("bo", Action::Disconnected);
    assert_eq!(names(&decisions), ["command.accepted", "reservation.rescinded", "conversation.requeued"]);
    assert!(!bench.agent("bo").connected);
    assert!(bench.pass(29).is_empty());
    assert_eq!(bench.holder("assigned").as_deref(), Some("bo"));
    bench.online("cy");
    assert_eq!(bench.holder("ringing").as_deref(), Some("cy"));
    bench.now -= 1;
    let decisions = bench.pass(2);
    let told = names(&decisions);
    assert_eq!(told[0], "agent.presence_changed");
    assert_eq!(decisions[0].reasons[0].code, "agent_disconnected");
    assert_eq!(bench.holder("assigned").as_deref(), Some("cy"));
    assert_eq!(bench.agent("bo").presence, Presence::Offline);
}

#[test]
fn an_agent_who_returns_within_the_grace_period_goes_on() {
    let mut bench = busy();
    bench.act("bo", Action::Disconnected);
    assert!(bench.act("bo", Action::Disconnected).len() == 1, "a second notice adds nothing");
    bench.pass(20);
    assert_eq!(names(&bench.act("bo", Action::Heartbeat)), ["reservation.created"]);
    assert!(bench.agent("bo").connected);
    bench.accept("bo");
    assert!(bench.pass(55).is_empty());
    assert_eq!(bench.holder("assigned").as_deref(), Some("bo"));
}

#[test]
fn an_agent_not_heard_of_goes_offline() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    for _ in 0..5 {
        assert!(bench.pass(50).is_empty());
        assert!(bench.act("bo", Action::Heartbeat).is_empty());
    }
    let decisions = bench.pass(61);
    assert_eq!(names(&decisions), ["agent.presence_changed", "conversation.requeued"]);
    assert_eq!(decisions[0].reasons[0].code, "agent_not_heard_of");
}

#[test]
fn what_an_agent_loses_goes_before_what_came_later() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[])), ("cy", agent(1, &[]))]));
    bench.online("bo");
    bench.write("first");
    bench.accept("bo");
    bench.now += 5_000;
    bench.write("second");
    bench.presence("bo", Presence::Offline);
    bench.online("cy");
    assert_eq!(bench.holder("first").as_deref(), Some("cy"));
}
