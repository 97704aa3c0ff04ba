//! What time does to work that waits: less is asked, it goes elsewhere, it ends; hours; announcements.

use super::{Bench, TENANT, agent, inbound, names, needs, pool};
use crate::{
    Action, AgentSpec, Callback, Closed, Decision, Entry, Kind, MaxWait, Overflow, OverflowWhen, PhaseView,
    Place, PoolConfig, QueueSpec, Relax, Sticky, Timestamp, WaitEnd,
};

fn with(support: QueueSpec, agents: &[(&str, AgentSpec)]) -> PoolConfig {
    let mut config = pool([]);
    config.agents = agents.iter().map(|(name, spec)| ((*name).into(), spec.clone())).collect();
    config.queues.insert("support".into(), support);
    config.queues.insert("sales".into(), QueueSpec::default());
    config.liveness_seconds = 1_000_000;
    config
}

fn seller(chats: u32) -> AgentSpec {
    AgentSpec { queues: [("sales".into(), 1)].into(), ..agent(chats, &[]) }
}

fn ask(bench: &mut Bench, contact: &str, required: &[(&str, u8)]) -> Vec<Decision> {
    let mut message = inbound(contact, &format!("m-{contact}-{}", bench.sequence));
    message.required = needs(required);
    bench.apply(&Entry::Inbound(message))
}

fn place(decisions: &[Decision]) -> Place {
    let place = decisions.iter().find_map(|decision| match &decision.kind {
        Kind::ConversationQueued { place, .. }
        | Kind::ConversationOverflowed { place, .. }
        | Kind::PositionAnnounced { place }
        | Kind::CallbackScheduled { place, .. } => Some(place.clone()),
        _ => None,
    });
    place.unwrap_or_else(|| panic!("{decisions:?}"))
}

fn codes(decisions: &[Decision]) -> Vec<&str> {
    decisions.iter().flat_map(|decision| &decision.reasons).map(|reason| &*reason.code).collect()
}

#[test]
fn less_is_asked_the_longer_it_waits() {
    let support = QueueSpec {
        relax: vec![
            Relax { after_seconds: 10, lower: 3, ..Relax::default() },
            Relax { after_seconds: 20, ring: 2, ..Relax::default() },
            Relax { after_seconds: 30, drop: ["french".into()].into(), ..Relax::default() },
        ],
        ..QueueSpec::default()
    };
    let second = AgentSpec { queues: [("support".into(), 2)].into(), ..agent(1, &[("french", 7)]) };
    let config =
        with(support, &[("low", agent(1, &[("french", 4)])), ("none", agent(1, &[])), ("second", second)]);
    let mut bench = Bench::new(config);
    for agent in ["low", "none", "second"] {
        bench.online(agent);
    }
    for (waited, asked, expected) in [
        (9, 7, None),
        (10, 7, Some("low")),
        (10, 8, None),
        (20, 8, Some("second")),
        (29, 9, Some("second")),
        (30, 10, Some("low")),
    ] {
        let mut bench = Bench { machine: bench.machine.clone(), ..bench };
        if asked >= 9 {
            bench.presence("second", crate::Presence::Away);
        }
        let expected = if asked == 9 { None } else { expected };
        ask(&mut bench, "ana", &[("french", asked)]);
        let decisions = bench.pass(waited);
        assert_eq!(bench.holder("ana").as_deref(), expected, "level {asked} after {waited} s");
        let relaxed = names(&decisions).iter().filter(|name| **name == "conversation.relaxed").count();
        assert_eq!(i64::try_from(relaxed), Ok(waited / 10), "each step is told");
    }
}

#[test]
fn work_goes_on_to_another_queue_and_keeps_its_place() {
    let overflow = |when| vec![Overflow { when, to: "sales".into() }];
    let cases = [
        (OverflowWhen::Waiting(1), "overflow_waiting"),
        (OverflowWhen::NobodyOnline, "overflow_nobody_online"),
        (OverflowWhen::After(0), "overflow_waited"),
    ];
    for (when, code) in cases {
        let support = QueueSpec { overflow: overflow(when), ..QueueSpec::default() };
        let mut bench = Bench::new(with(support, &[("cy", seller(5))]));
        bench.online("cy");
        if let OverflowWhen::Waiting(_) = when {
            ask(&mut bench, "first", &[]);
            assert_eq!(bench.holder("first"), None);
        }
        let decisions = ask(&mut bench, "ana", &[]);
        assert_eq!(&*place(&decisions).queue, "sales", "{when:?}");
        assert!(codes(&decisions).contains(&code), "{decisions:?}");
        assert_eq!(bench.holder("ana").as_deref(), Some("cy"), "{when:?}");
    }
    // Later, and with the arrival it had: before whoever came to the other queue in the meantime.
    let support = QueueSpec { overflow: overflow(OverflowWhen::After(30)), ..QueueSpec::default() };
    let mut bench = Bench::new(with(support, &[]));
    ask(&mut bench, "ana", &[]);
    bench.pass(10);
    let mut other = inbound("bea", "m");
    other.queue = "sales".into();
    bench.apply(&Entry::Inbound(other));
    let decisions = bench.pass(25);
    assert_eq!(names(&decisions), ["conversation.overflowed"]);
    assert_eq!((place(&decisions).position, place(&decisions).waiting), (1, 2));
}

