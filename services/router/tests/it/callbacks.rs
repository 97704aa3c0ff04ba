//! A customer chooses to be called back.

use heliograph_domain::content::{self, CALL_BACK, WAIT};
use heliograph_fabric::Stream;
use heliograph_proto::{
    Message as _,
    v1::{
        Address, AgentStateQuery, CallbackRequested, Content, Event, InboundEvent, ReservationPurpose,
        RoutingEntry, Selection, content::Kind, event::Payload, inbound_event, routing_answer::Answer,
        routing_entry, routing_query::Query,
    },
};

use serde_json::json;

use crate::fleet::{Fleet, LAYOUT, TENANT, assert_unique, eventually, from, message, number, said};

/// The customer chooses an option.
fn chosen(id: &str, option: &str, payload: &str) -> InboundEvent {
    let mut event = message(TENANT, "visitor", id);
    let selection = Selection {
        option_id: option.to_owned(),
        title: "Call me back".to_owned(),
        payload: payload.to_owned(),
        ..Selection::default()
    };
    if let Some(inbound_event::Kind::Message(message)) = &mut event.kind {
        message.content = Some(Content { kind: Some(Kind::Selection(selection)) });
    }
    event
}

/// What stands in the log, as far as it is about customers.
async fn log(fleet: &Fleet) -> Vec<routing_entry::Kind> {
    let records = fleet.records(Stream::Routing).await;
    let kinds =
        records.iter().filter_map(|record| RoutingEntry::decode(record.payload.clone()).unwrap().kind);
    let about = |kind: &routing_entry::Kind| {
        matches!(kind, routing_entry::Kind::Proposal(_) | routing_entry::Kind::Callback(_))
    };
    kinds.filter(about).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_to_be_called_back_stands_behind_the_message_that_says_it_once_however_often_it_comes() {
    let fleet = Fleet::start().await;
    let router = fleet.router("one").await;
    let at = "2026-03-02T09:00:00Z";
    for event in [chosen("call", CALL_BACK, at), chosen("wait", WAIT, "")] {
        fleet.receive(event).await;
    }
    // Neither is offered by this queue, which the machine says.
    let refused = |events: &[Event]| {
        let refused = events.iter().filter(|event| event.r#type == "command.refused");
        let codes: Vec<_> = refused.map(|event| event.reasons[0].code.clone()).collect();
        (codes.len() == 2).then_some(codes)
    };
    let codes = fleet.until("both are refused", refused).await;
    assert_eq!(codes, ["assignment.callback_not_offered", "assignment.conversation_not_waiting"]);

    let log_before = log(&fleet).await;
    let [
        routing_entry::Kind::Proposal(first),
        routing_entry::Kind::Callback(call),
        _,
        routing_entry::Kind::Callback(wait),
    ] = log_before.as_slice()
    else {
        panic!("{log_before:?}")
    };
    let CallbackRequested { contact, not_before, cancel, address, .. } = call;
    assert_eq!((contact, *cancel, wait.cancel), (&first.contact, false, true));
    assert_eq!(not_before.as_ref().unwrap().seconds, 1_772_442_000);
    assert_eq!(address.as_ref().unwrap().user_id, "visitor");
    assert_ne!(call.command_id, wait.command_id);

    // Read again after a crash that forgot everything, it is the same wish.
    router.kill();
    fleet.rewind("router.inbound", 0..LAYOUT.inbound).await;
    let _router = fleet.router("two").await;
    fleet.write(TENANT, "visitor", "are you there?").await;
    let received = fleet.count("message.received", 3).await;
    assert_eq!(said(&received[2]), "are you there?");
    let events = fleet.events().await;
    assert_unique(&events);
    assert_eq!(events.iter().filter(|event| event.r#type == "command.refused").count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_who_meets_nobody_is_told_so_asks_for_a_callback_and_gets_it() {
    let fleet = Fleet::start().await;
    fleet.with_sms(json!({ "default": { "channels": ["sms", "webchat"] } })).await;
    let queue = json!({ "display_name": "Support", "announce": { "every": "1h" }, "callback": true });
    fleet.apply(TENANT, "Queue", "support", queue).await;
    let _router = fleet.router("one").await;
    eventually("the queue announces", || async {
        let answer =
            fleet.ask(TENANT, Query::AgentState(AgentStateQuery { agent: "ann".to_owned() })).await?;
        matches!(answer.answer, Some(Answer::AgentState(_))).then_some(())
    })
    .await;
    let mia = Address { locale: "es-MX".to_owned(), ..number("+12125550101") };
    fleet.receive(from(&mia, "first", "hola")).await;
    let told = |count: usize| {
        let fleet = &fleet;
        eventually("what the customer is told", move || async move {
            let work = fleet.outbound().await;
            let contents = work.into_iter().map(|work| work.message.unwrap().content.unwrap());
            let contents: Vec<Content> = contents.collect();
            (contents.len() >= count).then_some(contents)
        })
    };
    let said = &told(1).await[0];
    assert!(content::preview(said).starts_with("Ahora no hay nadie disponible."), "{said:?}");
    assert_eq!(content::options(said.kind.as_ref().unwrap())[0].id, CALL_BACK);

    let mut wish = from(&mia, "second", "");
    if let Some(inbound_event::Kind::Message(message)) = &mut wish.kind {
        let selection = Selection { option_id: CALL_BACK.to_owned(), ..Selection::default() };
        message.content = Some(Content { kind: Some(Kind::Selection(selection)) });
    }
    fleet.receive(wish).await;
    let said = &told(2).await[1];
    assert_eq!(content::options(said.kind.as_ref().unwrap())[0].id, WAIT);
    let scheduled = fleet.count("callback.scheduled", 1).await;
    let Some(Payload::CallbackScheduled(it)) = &scheduled[0].payload else { panic!("{scheduled:?}") };
    assert_eq!(it.callback.as_ref().unwrap().address.as_ref(), Some(&mia));

    fleet.online(TENANT, "ann").await;
    let offered = fleet.count("reservation.created", 1).await;
    let Some(Payload::ReservationCreated(it)) = &offered[0].payload else { panic!("{offered:?}") };
    assert_eq!(it.purpose(), ReservationPurpose::Callback);
    assert_unique(&fleet.events().await);
}
