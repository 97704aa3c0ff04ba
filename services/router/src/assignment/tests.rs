#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod moving;
mod waiting;

use futures::{FutureExt as _, future::ready};
use heliograph_assignment::Machine;
use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{
        AcceptReservation, Address, Command, Configuration, Detour, Event, InboundEvent, Message, Notice,
        OutboundMessage, Presence, Proposal, Region, Reply, RoutingEntry, SendRequested, SetPresence,
        Verdict, Wanted, Window, command::Action, event::Payload, inbound_event, routing_entry::Kind,
        verdict::Outcome,
    },
};
use heliograph_store::{objects::Objects, snapshots::SnapshotStore};

use super::{
    annex::Annex,
    convert::Unfit,
    emit::{Emission, Item},
    restore, snapshot,
    state::State,
};

const PARTITION: u16 = 3;

fn entry(kind: Kind) -> RoutingEntry {
    RoutingEntry { id: "ent_1".to_owned(), tenant: "acme".to_owned(), kind: Some(kind) }
}

fn address() -> Address {
    Address { channel: "sms".into(), account: "line".into(), user_id: "+1".into(), ..Address::default() }
}

fn verdict(outcome: Outcome) -> Verdict {
    let region = Some(Region { name: "north-america".into(), ..Region::default() });
    Verdict { outcome: outcome.into(), region, ..Verdict::default() }
}

fn proposal(id: &str) -> RoutingEntry {
    let message = Message { id: id.to_owned(), content: Some(content::text(id)), ..Message::default() };
    let event = InboundEvent {
        id: format!("evt_{id}"),
        address: Some(address()),
        kind: Some(inbound_event::Kind::Message(message)),
        ..InboundEvent::default()
    };
    entry(Kind::Proposal(Proposal {
        event: Some(event),
        contact: "con_1".to_owned(),
        verdict: Some(verdict(Outcome::Allow)),
        wanted: Some(Wanted { queue: "support".into(), ..Wanted::default() }),
        window: Some(Window { kind: "message".into(), remaining: 5, ..Window::default() }),
        ..Proposal::default()
    }))
}

fn send(id: &str, outcome: Outcome) -> RoutingEntry {
    let message = Message {
        id: id.to_owned(),
        content: Some(content::text(id)),
        address: Some(address()),
        ..Message::default()
    };
    entry(Kind::Send(SendRequested {
        command_id: format!("cmd_{id}"),
        contact: "con_1".to_owned(),
        message: Some(message),
        verdict: Some(verdict(outcome)),
        ..SendRequested::default()
    }))
}

fn events(emissions: &[Emission]) -> Vec<&Event> {
    let event = |emission: &'_ Emission| matches!(emission.item, Item::Event(_));
    let found = emissions.iter().filter(|emission| event(emission));
    found
        .map(|emission| if let Item::Event(event) = &emission.item { &**event } else { unreachable!() })
        .collect()
}

/// A state with an open conversation, and its id.
fn opened() -> (State, String) {
    let mut state = State::new(PARTITION);
    let effects = state.apply(&proposal("msg_1"), 7, 1_000).unwrap();
    let id = events(&effects.emissions)[0].conversation.clone();
    (state, id)
}

#[test]
fn the_same_entry_at_the_same_place_says_the_same_whoever_applies_it() {
    let of = |sequence| State::new(PARTITION).apply(&proposal("msg_1"), sequence, 1_000).unwrap().emissions;
    assert_eq!(of(7), of(7));
    let (one, other) = (of(7), of(8));
    for (one, other) in events(&one).iter().zip(events(&other)) {
        assert_ne!(one.id, other.id);
    }
    let emissions = of(7);
    assert!(
        emissions.iter().all(|emission| emission.lane == emissions[0].lane),
        "one conversation, one lane"
    );
}

/// The outbound work among what is published.
fn work(emissions: &[Emission]) -> Vec<&OutboundMessage> {
    let of = |emission: &'_ Emission| matches!(emission.item, Item::Outbound(_));
    let found = emissions.iter().filter(|emission| of(emission));
    found
        .map(|emission| if let Item::Outbound(work) = &emission.item { &**work } else { unreachable!() })
        .collect()
}

/// Keys of what is written of where conversations were held.
fn trails(emissions: &[Emission]) -> Vec<&str> {
    let key = |emission: &'_ Emission| matches!(emission.item, Item::Trail(_));
    let found = emissions.iter().filter(|emission| key(emission));
    found
        .map(|emission| if let Item::Trail(trail) = &emission.item { &*trail.key } else { unreachable!() })
        .collect()
}

fn types(emissions: &[Emission]) -> Vec<&'static str> {
    let kind = |event: &Event| heliograph_domain::event::type_of(event.payload.as_ref().unwrap());
    events(emissions).into_iter().map(kind).collect()
}