#[test]
fn the_last_agent_who_leaves_sends_on_what_waits_and_circles_end() {
    let to = |to: &str| vec![Overflow { when: OverflowWhen::NobodyOnline, to: to.into() }];
    let support = QueueSpec { overflow: to("sales"), ..QueueSpec::default() };
    let mut config = with(support, &[("bo", agent(0, &[])), ("cy", seller(1))]);
    let mut bench = Bench::new(config.clone());
    bench.online("bo");
    bench.online("cy");
    ask(&mut bench, "ana", &[]);
    assert_eq!(bench.holder("ana"), None);
    let decisions = bench.act("bo", Action::Disconnected);
    assert!(names(&decisions).contains(&"conversation.overflowed"), "{decisions:?}");
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    config.queues.get_mut("sales").unwrap().overflow = to("support");
    let mut bench = Bench::new(config);
    let decisions = ask(&mut bench, "ana", &[]);
    assert_eq!(&*place(&decisions).queue, "sales");
    assert!(codes(&decisions).contains(&"overflow_in_a_circle"), "{decisions:?}");
}

#[test]
fn who_waits_too_long_is_called_back_let_go_or_sent_on() {
    for (then, name) in [
        (WaitEnd::Close, "conversation.closed"),
        (WaitEnd::Callback, "callback.scheduled"),
        (WaitEnd::Overflow("sales".into()), "conversation.overflowed"),
    ] {
        let support =
            QueueSpec { max_wait: Some(MaxWait { after_seconds: 60, then }), ..QueueSpec::default() };
        let mut bench = Bench::new(with(support, &[]));
        ask(&mut bench, "ana", &[]);
        assert!(bench.pass(59).is_empty());
        assert_eq!(names(&bench.pass(1)), ["conversation.wait_timed_out", name]);
        assert!(bench.pass(600).is_empty(), "it happens once");
    }
}

#[test]
fn a_closed_queue_offers_nothing_and_says_when_it_opens() {
    let at = |bench: &Bench, seconds: i64| Timestamp(bench.now + seconds * 1_000);
    let start = Bench::new(pool([]));
    let open = vec![(at(&start, 100), at(&start, 200)), (at(&start, 300), at(&start, 400))];
    let support = |closed| QueueSpec { open: Some(open.clone()), closed, ..QueueSpec::default() };
    let config = |closed| with(support(closed), &[("bo", agent(1, &[])), ("cy", seller(1))]);
    let mut bench = Bench::new(config(Closed::Wait));
    bench.online("bo");
    let decisions = ask(&mut bench, "ana", &[]);
    assert_eq!(place(&decisions).opens_at, Some(at(&start, 100)));
    assert!(codes(&decisions).contains(&"queue_closed"));
    assert_eq!(bench.holder("ana"), None);
    assert_eq!(names(&bench.pass(100)), ["reservation.created"]);
    bench.accept("bo");
    ask(&mut bench, "bea", &[]);
    bench.pass(150);
    let conversation = bench.open("ana");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(bench.holder("bea"), None, "closed again");
    bench.pass(50);
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"));
    let mut bench = Bench::new(config(Closed::Close));
    assert_eq!(names(&ask(&mut bench, "ana", &[])).last(), Some(&"conversation.closed"));
    let mut bench = Bench::new(config(Closed::Overflow("sales".into())));
    bench.online("cy");
    ask(&mut bench, "ana", &[]);
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
}

#[test]
fn the_last_agent_is_asked_first_for_a_while() {
    let sticky = Some(Sticky { remember_seconds: 3_600, wait_seconds: 30 });
    let support = QueueSpec { sticky, ..QueueSpec::default() };
    let mut bench = Bench::new(with(support, &[("bo", agent(1, &[])), ("cy", agent(1, &[]))]));
    bench.online("bo");
    ask(&mut bench, "ana", &[]);
    bench.accept("bo");
    let conversation = bench.open("ana");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    bench.online("cy");
    // Busy with another customer, for whom cy is not asked because bo has been idle longer.
    ask(&mut bench, "bea", &[]);
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"));
    bench.accept("bo");
    ask(&mut bench, "ana", &[]);
    assert_eq!(bench.holder("ana"), None, "cy is free, and not asked yet");
    bench.pass(29);
    assert_eq!(bench.holder("ana"), None);
    bench.pass(1);
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    // Who leaves is waited for no longer.
    bench.accept("cy");
    let conversation = bench.open("bea");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    ask(&mut bench, "bea", &[]);
    bench.accept("bo");
    let conversation = bench.open("ana");
    bench.act("cy", Action::Close { conversation, wrap_up: None });
    let mut other = inbound("bea", "orders");
    other.scope = "orders".into();
    bench.apply(&Entry::Inbound(other));
    let view = bench.machine.open_conversation(TENANT, "bea", "orders").unwrap();
    assert!(matches!(view.phase, PhaseView::Waiting { .. }), "kept for bo: {view:?}");
    let left = bench.presence("bo", crate::Presence::Away);
    assert_eq!(names(&left).last(), Some(&"reservation.created"), "{left:?}");
}

