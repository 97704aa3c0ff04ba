//! Offers: accepted, rejected, rung out, withdrawn, passed on; and every refusal's words.

use super::{Bench, TENANT, agent, inbound, names, pool, refusal, to_agent};
use crate::{Action, Entry, Kind, PhaseView, Presence};

#[test]
fn an_accepted_offer_is_assigned() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    let offered = bench.write("ana");
    let Kind::ReservationCreated { reservation, expires_at, .. } = &offered[3].kind else {
        panic!("{offered:?}")
    };
    assert!(reservation.starts_with("rsv_"));
    assert_eq!(expires_at.0, bench.now + 20_000);
    let decisions = bench.act("bo", Action::Accept { reservation: reservation.clone() });
    assert_eq!(names(&decisions), ["command.accepted", "reservation.accepted", "conversation.assigned"]);
    assert_eq!(decisions[2].conversation, offered[0].conversation);
    assert_eq!(bench.agent("bo").assigned, [bench.open("ana")]);
    assert!(bench.pass(59).is_empty(), "it rings no more");
}

#[test]
fn a_rejected_offer_goes_to_another_and_comes_back_after_the_cool_off() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[])), ("cy", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    let reservation = bench.agent("bo").reservations[0].reservation.clone();
    let reject = Action::Reject { reservation, reason: Some("busy".into()) };
    let decisions = bench.act("bo", reject);
    assert_eq!(names(&decisions), ["command.accepted", "reservation.rejected", "conversation.requeued"]);
    assert_eq!(bench.agent("bo").presence, Presence::Online);
    bench.write("bea");
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"), "other work is offered");
    bench.online("cy");
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    let reservation = bench.agent("cy").reservations[0].reservation.clone();
    bench.act("cy", Action::Reject { reservation, reason: None });
    bench.accept("bo");
    let conversation = bench.open("bea");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(bench.holder("ana"), None);
    let again = bench.pass(31);
    assert_eq!(names(&again), ["reservation.created"]);
    assert_eq!(bench.holder("ana").as_deref(), Some("bo"));
}

#[test]
fn an_offer_that_rings_out_sends_the_agent_away_and_keeps_its_place() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[])), ("cy", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    for contact in ["bea", "cleo"] {
        bench.now += 1_000;
        bench.write(contact);
    }
    let id = bench.agent("bo").reservations[0].reservation.clone();
    let decisions = bench.pass(20);
    assert_eq!(
        names(&decisions),
        ["reservation.timed_out", "agent.presence_changed", "conversation.requeued"]
    );
    let Kind::ConversationRequeued { place, agent } = &decisions[2].kind else { panic!("{decisions:?}") };
    assert_eq!((place.position, place.waiting, place.no_agent_online, &**agent), (1, 3, true, "bo"));
    assert_eq!(bench.agent("bo").presence, Presence::Away);
    let late = bench.act("bo", Action::Accept { reservation: id });
    assert_eq!(refusal(&late), ("reservation_expired".into(), "reservation expired".into()));
    bench.online("cy");
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    bench.online("bo");
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"), "back online, RONA is forgiven");
}

