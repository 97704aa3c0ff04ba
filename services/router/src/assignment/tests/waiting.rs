//! What customers are told while they wait, and what is said when a conversation changes hands.

use heliograph_assignment::{
    ConversationRef, Decision, Kind as Decided, Place, PoolConfig, Position, QueueSpec, Timestamp as Moment,
};
use heliograph_domain::content;
use heliograph_proto::v1::{
    AgentView, AssignConversation, CallbackRequested, ConsultColleague, EndConsult, PoolQuery,
    ReservationPurpose, SenderKind, TimerDue, TransferConversation, assign_conversation, consult_colleague,
    transfer_conversation::To,
};

use super::{
    super::{
        annex::Annex,
        emit::{Decided as About, emit},
        show::Shown,
    },
    *,
};

const ANNOUNCING: &str = r#"{ "queues": { "support": { "announce_seconds": 60, "callback": true } } }"#;

fn configuration(json: &str, shows_waiting: &[&str]) -> RoutingEntry {
    let shows_waiting = shows_waiting.iter().map(ToString::to_string).collect();
    let configuration = Configuration {
        version: 1,
        json: json.to_owned(),
        locale: "de".to_owned(),
        shows_waiting,
        ..Configuration::default()
    };
    entry(Kind::Configuration(configuration))
}

fn first_message(configuration: &RoutingEntry) -> Vec<Emission> {
    let mut state = State::new(PARTITION);
    state.apply(configuration, 1, 500).unwrap();
    state.apply(&proposal("msg_1"), 7, 1_000).unwrap().emissions
}

#[test]
fn whoever_meets_nobody_is_told_in_their_language_by_a_message_of_the_systems() {
    let emissions = first_message(&configuration(ANNOUNCING, &["webchat"]));
    let kinds = ["conversation.opened", "message.received", "conversation.queued", "message.accepted"];
    assert_eq!(types(&emissions), kinds);
    let work = work(&emissions)[0];
    let message = work.message.as_ref().unwrap();
    assert_eq!(message.sender.as_ref().unwrap().kind(), SenderKind::System);
    assert_eq!(
        (message.address.as_ref(), work.last_inbound_at.as_ref().unwrap().seconds),
        (Some(&address()), 1)
    );
    let said = message.content.as_ref().unwrap();
    assert!(content::preview(said).starts_with("Zurzeit ist niemand"), "{said:?}");
    assert_eq!(content::options(said.kind.as_ref().unwrap())[0].id, content::CALL_BACK);
    assert!(events(&emissions).iter().all(|event| event.told.is_none()));
    let again = first_message(&configuration(ANNOUNCING, &["webchat"]));
    assert_eq!(emissions, again, "ids follow from places in the log");
}

#[test]
fn where_the_channel_shows_it_the_event_says_it() {
    let emissions = first_message(&configuration(ANNOUNCING, &["sms"]));
    assert!(work(&emissions).is_empty());
    let told = events(&emissions).pop().unwrap().told.clone().unwrap();
    assert_eq!(told.address, Some(address()));
    assert!(content::preview(&told.content.unwrap()).starts_with("Zurzeit ist niemand"));
}

