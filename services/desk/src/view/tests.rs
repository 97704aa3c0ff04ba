//! Who sees what.

use heliograph_proto::v1::{
    AgentProfile, CommandRefused, ConversationAssigned, ConversationClosed, ConversationQueued,
    ConversationRequeued, MessageDelivered, MessageReceived, ReservationAccepted, ReservationCreated,
    ReservationTimedOut, ReservationView,
};

use super::*;

fn ada(supervisor: bool) -> Identity {
    let profile = AgentProfile { queues: vec!["sales".to_owned()], ..AgentProfile::default() };
    Identity { tenant: "acme".to_owned(), agent: "ada".to_owned(), supervisor, profile, expires_at: 0 }
}

fn event(conversation: &str, kind: &str, payload: Payload) -> Event {
    Event {
        conversation: conversation.to_owned(),
        r#type: kind.to_owned(),
        region: "islands".to_owned(),
        payload: Some(payload),
        ..Event::default()
    }
}

fn message(conversation: &str) -> Event {
    event(conversation, "message.received", Payload::MessageReceived(MessageReceived::default()))
}

fn offered(conversation: &str, agent: &str) -> Event {
    let created = ReservationCreated { agent: agent.to_owned(), ..ReservationCreated::default() };
    event(conversation, "reservation.created", Payload::ReservationCreated(created))
}

fn accepted(conversation: &str, agent: &str) -> Event {
    let accepted = ReservationAccepted { agent: agent.to_owned(), ..ReservationAccepted::default() };
    event(conversation, "reservation.accepted", Payload::ReservationAccepted(accepted))
}

fn rang_out(conversation: &str, agent: &str) -> Event {
    let out = ReservationTimedOut { agent: agent.to_owned(), ..ReservationTimedOut::default() };
    event(conversation, "reservation.timed_out", Payload::ReservationTimedOut(out))
}

fn assigned(conversation: &str, agent: &str) -> Event {
    let assigned = ConversationAssigned { agent: agent.to_owned(), ..ConversationAssigned::default() };
    event(conversation, "conversation.assigned", Payload::ConversationAssigned(assigned))
}

fn requeued(conversation: &str, agent: &str) -> Event {
    let requeued = ConversationRequeued { agent: agent.to_owned(), ..ConversationRequeued::default() };
    event(conversation, "conversation.requeued", Payload::ConversationRequeued(requeued))
}

fn closed(conversation: &str, agent: &str) -> Event {
    let closed = ConversationClosed { agent: agent.to_owned(), ..ConversationClosed::default() };
    event(conversation, "conversation.closed", Payload::ConversationClosed(closed))
}

fn holding_state(ids: &[&str]) -> DeskState {
    let view = |id: &&str| ConversationView { id: (*id).to_owned(), ..ConversationView::default() };
    DeskState { conversations: ids.iter().map(view).collect(), ..DeskState::default() }
}

/// Which of `events` the agent sees.
fn seen(view: &mut View, events: &[Event]) -> Vec<bool> {
    events.iter().map(|event| view.see(event)).collect()
}

#[test]
fn a_conversation_is_seen_from_offer_to_end_and_not_before_or_after() {
    let mut view = View::of(&ada(false), &DeskState::default());
    let events = [
        message("c"),
        offered("c", "ada"),
        message("c"),
        accepted("c", "ada"),
        assigned("c", "ada"),
        message("other"),
        requeued("c", "ada"),
        message("c"),
    ];
    assert_eq!(seen(&mut view, &events), [false, true, true, true, true, false, true, false]);
}

#[test]
fn an_offer_that_rings_out_and_what_goes_to_others_is_no_longer_seen() {
    let mut view = View::of(&ada(false), &DeskState::default());
    let events = [
        offered("c", "ada"),
        rang_out("c", "ada"),
        message("c"),
        offered("c", "bob"),
        assigned("c", "bob"),
        message("c"),
    ];
    assert_eq!(seen(&mut view, &events), [true, true, false, false, false, false]);
}