#[test]
fn a_released_conversation_waits_in_its_place_and_not_for_who_released_it() {
    let mut bench = Bench::new(pool([("bo", agent(2, &[])), ("cy", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    let decisions = bench.act("bo", Action::Release { conversation });
    assert_eq!(names(&decisions), ["command.accepted", "conversation.requeued"]);
    bench.online("cy");
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
}

#[test]
fn a_transfer_rings_at_the_agent_named_and_falls_back_to_the_queue() {
    let mut other = agent(1, &[]);
    other.queues.clear();
    let mut bench = Bench::new(pool([("bo", agent(1, &[])), ("cy", other), ("di", agent(0, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    let transfer = |to: &str| Action::Transfer { conversation: conversation.clone(), to: to_agent(to) };
    bench.online("di");
    for (to, code) in [
        ("bo", "transfer_to_self"),
        ("nobody", "unknown_agent"),
        ("cy", "target_unavailable"),
        ("di", "target_unavailable"),
    ] {
        assert_eq!(refusal(&bench.act("bo", transfer(to))).0, code, "{to}");
    }
    bench.online("cy");
    let decisions = bench.act("bo", transfer("cy"));
    assert_eq!(names(&decisions), ["command.accepted", "conversation.transferred", "reservation.created"]);
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    let reservation = bench.agent("cy").reservations[0].reservation.clone();
    let decisions = bench.act("cy", Action::Reject { reservation, reason: None });
    assert_eq!(names(&decisions)[1..], ["reservation.rejected", "conversation.requeued"]);
    let view = bench.machine.open_conversation(TENANT, "ana", "default").unwrap();
    assert!(matches!(view.phase, PhaseView::Waiting { position: 1, .. }));
}

#[test]
fn refusals_say_what_is_wrong_and_change_nothing() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[])), ("cy", agent(1, &[])), ("di", agent(0, &[]))]));
    for agent in ["bo", "cy", "di"] {
        bench.online(agent);
    }
    bench.write("assigned");
    bench.accept("bo");
    bench.write("ringing");
    bench.write("waiting");
    let ringing = bench.agent("cy").reservations[0].reservation.clone();
    let (assigned, offered, waiting) = (bench.open("assigned"), bench.open("ringing"), bench.open("waiting"));
    let reply = |conversation: &str| Action::Reply {
        conversation: conversation.into(),
        message_id: "m".into(),
        address: None,
    };
    let close = |conversation: &str| Action::Close { conversation: conversation.into(), wrap_up: None };
    let finish =
        |conversation: &str| Action::FinishWrapUp { conversation: conversation.into(), wrap_up: None };
    let cases = [
        ("nobody", Action::Heartbeat, "unknown_agent", "agent is not configured"),
        (
            "bo",
            Action::Accept { reservation: ringing.clone() },
            "reservation_of_another_agent",
            "reservation offered to another agent",
        ),
        (
            "bo",
            Action::Reject { reservation: "rsv_x".into(), reason: None },
            "reservation_expired",
            "reservation expired",
        ),
        ("cy", reply(&assigned), "conversation_of_another_agent", "conversation assigned to another agent"),
        ("cy", close(&assigned), "conversation_of_another_agent", "conversation assigned to another agent"),
        ("cy", reply(&offered), "conversation_not_assigned", "conversation is not assigned"),
        ("cy", close(&waiting), "conversation_not_assigned", "conversation is not assigned"),
        ("bo", reply("cnv_x"), "conversation_not_open", "conversation is not open"),
        ("bo", finish(&assigned), "conversation_not_in_wrap_up", "conversation is not in wrap-up"),
        (
            "di",
            Action::Release { conversation: assigned.clone() },
            "conversation_of_another_agent",
            "conversation assigned to another agent",
        ),
    ];
    let before = bench.machine.pool(TENANT).unwrap().0.conversations.clone();
    for (agent, action, code, message) in cases {
        let refused = refusal(&bench.act(agent, action.clone()));
        assert_eq!(refused, (code.into(), message.into()), "{agent} {action:?}");
    }
    assert_eq!(bench.machine.pool(TENANT).unwrap().0.conversations, before);
    bench.presence("di", Presence::Offline);
    assert_eq!(
        refusal(&bench.act("di", Action::Heartbeat)),
        ("agent_offline".into(), "agent is offline".into())
    );
}

#[test]
fn a_reply_seen_before_is_not_sent_twice() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    let reply = Action::Reply { conversation, message_id: "answer".into(), address: None };
    assert_eq!(names(&bench.act("bo", reply.clone())), ["command.accepted", "message.accepted"]);
    assert_eq!(names(&bench.act("bo", reply)), ["command.accepted", "entry.duplicate"]);
}

#[test]
fn work_waits_for_the_better_suited_agent_only_while_nobody_else_may_take_it() {
    // Two agents come free for two pieces of work at once: priority decides first, then who is best for it.
    let mut config = pool([("bo", agent(1, &[("french", 9)])), ("cy", agent(1, &[]))]);
    config.liveness_seconds = 600;
    let mut bench = Bench::new(config.clone());
    let mut french = inbound("fr", "m1");
    french.preferred = vec![crate::Skill::new("french", 1)];
    bench.now += 1;
    bench.write("plain");
    bench.now += 1;
    bench.apply(&Entry::Inbound(french));
    config.agents.values_mut().for_each(|spec| spec.queues.clear());
    bench.apply(&super::configure(config.clone()));
    bench.online("cy");
    bench.now += 1;
    bench.online("bo");
    config.agents.values_mut().for_each(|spec| spec.queues = [("support".into(), 1)].into());
    bench.apply(&super::configure(config));
    assert_eq!(bench.holder("plain").as_deref(), Some("cy"));
    assert_eq!(bench.holder("fr").as_deref(), Some("bo"));
}