#[test]
fn a_queue_that_does_not_announce_tells_nobody_anything() {
    let emissions = first_message(&configuration(r#"{ "queues": { "support": {} } }"#, &["sms"]));
    assert_eq!(types(&emissions), ["conversation.opened", "message.received", "conversation.queued"]);
    assert!(events(&emissions).iter().all(|event| event.told.is_none()));
}

/// What follows from decisions about one conversation of a customer who writes in English.
fn emitted(kinds: Vec<Decided>) -> Vec<Emission> {
    let mut annex = Annex::default();
    annex.heard("cnv_1", Some(&address()), None, None, "en-GB", 1_000);
    let about = ConversationRef {
        id: "cnv_1".into(),
        contact: "con_1".into(),
        scope: "default".into(),
        address: heliograph_assignment::Address {
            channel: "sms".into(),
            account: "line".into(),
            user: "+1".into(),
            region: None,
        },
    };
    let decisions: Vec<Decision> = (0..)
        .zip(kinds)
        .map(|(index, kind)| Decision {
            index,
            tenant: "acme".into(),
            conversation: Some(about.clone().into()),
            kind,
            reasons: Vec::new(),
        })
        .collect();
    let spec = QueueSpec { announce_seconds: 60, ..QueueSpec::default() };
    let config = PoolConfig { queues: [("support".into(), spec)].into(), ..PoolConfig::default() };
    let position = Position { partition: PARTITION, sequence: 9 };
    let mut emissions = Vec::new();
    for (at, decision) in decisions.iter().enumerate() {
        let (following, config) = (&decisions[at + 1..], Some(&config));
        let entry = &proposal("msg_1");
        emit(
            &About { entry, decision, following, config, position, at_ms: 2_000 },
            &annex,
            None,
            &mut emissions,
        );
    }
    emissions
}

fn place(position: u32) -> Place {
    Place {
        queue: "support".into(),
        position,
        waiting: 9,
        no_agent_online: false,
        estimated_wait: Some(230),
        opens_at: None,
    }
}

fn told(emissions: &[Emission]) -> Vec<String> {
    let said =
        |work: &&OutboundMessage| content::preview(work.message.as_ref().unwrap().content.as_ref().unwrap());
    work(emissions).iter().map(said).collect()
}

#[test]
fn a_queue_that_takes_nothing_while_it_is_closed_says_when_to_come_back() {
    // Open from the ninth to the seventeenth hour; it is written to in the first.
    let json = r#"{ "queues": { "support": { "announce_seconds": 60, "closed": "close",
        "open": [[32400000, 61200000]] } } }"#;
    let emissions = first_message(&configuration(json, &[]));
    let kinds = ["conversation.opened", "message.received", "conversation.closed", "message.accepted"];
    assert_eq!(types(&emissions), kinds);
    let said = "Wir haben zurzeit geschlossen. Bitte schreiben Sie uns in etwa 9 Stunden noch einmal.";
    assert_eq!(told(&emissions), [said]);
}

#[test]
fn the_place_and_the_wait_are_those_of_the_decision() {
    let emissions = emitted(vec![Decided::PositionAnnounced { place: place(3) }]);
    assert_eq!(told(&emissions), ["You are number 3 in the queue. The wait is about 4 minutes."]);
    let event = events(&emissions)[0];
    let Some(Payload::ConversationPosition(said)) = &event.payload else { panic!("{event:?}") };
    let said = said.place.as_ref().unwrap();
    assert_eq!((said.position, said.waiting, said.estimated_wait_seconds), (3, 9, Some(230)));
    let closed = Place { opens_at: Some(Moment(2_000 + 14 * 3_600_000)), ..place(1) };
    let emissions = emitted(vec![Decided::PositionAnnounced { place: closed }]);
    assert!(told(&emissions)[0].starts_with("We are closed now and open in about 14 hours."));
}

#[test]
fn who_waited_in_vain_is_told_so_and_who_goes_on_waiting_is_not() {
    let since = Moment(0);
    let out = || Decided::WaitTimedOut { queue: "support".into(), since };
    let closed = Decided::ConversationClosed { agent: None, wrap_up: None };
    assert_eq!(told(&emitted(vec![out(), closed])).len(), 1);
    let moved = Decided::ConversationOverflowed { from: "support".into(), place: place(2) };
    assert!(told(&emitted(vec![out(), moved])).is_empty());
    // An overflow into a queue where nobody is tells what is so there.
    let nobody = Place { no_agent_online: true, ..place(2) };
    let moved = Decided::ConversationOverflowed { from: "sales".into(), place: nobody.clone() };
    assert_eq!(told(&emitted(vec![moved.clone()])).len(), 1);
    let queued = Decided::ConversationQueued {
        place: nobody,
        required: Vec::new(),
        preferred: Vec::new(),
        priority: 0,
        language: None,
    };
    assert_eq!(told(&emitted(vec![queued, moved])).len(), 1, "not what it was for no moment");
}

#[test]
fn what_is_said_when_a_conversation_is_handed_on_stays_with_it() {
    let (mut state, id) = assigned();
    let fields =
        std::collections::HashMap::from([("order".to_owned(), heliograph_proto::Value::from("4711"))]);
    let transfer = TransferConversation {
        conversation: id.clone(),
        to: Some(To::Queue("support".to_owned())),
        note: "wants a refund".to_owned(),
        context: Some(fields.into()),
    };
    let effects = state.apply(&command("c3", Action::Transfer(transfer.clone())), 9, 2_000).unwrap();
    let moved = events(&effects.emissions).into_iter().find_map(|event| match &event.payload {
        Some(Payload::ConversationTransferred(moved)) => Some(moved.clone()),
        _ => None,
    });
    let moved = moved.unwrap();
    assert_eq!((moved.note.as_str(), moved.context.is_some()), ("wants a refund", true));
    let handovers = state.annex.get(&id).unwrap().handovers();
    assert_eq!((handovers.len(), handovers[0].from_agent.as_str()), (1, "ann"));
    assert_eq!(handovers[0].context, transfer.context);
    // A command that is refused leaves nothing behind.
    state.apply(&command("c4", Action::Transfer(transfer)), 10, 3_000).unwrap();
    assert_eq!(state.annex.get(&id).unwrap().handovers().len(), 1);
    let restored = snapshot::decode(PARTITION, 10, &snapshot::encode(&state)).unwrap();
    assert_eq!(restored.annex.get(&id), state.annex.get(&id));
}

