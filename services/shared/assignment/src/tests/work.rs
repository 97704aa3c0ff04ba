//! Conversations: opened once, continued, closed; duplicates; business-initiated messages.

use super::{Bench, address, agent, command, inbound, names, pool, refusal, send};
use crate::{Action, Decision, Entry, Inbound, Kind, PhaseView, Presence, QueueSpec, Sender, tests::TENANT};

#[test]
fn first_message_opens_and_the_next_ones_continue() {
    let mut bench = Bench::new(pool([]));
    let first = bench.write("ana");
    assert_eq!(names(&first), ["conversation.opened", "message.received", "conversation.queued"]);
    let about = first[0].conversation.as_deref().unwrap();
    assert_eq!((&*about.contact, &*about.address.channel), ("ana", "webchat"));
    assert!(about.id.starts_with("cnv_"));
    for _ in 0..99 {
        let next = bench.write("ana");
        assert_eq!(names(&next), ["message.received"]);
        assert_eq!(next[0].conversation, first[0].conversation);
    }
    assert_eq!(bench.machine.open_count(TENANT), 1);
    assert_eq!(first.iter().map(|decision| decision.index).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn scopes_and_tenants_have_conversations_of_their_own() {
    let mut bench = Bench::new(pool([]));
    let mut ids = std::collections::BTreeSet::new();
    for (at, (tenant, scope)) in
        [("acme", "default"), ("acme", "orders"), ("other", "default")].into_iter().enumerate()
    {
        let mut message = inbound("ana", &format!("m{at}"));
        message.tenant = tenant.into();
        message.scope = scope.into();
        let decisions = bench.apply(&Entry::Inbound(message));
        assert_eq!(&*decisions[0].tenant, tenant);
        ids.insert(decisions[0].conversation.clone().unwrap().id.clone());
    }
    assert_eq!(ids.len(), 3);
    let id = bench.open("ana");
    assert!(bench.machine.conversation("acme", &id).is_some());
    assert!(bench.machine.conversation("other", &id).is_none());
}

#[test]
fn the_reply_address_is_the_last_inbound_one() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let mut message = inbound("ana", "by-sms");
    message.address = address("sms", "+1555");
    bench.apply(&Entry::Inbound(message));
    let conversation = bench.open("ana");
    let decisions =
        bench.act("bo", Action::Reply { conversation, message_id: "answer".into(), address: None });
    assert_eq!(names(&decisions), ["command.accepted", "message.accepted"]);
    let Kind::MessageAccepted { address: to, sender, .. } = &decisions[1].kind else {
        panic!("{decisions:?}")
    };
    assert_eq!(*to, address("sms", "+1555"));
    assert_eq!(*sender, Sender::Agent("bo".into()));
}

#[test]
fn a_reply_goes_where_it_says_and_the_next_one_where_the_customer_wrote_from() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    for (message, asked, wanted) in [
        ("m1", Some(address("email", "ana@x")), address("email", "ana@x")),
        ("m2", None, address("webchat", "ana")),
    ] {
        let reply =
            Action::Reply { conversation: conversation.clone(), message_id: message.into(), address: asked };
        let decisions = bench.act("bo", reply);
        let Kind::MessageAccepted { address: to, .. } = &decisions[1].kind else { panic!("{decisions:?}") };
        assert_eq!(*to, wanted);
    }
}

/// A message that asks for no agent.
fn word(contact: &str, message: &str) -> Entry {
    Entry::Inbound(Inbound { unattended: true, ..inbound(contact, message) })
}

#[test]
fn a_word_for_the_system_is_recorded_and_rings_nobody() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    let decisions = bench.apply(&word("ana", "m1"));
    assert_eq!(names(&decisions), ["conversation.opened", "message.received"]);
    assert_eq!(decisions[1].reasons[0].code, "unattended");
    assert_eq!(bench.holder("ana"), None);
    assert_eq!(names(&bench.apply(&word("ana", "m1"))), ["entry.duplicate"]);
    assert_eq!(names(&bench.apply(&word("ana", "m2"))), ["message.received"]);
    let asked = bench.write("ana");
    assert_eq!(names(&asked), ["message.received", "conversation.queued", "reservation.created"]);
    bench.accept("bo");
    // In an agent's conversation the agent sees it, and keeps it.
    assert_eq!(names(&bench.apply(&word("ana", "m3"))), ["message.received"]);
    assert_eq!(bench.holder("ana").as_deref(), Some("bo"));
}