#[test]
fn those_who_wait_are_told_their_place_and_the_wait_to_expect() {
    let support = QueueSpec { announce_seconds: 20, ..QueueSpec::default() };
    let mut bench = Bench::new(with(support, &[("bo", agent(1, &[]))]));
    bench.online("bo");
    for contact in ["ana", "bea", "cleo", "dee"] {
        ask(&mut bench, contact, &[]);
    }
    for contact in ["ana", "bea"] {
        bench.accept("bo");
        bench.now += 60_000;
        let conversation = bench.open(contact);
        bench.act("bo", Action::Close { conversation, wrap_up: None });
    }
    bench.accept("bo");
    let told = bench.pass(20);
    let places: Vec<Place> = told
        .iter()
        .filter_map(|decision| match &decision.kind {
            Kind::PositionAnnounced { place } => Some(place.clone()),
            _ => None,
        })
        .collect();
    assert!(!places.is_empty(), "{told:?}");
    let last = places.last().unwrap();
    assert_eq!((last.position, last.waiting), (1, 1));
    assert_eq!(last.estimated_wait, Some(60), "one a minute is taken");
}

#[test]
fn a_callback_keeps_the_place_and_sleeps_until_its_time() {
    let support = QueueSpec { callback: true, announce_seconds: 10, ..QueueSpec::default() };
    let mut bench = Bench::new(with(support, &[("bo", agent(1, &[]))]));
    ask(&mut bench, "ana", &[]);
    bench.now += 5_000;
    ask(&mut bench, "bea", &[]);
    let call = |id: &str, not_before: Option<i64>, cancel| {
        Entry::Callback(Callback {
            tenant: TENANT.into(),
            contact: "ana".into(),
            scope: "default".into(),
            command_id: id.into(),
            address: None,
            not_before: not_before.map(Timestamp),
            cancel,
        })
    };
    let decisions = bench.apply(&call("c1", None, false));
    assert_eq!(names(&decisions), ["command.accepted", "callback.scheduled"]);
    assert_eq!(place(&decisions).position, 1, "it keeps its place");
    assert_eq!(names(&bench.apply(&call("c1", None, false))), ["entry.duplicate"]);
    let told = bench.pass(10);
    assert_eq!(told.len(), 1, "who is called back is told no place: {told:?}");
    let decisions = bench.apply(&call("c2", Some(bench.now + 60_000), false));
    assert_eq!(names(&decisions)[1], "callback.scheduled");
    bench.online("bo");
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"), "ana sleeps");
    bench.accept("bo");
    let conversation = bench.open("bea");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(bench.holder("ana"), None);
    let decisions = bench.pass(60);
    let Some(Kind::ReservationCreated { purpose, .. }) =
        decisions.iter().map(|decision| &decision.kind).find(|kind| kind.name() == "reservation.created")
    else {
        panic!("{decisions:?}")
    };
    assert_eq!(*purpose, crate::Purpose::Callback);
    assert_eq!(names(&bench.apply(&call("c3", None, true))), ["command.refused"], "it rings");
    let view = bench.machine.open_conversation(TENANT, "ana", "default").unwrap();
    assert!(matches!(view.phase, PhaseView::Reserved { .. }) && view.callback.is_some());
}

#[test]
fn callbacks_are_not_offered_where_the_queue_has_none_and_who_leaves_is_let_go() {
    let mut bench = Bench::new(with(QueueSpec::default(), &[("bo", agent(1, &[]))]));
    let call = Callback {
        tenant: TENANT.into(),
        contact: "ana".into(),
        scope: "default".into(),
        command_id: "c1".into(),
        address: None,
        not_before: None,
        cancel: false,
    };
    let refused = bench.apply(&Entry::Callback(call.clone()));
    assert_eq!(super::refusal(&refused).0, "conversation_not_open");
    ask(&mut bench, "ana", &[]);
    let refused = bench.apply(&Entry::Callback(Callback { command_id: "c2".into(), ..call }));
    assert_eq!(super::refusal(&refused).0, "callback_not_offered");
    let leave = |id: &str| {
        Entry::Abandon(crate::Abandon {
            tenant: TENANT.into(),
            contact: "ana".into(),
            scope: "default".into(),
            command_id: id.into(),
        })
    };
    bench.online("bo");
    let decisions = bench.apply(&leave("l1"));
    assert_eq!(names(&decisions), ["command.accepted", "reservation.rescinded", "conversation.closed"]);
    assert!(bench.agent("bo").reservations.is_empty());
    ask(&mut bench, "ana", &[]);
    bench.accept("bo");
    assert_eq!(super::refusal(&bench.apply(&leave("l2"))).0, "conversation_not_waiting");
}