fn timer(at_ms: i64) -> RoutingEntry {
    let due = Some(Timestamp::from_millis(at_ms));
    RoutingEntry { tenant: String::new(), ..entry(Kind::Timer(TimerDue { due })) }
}

fn callback(cancel: bool, address: Option<Address>) -> RoutingEntry {
    let command_id = format!("cmd_{cancel}");
    let contact = "con_1".to_owned();
    entry(Kind::Callback(CallbackRequested { command_id, contact, cancel, address, ..Default::default() }))
}

#[test]
fn a_customer_who_waits_is_called_back_where_they_want() {
    let mut state = State::new(PARTITION);
    let json = r#"{ "queues": { "support": { "announce_seconds": 60, "callback": true } },
        "agents": { "ann": { "queues": ["support"], "capacity": { "chat": 9 } } } }"#;
    state.apply(&configuration(json, &["sms"]), 1, 500).unwrap();
    let effects = state.apply(&proposal("msg_1"), 2, 1_000).unwrap();
    let id = events(&effects.emissions)[0].conversation.clone();
    let effects = state.apply(&timer(61_000), 3, 61_000).unwrap();
    assert_eq!(types(&effects.emissions), ["conversation.position"]);

    let phone = Address { user_id: "+2".into(), phone: "+2".into(), ..address() };
    let effects = state.apply(&callback(false, Some(phone.clone())), 4, 70_000).unwrap();
    assert_eq!(types(&effects.emissions), ["command.accepted", "callback.scheduled"]);
    let scheduled = events(&effects.emissions).pop().unwrap();
    let Some(Payload::CallbackScheduled(it)) = &scheduled.payload else { panic!("{scheduled:?}") };
    assert_eq!(it.callback.as_ref().unwrap().address, Some(phone.clone()));
    let offered = scheduled.told.as_ref().unwrap().content.as_ref().unwrap();
    assert_eq!(content::options(offered.kind.as_ref().unwrap())[0].id, content::WAIT);

    let online = SetPresence { presence: Presence::Online.into(), ..SetPresence::default() };
    let effects = state.apply(&command("c1", Action::SetPresence(online)), 5, 80_000).unwrap();
    let offered = events(&effects.emissions).pop().unwrap();
    let Some(Payload::ReservationCreated(it)) = &offered.payload else { panic!("{offered:?}") };
    assert_eq!(it.purpose(), ReservationPurpose::Callback);
    assert_eq!(it.callback.as_ref().unwrap().address, Some(phone));
    let accept = AcceptReservation { reservation_id: it.reservation_id.clone() };
    let effects = state.apply(&command("c2", Action::Accept(accept)), 6, 81_000).unwrap();
    let assigned = events(&effects.emissions).pop().unwrap();
    assert_eq!(assigned.conversation, id);
    assert!(
        content::preview(assigned.told.as_ref().unwrap().content.as_ref().unwrap())
            .starts_with("Sie sind an der Reihe")
    );
}