#[test]
fn a_word_for_the_system_leaves_a_wrap_up_alone() {
    let mut config = pool([("bo", agent(1, &[]))]);
    config.queues.insert("support".into(), QueueSpec { wrap_up_seconds: 30, ..QueueSpec::default() });
    let mut bench = Bench::new(config);
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert_eq!(names(&bench.apply(&word("ana", "stop"))), ["message.received"]);
    assert_eq!(names(&bench.pass(31)), ["conversation.closed"]);
}

#[test]
fn entries_of_an_older_program_are_read() {
    let mut old = serde_json::to_value(Entry::Inbound(inbound("ana", "m1"))).unwrap();
    old["inbound"].as_object_mut().unwrap().remove("unattended");
    let Entry::Inbound(read) = serde_json::from_value(old).unwrap() else { panic!("not inbound") };
    assert_eq!(read, inbound("ana", "m1"));
    let old = serde_json::json!({ "reply": { "conversation": "cnv_1", "message_id": "m1" } });
    let read: Action = serde_json::from_value(old).unwrap();
    assert!(matches!(read, Action::Reply { address: None, .. }));
}

#[test]
fn a_message_seen_before_changes_nothing_even_after_closing() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    let first = Entry::Inbound(inbound("ana", "m1"));
    bench.apply(&first);
    assert_eq!(names(&bench.apply(&first)), ["entry.duplicate"]);
    bench.accept("bo");
    let conversation = bench.open("ana");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    bench.pass(3 * 24 * 3_600);
    assert_eq!(names(&bench.apply(&first)), ["entry.duplicate"]);
    assert_eq!(bench.machine.open_count(TENANT), 0);
    assert_eq!(names(&bench.write("ana"))[0], "conversation.opened");
}

#[test]
fn the_last_thousand_messages_of_a_contact_are_known() {
    let mut bench = Bench::new(pool([]));
    for n in 0..1_000 {
        bench.apply(&Entry::Inbound(inbound("ana", &format!("m{n}"))));
    }
    assert_eq!(names(&bench.apply(&Entry::Inbound(inbound("ana", "m0")))), ["entry.duplicate"]);
    bench.apply(&Entry::Inbound(inbound("ana", "m1000")));
    assert_eq!(names(&bench.apply(&Entry::Inbound(inbound("ana", "m0")))), ["message.received"]);
}

#[test]
fn a_contact_gone_for_long_is_forgotten() {
    let mut bench = Bench::new(pool([]));
    bench.apply(&send("ana", "m1"));
    bench.pass(24 * 3_600);
    assert_eq!(bench.machine.open_count(TENANT), 0);
    assert_eq!(bench.machine.pool(TENANT).unwrap().0.contacts.len(), 1);
    bench.pass(9 * 24 * 3_600);
    assert_eq!(bench.machine.pool(TENANT).unwrap().0.contacts.len(), 0);
    assert_eq!(bench.machine.next_due(), None);
}

#[test]
fn a_command_seen_before_changes_nothing() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    let go = command("bo", "c1", Action::SetPresence { presence: Presence::Online, when_done: false });
    assert_eq!(names(&bench.apply(&go)), ["command.accepted", "agent.presence_changed"]);
    bench.presence("bo", Presence::Away);
    assert_eq!(names(&bench.apply(&go)), ["entry.duplicate"]);
    assert_eq!(bench.agent("bo").presence, Presence::Away);
}

