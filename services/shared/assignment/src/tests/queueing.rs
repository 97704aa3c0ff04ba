//! Who is chosen, and what waits where.

use super::{Bench, TENANT, agent, configure, inbound, names, needs, pool, refusal, skills};
use crate::{
    Action, AgentSpec, Decision, Entry, Kind, PhaseView, Place, PoolConfig, Presence, QueueSpec, Target,
    index::LANES,
};

fn ask(
    bench: &mut Bench,
    contact: &str,
    required: &[(&str, u8)],
    preferred: &[(&str, u8)],
    priority: i32,
) -> Vec<Decision> {
    let mut message = inbound(contact, &format!("m-{contact}"));
    message.required = needs(required);
    message.preferred = skills(preferred);
    message.priority = priority;
    bench.apply(&Entry::Inbound(message))
}

#[test]
fn the_choice_of_agent() {
    /// What is wanted, who of `bo`, `cy` and `di` went online in this order, and who gets it.
    type Case = (
        &'static str,
        &'static [(&'static str, u8)],
        &'static [(&'static str, u8)],
        &'static [&'static str],
        Option<&'static str>,
    );
    let cases: &[Case] = &[
        ("longest idle first", &[], &[], &["cy", "bo", "di"], Some("cy")),
        ("skill at its level", &[("french", 5)], &[], &["bo", "cy", "di"], Some("di")),
        ("any level of a skill", &[("french", 1)], &[], &["cy", "bo", "di"], Some("cy")),
        ("all skills", &[("french", 1), ("billing", 1)], &[], &["bo", "cy", "di"], Some("cy")),
        ("nobody at that level", &[("french", 9)], &[], &["bo", "cy", "di"], None),
        ("nobody with that skill", &[("welsh", 1)], &[], &["bo", "cy", "di"], None),
        ("best level of a preferred skill", &[], &[("french", 1)], &["bo", "cy", "di"], Some("di")),
        (
            "preferred at its level only",
            &[],
            &[("billing", 4), ("french", 3)],
            &["bo", "cy", "di"],
            Some("di"),
        ),
        ("a preferred skill nobody has", &[], &[("welsh", 1)], &["di", "cy", "bo"], Some("di")),
    ];
    for (name, required, preferred, online, expected) in cases {
        let mut bench = Bench::new(pool([
            ("bo", agent(1, &[])),
            ("cy", agent(1, &[("french", 3), ("billing", 3)])),
            ("di", agent(1, &[("french", 8)])),
        ]));
        for agent in *online {
            bench.now += 1_000;
            bench.online(agent);
        }
        ask(&mut bench, "ana", required, preferred, 0);
        assert_eq!(bench.holder("ana").as_deref(), *expected, "{name}");
    }
}

#[test]
fn equally_idle_agents_take_turns_in_the_order_of_the_log() {
    let mut bench = Bench::new(pool([("bo", agent(5, &[])), ("cy", agent(5, &[])), ("di", agent(5, &[]))]));
    for agent in ["di", "cy", "bo"] {
        bench.online(agent);
    }
    let mut chosen = Vec::new();
    for contact in ["a", "b", "c", "d"] {
        bench.now += 1_000;
        bench.write(contact);
        chosen.push(bench.holder(contact).unwrap());
    }
    assert_eq!(chosen, ["di", "cy", "bo", "di"]);
}

#[test]
fn the_choice_says_why() {
    let mut bench = Bench::new(pool([
        ("bo", agent(1, &[("french", 4)])),
        ("cy", agent(1, &[])),
        ("di", agent(1, &[("french", 2)])),
    ]));
    for agent in ["bo", "cy"] {
        bench.online(agent);
    }
    let decisions = ask(&mut bench, "ana", &[], &[("french", 2)], 0);
    let Decision { kind: Kind::ReservationCreated { choice: Some(choice), .. }, reasons, .. } = &decisions[3]
    else {
        panic!("{decisions:?}")
    };
    assert_eq!((choice.candidates, choice.eligible, choice.score), (2, 2, 4));
    assert_eq!(
        reasons.iter().map(|reason| &*reason.code).collect::<Vec<_>>(),
        ["best_score", "longest_idle"]
    );
}