#[test]
fn a_send_is_outbound_work_whatever_policy_said_when_it_was_asked_for() {
    let (mut state, id) = opened();
    let mut asked = send("msg_2", Outcome::Deny);
    let until = Timestamp::from_millis(60_000);
    let detour = Detour { message_id: "msg_0".into(), trigger: "failed".into(), ..Detour::default() };
    if let Some(Kind::Send(send)) = &mut asked.kind {
        send.expires_at = Some(until);
        send.notice = Notice::OptOut.into();
        send.detour = Some(detour.clone());
    }
    let effects = state.apply(&asked, 8, 2_000).unwrap();
    assert_eq!(types(&effects.emissions), ["command.accepted", "message.accepted"]);
    let work = work(&effects.emissions)[0];
    assert_eq!((&work.conversation, work.position.unwrap().sequence), (&id, 8));
    assert_eq!(work.last_inbound_at.as_ref().unwrap().seconds, 1);
    assert_eq!(
        (work.expires_at, work.notice(), work.detour.as_ref()),
        (Some(until), Notice::OptOut, Some(&detour))
    );
    assert_eq!(work.verdict.as_ref().unwrap().outcome(), Outcome::Deny, "egress decides; this is for people");

    // Said twice is said once.
    assert!(state.apply(&asked, 9, 4_000).unwrap().emissions.is_empty());
}

/// The tenant has an agent, who has the conversation.
fn assigned() -> (State, String) {
    let mut state = State::new(PARTITION);
    let json = r#"{ "queues": { "support": {} },
        "agents": { "ann": { "queues": ["support"], "capacity": { "chat": 9 } } } }"#;
    let config = entry(Kind::Configuration(Configuration {
        version: 1,
        json: json.to_owned(),
        ..Configuration::default()
    }));
    state.apply(&config, 1, 500).unwrap();
    let online = SetPresence { presence: Presence::Online.into(), ..SetPresence::default() };
    state.apply(&command("c1", Action::SetPresence(online)), 2, 600).unwrap();
    let effects = state.apply(&proposal("msg_1"), 7, 1_000).unwrap();
    let offered = events(&effects.emissions).pop().unwrap().clone();
    let Some(Payload::ReservationCreated(it)) = offered.payload else { panic!("not offered: {offered:?}") };
    let accept = AcceptReservation { reservation_id: it.reservation_id };
    state.apply(&command("c2", Action::Accept(accept)), 8, 1_100).unwrap();
    (state, offered.conversation)
}

fn command(id: &str, action: Action) -> RoutingEntry {
    let (command_id, agent) = (id.to_owned(), "ann".to_owned());
    entry(Kind::Command(Command { command_id, agent, action: Some(action) }))
}

fn reply(conversation: &str, address: Option<Address>) -> Action {
    let (conversation, content) = (conversation.to_owned(), Some(content::text("hi")));
    Action::Reply(Reply { conversation, content, address, ..Reply::default() })
}

#[test]
fn a_reply_goes_where_it_says_else_where_the_customer_wrote_from() {
    let (mut state, id) = assigned();
    let email = Address {
        channel: "email".into(),
        account: "box".into(),
        user_id: "mia@example.org".into(),
        ..Address::default()
    };
    let effects = state.apply(&command("c3", reply(&id, Some(email.clone()))), 9, 2_000).unwrap();
    let sent = work(&effects.emissions)[0];
    assert_eq!(sent.message.as_ref().unwrap().address.as_ref(), Some(&email));
    assert_eq!((sent.conversation.as_str(), sent.region.as_str()), (id.as_str(), "north-america"));
    let accepted = events(&effects.emissions).pop().unwrap();
    assert_eq!((accepted.channel.as_str(), accepted.account.as_str()), ("email", "box"));
    assert_eq!(trails(&effects.emissions).len(), 1, "the conversation is held with that address too");

    let effects = state.apply(&command("c4", reply(&id, None)), 10, 3_000).unwrap();
    let sent = work(&effects.emissions)[0];
    assert_eq!(sent.message.as_ref().unwrap().address, Some(address()));
    assert!(trails(&effects.emissions).is_empty());
}

#[test]
fn a_conversation_leaves_a_trail_at_every_address_it_is_held_with() {
    let (mut state, id) = opened();
    let from = |id: &str, user: &str| {
        let mut said = proposal(id);
        if let Some(Kind::Proposal(proposal)) = &mut said.kind {
            let channel = if user == "+1" { "sms" } else { "voice" }.to_owned();
            let address = Address { user_id: user.into(), channel, ..address() };
            proposal.event.as_mut().unwrap().address = Some(address);
        }
        said
    };
    let of = |emissions: &[Emission]| trails(emissions).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let first = State::new(PARTITION).apply(&proposal("msg_1"), 7, 1_000).unwrap().emissions;
    assert!(matches!(first[0].item, Item::Trail(_)), "before anybody hears of the conversation");
    assert_eq!(of(&first).len(), 1);
    assert!(of(&first)[0].ends_with(&id), "{first:?}");
    assert!(of(&state.apply(&proposal("msg_2"), 8, 2_000).unwrap().emissions).is_empty());

    let effects = state.apply(&from("msg_3", "+2"), 9, 3_000).unwrap();
    let moved = of(&effects.emissions);
    assert_eq!(moved.len(), 1);
    assert_ne!(moved, of(&first));
    assert_eq!(effects.open.len(), 1, "where it is now is remembered at once");
    for (at, user) in [(10, "+2"), (11, "+1"), (12, "+2")] {
        let effects = state.apply(&from(&format!("msg_{at}"), user), at, 4_000).unwrap();
        assert!(trails(&effects.emissions).is_empty(), "what is written once stays: {user}");
    }
}