#[test]
fn receipts_of_a_closed_conversation_still_arrive() {
    let mut view = View::of(&ada(false), &holding_state(&["c"]));
    let receipt = event("c", "message.delivered", Payload::MessageDelivered(MessageDelivered::default()));
    assert_eq!(seen(&mut view, &[closed("c", "ada"), receipt, assigned("c", "bob")]), [true, true, false]);
}

#[test]
fn queues_and_answers_to_commands_are_seen_by_whom_they_concern() {
    let mut view = View::of(&ada(false), &DeskState::default());
    let queued = |queue: &str| {
        let queued = ConversationQueued { queue: queue.to_owned(), ..ConversationQueued::default() };
        event("c", "conversation.queued", Payload::ConversationQueued(queued))
    };
    let refused = |agent: &str| {
        let refused = CommandRefused { agent: agent.to_owned(), ..CommandRefused::default() };
        event("", "command.refused", Payload::CommandRefused(refused))
    };
    let events = [queued("sales"), queued("support"), refused("ada"), refused("bob")];
    assert_eq!(seen(&mut view, &events), [true, false, true, false]);
}

#[test]
fn a_supervisor_sees_everything_and_may_read_everything() {
    let mut view = View::of(&ada(true), &DeskState::default());
    assert!(view.see(&message("c")) && view.may_read("c"));
}

#[test]
fn offered_conversations_of_a_state_are_seen() {
    let conversation = Some(ConversationView { id: "c".to_owned(), ..ConversationView::default() });
    let offer = ReservationView { conversation, ..ReservationView::default() };
    let state = DeskState { reservations: vec![offer], ..DeskState::default() };
    let mut view = View::of(&ada(false), &state);
    assert!(view.see(&message("c")));
    assert!(!view.held("c").is_some_and(|held| held.part.may_write()));
}

#[test]
fn the_view_before_a_gap_follows_from_the_gap_and_what_came_out() {
    // kept: no change in the gap. got: assigned in it. lost: gone in it. taken: offered before, accepted in it.
    let gap = vec![
        message("kept"),
        message("got"),
        offered("got", "ada"),
        accepted("got", "ada"),
        assigned("got", "ada"),
        message("got"),
        message("lost"),
        closed("lost", "ada"),
        message("taken"),
        accepted("taken", "ada"),
        assigned("taken", "ada"),
        closed("foreign", "bob"),
    ];
    let state = holding_state(&["kept", "got", "taken"]);
    let mut view = View::before(&ada(false), &state, &gap);
    let expected = [true, false, true, true, true, true, true, true, true, true, true, false];
    assert_eq!(seen(&mut view, &gap), expected);
}

#[test]
fn offers_that_a_state_contains_are_not_repeated_but_messages_are() {
    let at = |sequence| Some(LogPosition { partition: 1, sequence, index: 0 });
    let applied = at(7);
    let offer = Event { position: at(7), ..offered("c", "ada") };
    assert!(is_in_state(&offer, applied.as_ref()));
    assert!(!is_in_state(&Event { position: at(8), ..offer.clone() }, applied.as_ref()));
    assert!(!is_in_state(&Event { position: at(7), ..message("c") }, applied.as_ref()));
    assert!(!is_in_state(&Event { position: None, ..offer }, applied.as_ref()));
}