#[test]
fn a_free_agent_takes_priority_first_then_arrival_over_all_their_queues() {
    let mut both = agent(1, &[]);
    both.queues.insert("sales".into(), 1);
    let mut bench = Bench::new(pool([("bo", both)]));
    for (contact, queue, priority) in
        [("a", "support", 1), ("b", "sales", 1), ("c", "support", 9), ("d", "sales", 9), ("e", "other", 99)]
    {
        bench.now += 1_000;
        let mut message = inbound(contact, contact);
        message.queue = queue.into();
        message.priority = priority;
        bench.apply(&Entry::Inbound(message));
    }
    bench.online("bo");
    let mut order = Vec::new();
    for _ in 0..4 {
        let reservation = &bench.agent("bo").reservations[0];
        let view = bench.machine.conversation(TENANT, &reservation.conversation).unwrap();
        order.push(view.about.contact.to_string());
        bench.accept("bo");
        bench.act("bo", Action::Close { conversation: view.about.id, wrap_up: None });
    }
    assert_eq!(order, ["c", "d", "a", "b"]);
    assert!(bench.agent("bo").reservations.is_empty(), "another queue's work is not theirs");
}

#[test]
fn capacity_is_by_class_and_by_weight() {
    let spec = AgentSpec {
        queues: [("support".into(), 1)].into(),
        capacity: [("chat".into(), 5), ("voice".into(), 1), ("async".into(), 10)].into(),
        total: Some(10),
        ..AgentSpec::default()
    };
    let config = PoolConfig {
        classes: [("voice".into(), "voice".into()), ("email".into(), "async".into())].into(),
        weights: [("voice".into(), 10), ("chat".into(), 2)].into(),
        ..pool([("bo", spec)])
    };
    // Channels written on in this order, and how many of them ring.
    let cases: &[(&[&str], usize)] = &[
        (&["voice", "webchat", "email"], 1),
        (&["webchat", "voice"], 1),
        (&["webchat"; 6], 5),
        (&["email"; 12], 10),
        (&["webchat", "email", "email", "webchat", "webchat", "webchat", "email"], 6),
    ];
    for (channels, expected) in cases {
        let mut bench = Bench::new(config.clone());
        bench.online("bo");
        for (at, channel) in channels.iter().enumerate() {
            let mut message = inbound(&format!("contact-{at}"), &format!("m{at}"));
            message.address.channel = (*channel).into();
            bench.apply(&Entry::Inbound(message));
        }
        assert_eq!(bench.agent("bo").reservations.len(), *expected, "{channels:?}");
    }
}

#[test]
fn the_place_is_told_and_whether_anyone_is_there() {
    let mut bench = Bench::new(pool([("bo", agent(0, &[]))]));
    let place = |decisions: &[Decision]| match &decisions[2].kind {
        Kind::ConversationQueued { place, .. } => place.clone(),
        other => panic!("{other:?}"),
    };
    let expected = |position, waiting, no_agent_online| Place {
        queue: "support".into(),
        position,
        waiting,
        no_agent_online,
        estimated_wait: None,
        opens_at: None,
    };
    assert_eq!(place(&ask(&mut bench, "a", &[], &[], 0)), expected(1, 1, true));
    assert_eq!(place(&ask(&mut bench, "b", &[], &[], 0)), expected(2, 2, true));
    bench.online("bo");
    assert_eq!(place(&ask(&mut bench, "c", &[], &[], 5)), expected(1, 3, false));
    assert_eq!(place(&ask(&mut bench, "d", &[("welsh", 1)], &[], 0)), expected(4, 4, false));
    bench.act("bo", Action::Disconnected);
    assert_eq!(place(&ask(&mut bench, "e", &[], &[], 2)), expected(2, 5, true));
    let summary = bench.machine.queue(TENANT, "support").unwrap();
    assert_eq!((summary.waiting, summary.agents_online), (5, 0));
    assert_eq!(summary.oldest.unwrap().0, bench.now);
    let view = bench.machine.open_conversation(TENANT, "a", "default").unwrap();
    assert!(matches!(view.phase, PhaseView::Waiting { position: 3, .. }), "{view:?}");
}