#[test]
fn what_policy_denies_is_recorded_and_not_offered() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    let mut message = inbound("ana", "m1");
    message.policy_allowed = false;
    let decisions = bench.apply(&Entry::Inbound(message));
    assert_eq!(names(&decisions), ["conversation.opened", "message.received"]);
    assert_eq!(decisions[1].reasons[0].code, "policy_denied");
    assert_eq!(bench.holder("ana"), None);
    let allowed = bench.write("ana");
    assert_eq!(names(&allowed), ["message.received", "conversation.queued", "reservation.created"]);
}

#[test]
fn a_business_message_opens_without_queueing_and_the_answer_queues() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    let sent = bench.apply(&send("ana", "m1"));
    assert_eq!(names(&sent), ["command.accepted", "conversation.opened", "message.accepted"]);
    assert_eq!(names(&bench.apply(&send("ana", "m1"))), ["entry.duplicate"]);
    assert_eq!(
        bench.machine.open_conversation(TENANT, "ana", "default").unwrap().phase,
        PhaseView::Unassigned
    );
    let again = bench.apply(&send("ana", "m2"));
    assert_eq!(names(&again), ["command.accepted", "message.accepted"]);
    assert_eq!(again[1].conversation, sent[1].conversation);
    let answer = bench.write("ana");
    assert_eq!(names(&answer), ["message.received", "conversation.queued", "reservation.created"]);
}

#[test]
fn a_message_in_wrap_up_goes_on_with_the_same_agent() {
    let mut config = pool([("bo", agent(1, &[]))]);
    config.queues.insert("support".into(), QueueSpec { wrap_up_seconds: 30, ..QueueSpec::default() });
    let mut bench = Bench::new(config);
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    let close = Action::Close { conversation: conversation.clone(), wrap_up: Some("solved".into()) };
    assert_eq!(names(&bench.act("bo", close.clone())), ["command.accepted", "conversation.wrap_up"]);
    assert_eq!(refusal(&bench.act("bo", close.clone())).0, "conversation_in_wrap_up");
    let decisions = bench.write("ana");
    assert_eq!(names(&decisions), ["message.received", "conversation.assigned"]);
    assert_eq!(bench.pass(31).len(), 0, "the wrap-up's timer is gone");
    bench.act("bo", close);
    bench.write("bea");
    assert_eq!(bench.holder("bea"), None, "wrap-up holds the agent's capacity");
    let finish = Action::FinishWrapUp { conversation, wrap_up: None };
    let decisions = bench.act("bo", finish.clone());
    assert_eq!(names(&decisions), ["command.accepted", "conversation.closed", "reservation.created"]);
    let Kind::ConversationClosed { wrap_up, .. } = &decisions[1].kind else { panic!("{decisions:?}") };
    assert_eq!(wrap_up.as_deref(), Some("solved"));
    assert_eq!(refusal(&bench.act("bo", finish)).0, "conversation_not_open");
}

#[test]
fn wrap_up_ends_by_itself() {
    let mut config = pool([("bo", agent(1, &[]))]);
    config.queues.insert("support".into(), QueueSpec { wrap_up_seconds: 30, ..QueueSpec::default() });
    let mut bench = Bench::new(config);
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    let conversation = bench.open("ana");
    bench.act("bo", Action::Close { conversation, wrap_up: None });
    assert!(bench.pass(29).is_empty());
    assert_eq!(names(&bench.pass(2)), ["conversation.closed"]);
}

#[test]
fn silence_closes_what_is_assigned_but_never_what_waits() {
    let mut bench = Bench::new(pool([("bo", agent(1, &[]))]));
    bench.online("bo");
    bench.write("ana");
    bench.accept("bo");
    bench.write("bea");
    let mut closed: Vec<Decision> = Vec::new();
    for _ in 0..48 * 60 {
        bench.act("bo", Action::Heartbeat);
        closed.extend(bench.pass(30));
    }
    assert_eq!(names(&closed)[..2], ["conversation.closed", "reservation.created"]);
    assert_eq!(closed[0].reasons[0].code, "inactivity");
    assert!(bench.machine.open_conversation(TENANT, "bea", "default").is_some());
}