#[test]
fn who_has_a_customers_conversation_may_meet_them_under_whatever_id_they_have() {
    use heliograph_proto::v1::{ContactJoined, ContactSplit};

    let with = |contact: &str, event: Event| Event { contact: contact.to_owned(), ..event };
    let joined = |contact: &str, previous: &str| {
        let joined = ContactJoined { previous_contact: previous.to_owned(), ..ContactJoined::default() };
        with(contact, event("", "contact.joined", Payload::ContactJoined(joined)))
    };
    let mut view = View::of(&ada(false), &DeskState::default());
    assert!(!view.may_meet("con_1") && !view.may_meet(""));
    view.see(&with("con_1", offered("cnv_1", "ada")));
    assert!(view.may_meet("con_1") && !view.may_meet("con_2"));
    assert_eq!(view.contacts(), ["con_1"]);
    // Somebody else's customers are nothing to her.
    assert!(!view.see(&joined("con_3", "con_4")));
    assert!(view.see(&joined("con_2", "con_1")), "hers is con_2 from here on");
    assert_eq!((view.may_meet("con_1"), view.may_meet("con_2")), (false, true));
    let split = with("con_2", event("", "contact.split", Payload::ContactSplit(ContactSplit::default())));
    assert!(view.see(&split));
    // The machine's word counts.
    view.see(&with("con_5", message("cnv_1")));
    assert_eq!(view.contacts(), ["con_5"]);
    view.see(&requeued("cnv_1", "ada"));
    assert!(!view.may_meet("con_5") && !view.see(&split));
    assert!(View::of(&ada(true), &DeskState::default()).may_meet("con_1"), "a supervisor meets everybody");
}

#[test]
fn who_advises_sees_the_conversation_until_that_is_ended_and_may_not_write() {
    use heliograph_proto::v1::{ConsultEnded, ConsultStarted, ReservationPurpose};

    let asked = ReservationCreated {
        agent: "ada".to_owned(),
        purpose: ReservationPurpose::Consult.into(),
        ..ReservationCreated::default()
    };
    let asked = event("c", "reservation.created", Payload::ReservationCreated(asked));
    let (agent, by) = ("ada".to_owned(), "bob".to_owned());
    let started = ConsultStarted { agent: agent.clone(), by: by.clone() };
    let started = event("c", "consult.started", Payload::ConsultStarted(started));
    let ended = event(
        "c",
        "consult.ended",
        Payload::ConsultEnded(ConsultEnded { agent, by, ..ConsultEnded::default() }),
    );
    let mut view = View::of(&ada(false), &DeskState::default());
    assert_eq!(seen(&mut view, &[asked.clone(), accepted("c", "ada"), started.clone()]), [true; 3]);
    assert_eq!(view.held("c").map(|held| held.part), Some(Part::Advises));
    assert!(!view.held("c").is_some_and(|held| held.part.may_write()));
    // It goes to somebody else; she advises all the same.
    let events = [requeued("c", "bob"), assigned("c", "cyd"), message("c"), ended, message("c")];
    assert_eq!(seen(&mut view, &events), [true, true, true, true, false]);

    let mut view = View::of(&ada(false), &DeskState::default());
    assert_eq!(seen(&mut view, &[asked, rang_out("c", "ada"), message("c")]), [true, true, false]);

    // What came out of a gap tells what was before it.
    let conversation = ConversationView { id: "c".to_owned(), ..ConversationView::default() };
    let state = DeskState { consults: vec![conversation], ..DeskState::default() };
    let gap = vec![assigned("c", "cyd"), message("c")];
    let mut view = View::before(&ada(false), &state, &gap);
    assert_eq!(seen(&mut view, &gap), [true, true]);
    let gap = vec![message("c"), started, message("c")];
    let mut view = View::before(&ada(false), &state, &gap);
    assert_eq!(seen(&mut view, &gap), [false, true, true]);
}

#[test]
fn a_supervisor_who_joined_may_write_until_they_leave() {
    use heliograph_proto::v1::{SupervisorJoined, SupervisorLeft};

    let agent = || "ada".to_owned();
    let joined =
        event("c", "supervisor.joined", Payload::SupervisorJoined(SupervisorJoined { agent: agent() }));
    let left = event("c", "supervisor.left", Payload::SupervisorLeft(SupervisorLeft { agent: agent() }));
    let mut view = View::of(&ada(true), &DeskState::default());
    view.see(&joined);
    view.see(&assigned("c", "bob"));
    assert!(view.held("c").is_some_and(|held| held.part.may_write()));
    view.see(&left);
    assert!(view.held("c").is_none());
}