#[test]
fn a_new_configuration_is_looked_at_for_what_waits_and_what_rings() {
    let mut bench = Bench::new(pool([("bo", agent(2, &[]))]));
    bench.online("bo");
    ask(&mut bench, "a", &[("french", 5)], &[], 0);
    assert_eq!(bench.holder("a"), None);
    let skilled = pool([("bo", agent(2, &[("french", 5)]))]);
    assert_eq!(names(&bench.apply(&configure(skilled.clone()))), ["reservation.created"]);
    assert!(bench.apply(&configure(skilled)).is_empty(), "nothing changed");
    bench.write("b");
    let decisions = bench.apply(&configure(pool([("bo", agent(1, &[]))])));
    assert_eq!(
        names(&decisions),
        ["reservation.rescinded", "conversation.requeued"],
        "the skill is gone, one is too many"
    );
    assert_eq!(bench.holder("b").as_deref(), Some("bo"));
    bench.accept("bo");
    let decisions = bench.apply(&configure(pool([("cy", agent(1, &[]))])));
    assert_eq!(names(&decisions), ["agent.presence_changed", "conversation.requeued"]);
    assert_eq!(decisions[1].reasons[0].code, "agent_removed");
    bench.online("cy");
    assert_eq!(bench.holder("b").as_deref(), Some("cy"));
}

#[test]
fn queue_defaults_join_the_skills_wanted_and_unknown_queues_still_queue() {
    let mut config = pool([]);
    let spec = QueueSpec { required: needs(&[("french", 3), ("billing", 2)]), ..QueueSpec::default() };
    config.queues.insert("support".into(), spec);
    let mut bench = Bench::new(config);
    let decisions = ask(&mut bench, "a", &[("french", 2), ("billing", 5)], &[], 0);
    let Kind::ConversationQueued { required, .. } = &decisions[2].kind else { panic!("{decisions:?}") };
    assert_eq!(*required, needs(&[("billing", 5), ("french", 3)]));
    let mut message = inbound("b", "m");
    message.queue = "nowhere".into();
    let decisions = bench.apply(&Entry::Inbound(message));
    assert_eq!(names(&decisions)[2], "conversation.queued");
    assert_eq!(decisions[2].reasons[0].code, "unknown_queue");
}

#[test]
fn a_transfer_to_a_queue_takes_its_skills_and_keeps_the_arrival() {
    let mut seller = agent(1, &[("selling", 5)]);
    seller.queues = [("sales".into(), 1)].into();
    let mut config = pool([("bo", agent(1, &[])), ("cy", seller)]);
    config
        .queues
        .insert("sales".into(), QueueSpec { required: needs(&[("selling", 2)]), ..QueueSpec::default() });
    let mut bench = Bench::new(config);
    bench.online("bo");
    bench.write("a");
    bench.accept("bo");
    bench.now += 60_000;
    let mut later = inbound("b", "m");
    later.queue = "sales".into();
    bench.apply(&Entry::Inbound(later));
    let conversation = bench.open("a");
    let transfer = |to| Action::Transfer { conversation: conversation.clone(), to };
    assert_eq!(refusal(&bench.act("bo", transfer(Target::Queue("nowhere".into())))).0, "unknown_queue");
    let decisions = bench.act("bo", transfer(Target::Queue("sales".into())));
    assert_eq!(names(&decisions), ["command.accepted", "conversation.transferred", "conversation.requeued"]);
    let Kind::ConversationRequeued { place, .. } = &decisions[2].kind else { panic!("{decisions:?}") };
    assert_eq!((&*place.queue, place.position, place.waiting), ("sales", 1, 2));
    bench.presence("cy", Presence::Online);
    assert_eq!(bench.holder("a").as_deref(), Some("cy"));
}

#[test]
fn profiles_seen_once_do_not_pile_up() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[("s0", 5)]))]));
    bench.online("bo");
    ask(&mut bench, "waiting", &[("welsh", 1)], &[], 0);
    for n in 0..LANES + 20 {
        ask(&mut bench, &format!("c{n}"), &[], &[(&format!("s{n}"), 1)], 0);
        let reservation = bench.agent("bo").reservations[0].clone();
        bench.accept("bo");
        bench.act("bo", Action::Close { conversation: reservation.conversation, wrap_up: None });
    }
    assert!(bench.machine.pool(TENANT).unwrap().1.lanes() <= LANES);
    bench.apply(&configure(pool([("bo", agent(1, &[("welsh", 5)]))])));
    assert_eq!(bench.holder("waiting").as_deref(), Some("bo"));
}
