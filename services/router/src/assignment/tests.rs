#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::content;
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Configuration, Event, InboundEvent, Message, Proposal, Region, RoutingEntry, SendRequested,
        Verdict, Wanted, Window, event::Payload, inbound_event, routing_entry::Kind, verdict::Outcome,
    },
};
use heliograph_store::{objects::Objects, snapshots::SnapshotStore};

use super::{
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

#[test]
fn a_send_is_outbound_work_unless_policy_denied_it() {
    let (mut state, id) = opened();
    let mut asked = send("msg_2", Outcome::Allow);
    let until = Timestamp::from_millis(60_000);
    if let Some(Kind::Send(send)) = &mut asked.kind {
        send.expires_at = Some(until);
    }
    let effects = state.apply(&asked, 8, 2_000).unwrap();
    let Item::Outbound(work) = &effects.emissions.last().unwrap().item else { panic!("no work") };
    assert_eq!((&work.conversation, work.position.unwrap().sequence), (&id, 8));
    assert_eq!(work.last_inbound_at.as_ref().unwrap().seconds, 1);
    assert_eq!(work.expires_at, Some(until));

    let effects = state.apply(&send("msg_3", Outcome::Deny), 9, 3_000).unwrap();
    let last = events(&effects.emissions).pop().unwrap();
    assert!(matches!(&last.payload, Some(Payload::MessageRefused(it)) if it.message_id == "msg_3"));
    assert!(!effects.emissions.iter().any(|emission| matches!(emission.item, Item::Outbound(_))));

    // Said twice is said once.
    assert!(state.apply(&send("msg_2", Outcome::Allow), 10, 4_000).unwrap().emissions.is_empty());
}

#[test]
fn what_is_unfit_changes_nothing() {
    let (mut state, _) = opened();
    let before = state.machine.digest();
    let nothing = RoutingEntry { tenant: "acme".to_owned(), ..RoutingEntry::default() };
    assert_eq!(state.apply(&nothing, 8, 2_000).unwrap_err(), Unfit::Kind);
    let bad = entry(Kind::Configuration(Configuration { version: 1, json: "{".to_owned() }));
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
    let nothing = restore::latest(&store, PARTITION).await.unwrap();
    assert_eq!(nothing.machine.applied(), 0, "only the log is left");

    store.put(&key, 7, &snapshot::encode(&state)).await.unwrap();
    store.put(&key, 60, &snapshot::encode(&state)).await.unwrap();
    let restored = restore::latest(&store, PARTITION).await.unwrap();
    assert_eq!(restored.machine.digest(), state.machine.digest());
    let (known, was) = (restored.annex.get(&id).unwrap(), state.annex.get(&id).unwrap());
    assert_eq!(known, was);
    assert_eq!(known.address(), Some(address()));
    assert_eq!(known.verdict(), Some(verdict(Outcome::Allow)));
    assert_eq!(known.window().unwrap().remaining, 5);
}
