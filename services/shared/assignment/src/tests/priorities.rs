//! What wins when: priority, age against target, arrival; and that nothing waits for ever.

use proptest::prelude::*;

use super::{Bench, TENANT, agent, inbound, pool};
use crate::{Action, Entry, QueueSpec, Text};

/// Serves one conversation and says whose it was.
fn serve(bench: &mut Bench) -> Text {
    let reservation = bench.agent("bo").reservations[0].clone();
    let contact =
        bench.machine.conversation(TENANT, &reservation.conversation).unwrap().about.contact.clone();
    bench.accept("bo");
    bench.act("bo", Action::Close { conversation: reservation.conversation, wrap_up: None });
    contact
}

fn ask(bench: &mut Bench, contact: &str, queue: &str, priority: i32) {
    let mut message = inbound(contact, &format!("m-{contact}"));
    message.queue = queue.into();
    message.priority = priority;
    bench.apply(&Entry::Inbound(message));
}

/// One agent of the queues `support` and `sales`, with a chat at a time.
fn two_queues(support: QueueSpec, sales: QueueSpec) -> Bench {
    let mut bo = agent(1, &[]);
    bo.queues = [("support".into(), 1), ("sales".into(), 1)].into();
    let mut config = pool([("bo", bo)]);
    config.liveness_seconds = 1_000_000;
    config.queues = [("support".into(), support), ("sales".into(), sales)].into();
    let mut bench = Bench::new(config);
    bench.online("bo");
    ask(&mut bench, "first", "support", 0);
    bench
}

fn target(target_seconds: u32) -> QueueSpec {
    QueueSpec { target_seconds, ..QueueSpec::default() }
}

#[test]
fn age_counts_against_the_target_of_the_queue() {
    // 30 s are half of a minute's target and three times ten seconds'.
    let mut bench = two_queues(target(60), target(10));
    ask(&mut bench, "patient", "support", 0);
    bench.now += 20_000;
    ask(&mut bench, "urgent", "sales", 0);
    bench.now += 10_000;
    serve(&mut bench);
    assert_eq!(&*serve(&mut bench), "urgent");
    assert_eq!(&*serve(&mut bench), "patient");
}

#[test]
fn priority_goes_before_age_until_the_age_has_gained_a_level() {
    for (waited, winner) in [(29, "late"), (31, "early")] {
        let aging = QueueSpec { aging_seconds: 30, ..QueueSpec::default() };
        let mut bench = two_queues(aging.clone(), aging);
        ask(&mut bench, "early", "support", 0);
        bench.now += waited * 1_000;
        ask(&mut bench, "late", "support", 1);
        serve(&mut bench);
        assert_eq!(&*serve(&mut bench), winner, "after {waited} s");
    }
}

#[test]
fn a_queues_own_priority_is_added_to_that_of_its_work() {
    let mut bench = two_queues(target(20), QueueSpec { priority: 2, ..target(20) });
    ask(&mut bench, "rule", "support", 1);
    ask(&mut bench, "queue", "sales", 0);
    ask(&mut bench, "both", "sales", 1);
    serve(&mut bench);
    assert_eq!([&*serve(&mut bench), &*serve(&mut bench), &*serve(&mut bench)], ["both", "queue", "rule"]);
}

proptest! {
    /// However much urgent work keeps coming, work is served before all that comes so much later that its age outweighs the
    /// difference in priority: the wait of whatever priority is bounded by what was there and what came in that time.
    #[test]
    fn nothing_waits_for_ever(arrivals in prop::collection::vec((0..9_i32, 1..20_i64), 10..120)) {
        let aging = 30;
        let spec = QueueSpec { aging_seconds: aging, ..QueueSpec::default() };
        let mut bench = two_queues(spec.clone(), spec);
        let mut waiting = Vec::new();
        let mut served = Vec::new();
        for (at, (priority, gap)) in arrivals.iter().enumerate() {
            bench.now += gap * 1_000;
            let contact = format!("c{at:03}");
            ask(&mut bench, &contact, "support", *priority);
            waiting.push((contact, bench.now, *priority));
            // Two come for every one that is served.
            if at % 2 == 0 {
                served.push(serve(&mut bench));
            }
        }
        while !bench.agent("bo").reservations.is_empty() {
            served.push(serve(&mut bench));
        }
        prop_assert_eq!(served.len(), waiting.len() + 1, "everything is served in the end");
        let place = |contact: &str| served.iter().position(|it| &**it == contact).unwrap();
        for (early, at, low) in &waiting {
            for (late, then, high) in &waiting {
                let outweighed = i64::from(high - low) * i64::from(aging) * 1_000;
                if then - at > outweighed.max(0) {
                    prop_assert!(place(early) < place(late), "{} at {} after {} at {}", early, at, late, then);
                }
            }
        }
    }
}