#[test]
fn what_policy_denies_is_offered_where_another_channel_may_be_answered_on() {
    let denied = |id: &str, channels: &[&str]| {
        let mut said = proposal(id);
        if let Some(Kind::Proposal(proposal)) = &mut said.kind {
            let channels = channels.iter().map(ToString::to_string).collect();
            proposal.verdict = Some(Verdict { channels, ..verdict(Outcome::Deny) });
        }
        said
    };
    let of = |entry: &RoutingEntry| State::new(PARTITION).apply(entry, 7, 1_000).unwrap().emissions;
    let recorded = ["conversation.opened", "message.received"];
    assert_eq!(types(&of(&denied("msg_1", &[]))), recorded);
    let offered = of(&denied("msg_1", &["webchat"]));
    assert_eq!(types(&offered), ["conversation.opened", "message.received", "conversation.queued"]);
    let mut word = denied("msg_1", &["webchat"]);
    if let Some(Kind::Proposal(proposal)) = &mut word.kind {
        proposal.unattended = true;
    }
    assert_eq!(types(&of(&word)), recorded, "a word for the system asks for no agent");
}

#[test]
fn what_is_unfit_changes_nothing() {
    let (mut state, _) = opened();
    let before = state.machine.digest();
    let nothing = RoutingEntry { tenant: "acme".to_owned(), ..RoutingEntry::default() };
    assert_eq!(state.apply(&nothing, 8, 2_000).unwrap_err(), Unfit::Kind);
    let bad = entry(Kind::Configuration(Configuration {
        version: 1,
        json: "{".to_owned(),
        ..Configuration::default()
    }));
    assert!(matches!(state.apply(&bad, 9, 2_000).unwrap_err(), Unfit::Configuration(_)));
    assert_eq!((state.machine.digest(), state.machine.applied()), (before, 7));
}

#[tokio::test]
async fn a_snapshot_holds_everything_and_one_that_is_of_no_use_is_passed_over() {
    let (state, id) = opened();
    let folder = tempfile::tempdir().unwrap();
    let store = SnapshotStore::new(Objects::in_directory(folder.path().to_owned()).await.unwrap(), 3);
    let key = snapshot::key(PARTITION);

    store.put(&key, 50, b"not a snapshot").await.unwrap();
    let decode = |position, bytes: bytes::Bytes| ready(snapshot::decode(PARTITION, position, &bytes)).boxed();
    let nothing = restore::latest_by(decode, &store, PARTITION).await.unwrap().state;
    assert_eq!(nothing.machine.applied(), 0, "only the log is left");

    store.put(&key, 7, &snapshot::encode(&state)).await.unwrap();
    store.put(&key, 60, &snapshot::encode(&state)).await.unwrap();
    let restored = restore::latest_by(decode, &store, PARTITION).await.unwrap().state;
    assert_eq!(restored.machine.digest(), state.machine.digest());
    let (known, was) = (restored.annex.get(&id).unwrap(), state.annex.get(&id).unwrap());
    assert_eq!(known, was);
    assert_eq!(known.address(), Some(address()));
    assert_eq!(known.verdict(), Some(verdict(Outcome::Allow)));
    assert_eq!(known.window().unwrap().remaining, 5);
}

#[test]
fn a_snapshot_in_one_piece_as_the_release_before_wrote_it_is_read() {
    #[derive(serde::Serialize)]
    struct Whole<'a> {
        version: u32,
        machine: &'a Machine,
        annex: &'a Annex,
    }
    let (state, id) = opened();
    let whole = |version| Whole { version, machine: &state.machine, annex: &state.annex };
    let written = rmp_serde::to_vec_named(&whole(1)).unwrap();
    let read = snapshot::decode(PARTITION, 7, &written).unwrap();
    assert_eq!(read.machine.digest(), state.machine.digest());
    assert_eq!(read.annex.get(&id), state.annex.get(&id));
    let later = snapshot::decode(PARTITION, 7, &rmp_serde::to_vec_named(&whole(3)).unwrap());
    assert!(matches!(later.unwrap_err(), snapshot::Unreadable::Version(3)));
}

#[test]
fn a_snapshot_of_an_older_release_is_not_read_and_the_log_restores_it() {
    let bytes = include_bytes!("../../fixtures/snapshot-before-trails.msgpack");
    assert!(snapshot::decode(PARTITION, 7, bytes).is_err());
}