#[test]
fn a_colleague_is_asked_and_advises_in_words() {
    let mut state = State::new(PARTITION);
    let json = r#"{ "queues": { "support": {} }, "agents": {
        "ann": { "queues": ["support"], "capacity": { "chat": 9 } },
        "bob": { "capacity": { "chat": 1 }, "supervisor": true } } }"#;
    state.apply(&configuration(json, &[]), 1, 500).unwrap();
    let by = |agent: &str, id: &str, action| {
        entry(Kind::Command(Command {
            command_id: id.to_owned(),
            agent: agent.to_owned(),
            action: Some(action),
        }))
    };
    let online =
        || Action::SetPresence(SetPresence { presence: Presence::Online.into(), ..Default::default() });
    state.apply(&by("ann", "c1", online()), 2, 600).unwrap();
    state.apply(&by("bob", "c1", online()), 3, 700).unwrap();
    let effects = state.apply(&proposal("msg_1"), 4, 1_000).unwrap();
    let offered = events(&effects.emissions).pop().unwrap().clone();
    let Some(Payload::ReservationCreated(it)) = offered.payload else { panic!("not offered: {offered:?}") };
    let accept = |reservation_id: &str| {
        Action::Accept(AcceptReservation { reservation_id: reservation_id.to_owned() })
    };
    state.apply(&by("ann", "c2", accept(&it.reservation_id)), 5, 1_100).unwrap();

    let id = offered.conversation;
    let asked = ConsultColleague {
        conversation: id.clone(),
        to: Some(consult_colleague::To::Agent("bob".to_owned())),
        note: "may I refund this?".to_owned(),
    };
    let effects = state.apply(&by("ann", "c3", Action::Consult(asked)), 6, 2_000).unwrap();
    let rings = events(&effects.emissions).pop().unwrap();
    let Some(Payload::ReservationCreated(it)) = &rings.payload else { panic!("{rings:?}") };
    assert_eq!(it.purpose(), ReservationPurpose::Consult);
    let consult = it.consult.clone().unwrap();
    assert_eq!((consult.by.as_str(), consult.note.as_str()), ("ann", "may I refund this?"));

    let shown = || Shown { state: &state, tenant: "acme", now_ms: 2_500 };
    let bobs = shown().desk("bob").unwrap();
    assert_eq!((bobs.reservations.len(), bobs.consults.len()), (1, 0), "it rings");
    state.apply(&by("bob", "c2", accept(&it.reservation_id)), 7, 3_000).unwrap();
    let shown = || Shown { state: &state, tenant: "acme", now_ms: 3_500 };
    let bobs = shown().desk("bob").unwrap();
    assert_eq!((bobs.reservations.len(), bobs.consults.len()), (0, 1), "bob advises");
    assert_eq!(bobs.consults[0].consult.as_ref().unwrap().note, "may I refund this?");
    let pool = shown().pool(PoolQuery::default());
    let states = |agent: &AgentView| agent.work.iter().map(|it| it.state.clone()).collect::<Vec<_>>();
    assert_eq!(pool.agents.iter().map(states).collect::<Vec<_>>(), [vec!["assigned"], vec!["consult"]]);
    assert_eq!((pool.agents[1].occupancy, pool.agents[1].supervisor, pool.open_total), (1_000, true, 1));

    let ended = EndConsult { conversation: id.clone(), note: "yes, do".to_owned() };
    let effects = state.apply(&by("bob", "c3", Action::EndConsult(ended)), 8, 4_000).unwrap();
    let ended = events(&effects.emissions).pop().unwrap();
    let Some(Payload::ConsultEnded(it)) = &ended.payload else { panic!("{ended:?}") };
    assert_eq!((it.agent.as_str(), it.note.as_str()), ("bob", "yes, do"));
    assert!(state.annex.get(&id).unwrap().consult().is_none());

    // A supervisor takes it over, and says why.
    let assign = AssignConversation {
        conversation: id.clone(),
        to: Some(assign_conversation::To::Agent("bob".to_owned())),
        note: "this one is mine".to_owned(),
    };
    state.apply(&by("bob", "c4", Action::Assign(assign)), 9, 5_000).unwrap();
    let bobs = Shown { state: &state, tenant: "acme", now_ms: 6_000 }.desk("bob").unwrap();
    assert_eq!(bobs.conversations[0].handovers[0].note, "this one is mine");
}

#[test]
fn what_waits_is_shown_in_its_order_with_the_place() {
    let mut state = State::new(PARTITION);
    state.apply(&configuration(ANNOUNCING, &[]), 1, 500).unwrap();
    for (at, contact) in [(2_u8, "con_1"), (3, "con_2"), (4, "con_3")] {
        let mut said = proposal(&format!("msg_{contact}"));
        if let Some(Kind::Proposal(proposal)) = &mut said.kind {
            proposal.contact = contact.to_owned();
        }
        state.apply(&said, at.into(), i64::from(at) * 1_000).unwrap();
    }
    let shown = Shown { state: &state, tenant: "acme", now_ms: 9_000 };
    let pool = shown.pool(PoolQuery { waiting: 2, ..PoolQuery::default() });
    let places: Vec<_> =
        pool.waiting.iter().map(|it| (it.contact.as_str(), it.waiting.as_ref().unwrap().position)).collect();
    assert_eq!(places, [("con_1", 1), ("con_2", 2)]);
    assert_eq!((pool.waiting_total, pool.queues[0].waiting, pool.queues[0].oldest_wait_ms), (3, 3, 7_000));
    assert_eq!(pool.queues[0].target_seconds, 20);
}
