//! Consulting, supervising, bots, interruptions, and going when the work is done.

use super::{Bench, TENANT, agent, inbound, names, needs, pool, refusal, to_agent};
use crate::{Action, AgentSpec, Entry, Kind, PoolConfig, Presence, Target, Text};

/// `bo` has ana's conversation; `cy` speaks french; `eve` supervises.
fn desk() -> Bench {
    let eve = AgentSpec { supervisor: true, queues: [].into(), ..agent(1, &[]) };
    let mut bench =
        Bench::new(pool([("bo", agent(1, &[])), ("cy", agent(1, &[("french", 5)])), ("eve", eve)]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    for agent in ["cy", "eve"] {
        bench.online(agent);
    }
    bench
}

fn consult(bench: &Bench, to: Target) -> Action {
    Action::Consult { conversation: bench.open("ana"), to }
}

#[test]
fn a_colleague_advises_holds_capacity_and_may_take_over() {
    let mut bench = desk();
    let french = Target::Skills(needs(&[("french", 3)]));
    let asked = bench.act("bo", consult(&bench, french));
    assert_eq!(names(&asked), ["command.accepted", "reservation.created"]);
    assert_eq!(bench.agent("cy").reservations[0].purpose, crate::Purpose::Consult);
    assert_eq!(refusal(&bench.act("bo", consult(&bench, to_agent("eve")))).0, "consult_under_way");
    bench.write("bea");
    assert_eq!(bench.holder("bea"), None, "cy's only place is held");
    assert_eq!(names(&bench.accept("cy")), ["command.accepted", "reservation.accepted", "consult.started"]);
    assert_eq!(bench.agent("cy").consults, [bench.open("ana")]);
    let reply = Action::Reply { conversation: bench.open("ana"), message_id: "r".into(), address: None };
    assert_eq!(refusal(&bench.act("cy", reply)).0, "conversation_of_another_agent");
    let conversation = bench.open("ana");
    let passed = bench.act("bo", Action::Transfer { conversation, to: to_agent("cy") });
    assert_eq!(
        names(&passed),
        [
            "command.accepted",
            "conversation.transferred",
            "consult.ended",
            "conversation.assigned",
            "reservation.created"
        ],
        "bo is free for bea"
    );
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
    assert_eq!(bench.holder("bea").as_deref(), Some("bo"));
}

#[test]
fn a_consultation_ends_with_either_side_and_rings_out() {
    for end in ["bo", "cy"] {
        let mut bench = desk();
        bench.act("bo", consult(&bench, to_agent("cy")));
        bench.accept("cy");
        let conversation = bench.open("ana");
        let ended = bench.act(end, Action::EndConsult { conversation });
        assert_eq!(names(&ended), ["command.accepted", "consult.ended"]);
        assert!(bench.agent("cy").consults.is_empty());
    }
    let mut bench = desk();
    bench.act("bo", consult(&bench, to_agent("cy")));
    let decisions = bench.pass(20);
    assert_eq!(names(&decisions), ["reservation.timed_out", "consult.ended", "agent.presence_changed"]);
    assert_eq!(bench.holder("ana").as_deref(), Some("bo"), "the conversation stays where it is");
    let mut bench = desk();
    bench.act("bo", consult(&bench, to_agent("cy")));
    let conversation = bench.open("ana");
    let closed = bench.act("bo", Action::Close { conversation: conversation.clone(), wrap_up: None });
    assert_eq!(
        names(&closed),
        ["command.accepted", "reservation.rescinded", "consult.ended", "conversation.closed"]
    );
    assert_eq!(refusal(&bench.act("bo", Action::EndConsult { conversation })).0, "conversation_not_open");
}

#[test]
fn supervisors_assign_pull_join_and_send_people_away() {
    let mut bench = desk();
    let conversation = bench.open("ana");
    let join = Action::Join { conversation: conversation.clone() };
    assert_eq!(refusal(&bench.act("cy", join.clone())).0, "not_supervisor");
    assert_eq!(names(&bench.act("eve", join.clone())), ["command.accepted", "supervisor.joined"]);
    assert_eq!(refusal(&bench.act("eve", join)).0, "already_joined");
    let reply = Action::Reply { conversation: conversation.clone(), message_id: "r".into(), address: None };
    assert_eq!(names(&bench.act("eve", reply)), ["command.accepted", "message.accepted"]);
    let assign = Action::Assign { conversation: conversation.clone(), to: to_agent("cy") };
    assert_eq!(
        names(&bench.act("eve", assign)),
        ["command.accepted", "conversation.transferred", "supervisor.left", "conversation.assigned"],
        "without ringing"
    );
    let pull = Action::Pull { conversation: conversation.clone() };
    bench.act("eve", pull);
    assert_eq!(bench.holder("ana").as_deref(), Some("eve"));
    bench.write("bea");
    bench.write("cleo");
    bench.write("dee");
    let waits = bench.open("dee");
    assert_eq!(bench.holder("dee"), None);
    let full = Action::Pull { conversation: waits.clone() };
    assert_eq!(refusal(&bench.act("eve", full)).0, "target_unavailable", "nobody carries more than they can");
    let first = bench.act("eve", Action::Prioritize { conversation: waits, priority: 9 });
    let Kind::ConversationPrioritized { place: Some(place), .. } = &first[1].kind else {
        panic!("{first:?}")
    };
    assert_eq!(place.position, 1);
    let away = Action::SetAgentPresence { agent: "bo".into(), presence: Presence::Away };
    let sent = bench.act("eve", away);
    assert_eq!(names(&sent)[1], "agent.presence_changed");
    assert_eq!(bench.agent("bo").presence, Presence::Away);
}

#[test]
fn who_goes_when_done_takes_no_more_and_goes() {
    let mut bench = desk();
    let go = Action::SetPresence { presence: Presence::Offline, when_done: true };
    bench.act("bo", go);
    assert_eq!(
        (bench.agent("bo").presence, bench.agent("bo").when_done),
        (Presence::Away, Some(Presence::Offline))
    );
    let conversation = bench.open("ana");
    let closed = bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(names(&closed), ["command.accepted", "conversation.closed", "agent.presence_changed"]);
    assert_eq!(bench.agent("bo").presence, Presence::Offline);
    assert!(bench.machine.next_due().is_some());
}

#[test]
fn a_bot_takes_at_once_and_hands_over() {
    let bot = AgentSpec { auto_accept: true, ..agent(1_000, &[]) };
    let person = AgentSpec { queues: [("people".into(), 1)].into(), ..agent(1, &[]) };
    let mut config = pool([("bot", bot), ("cy", person)]);
    config.queues.insert("people".into(), crate::QueueSpec::default());
    let mut bench = Bench::new(config);
    bench.online("bot");
    bench.online("cy");
    let opened = bench.write("ana");
    assert_eq!(
        names(&opened)[2..],
        ["conversation.queued", "reservation.created", "reservation.accepted", "conversation.assigned"]
    );
    let to = Target::Queue("people".into());
    let passed = bench.act("bot", Action::Transfer { conversation: bench.open("ana"), to });
    assert_eq!(names(&passed).last(), Some(&"reservation.created"));
    assert_eq!(bench.holder("ana").as_deref(), Some("cy"));
}

#[test]
fn a_call_may_interrupt_chats_and_nothing_joins_while_it_lasts() {
    let spec = AgentSpec {
        capacity: [("chat".into(), 3), ("voice".into(), 1)].into(),
        total: Some(3),
        ..agent(0, &[])
    };
    let config = PoolConfig {
        classes: [("voice".into(), "voice".into())].into(),
        weights: [("voice".into(), 3)].into(),
        interrupts: [("voice".into(), ["chat".into()].into())].into(),
        ..pool([("bo", spec)])
    };
    let mut bench = Bench::new(config);
    bench.online("bo");
    let on = |channel: &str, contact: &str| {
        let mut message = inbound(contact, &format!("m-{contact}"));
        message.address.channel = channel.into();
        Entry::Inbound(message)
    };
    let who = |bench: &Bench| -> Vec<Text> { bench.agent("bo").assigned };
    for (channel, contact) in [("webchat", "a"), ("webchat", "b"), ("voice", "c"), ("webchat", "d")] {
        bench.apply(&on(channel, contact));
        if !bench.agent("bo").reservations.is_empty() {
            bench.accept("bo");
        }
    }
    assert_eq!(who(&bench).len(), 3, "two chats and the call");
    assert_eq!(bench.holder("d"), None, "no chat while the call lasts");
    let conversation = bench.open("c");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(bench.holder("d").as_deref(), Some("bo"));
    assert!(bench.machine.queue(TENANT, "support").is_some());
}
