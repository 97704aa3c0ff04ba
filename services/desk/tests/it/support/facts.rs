//! Events, states and commands, as tests need them.

use std::sync::atomic::{AtomicU64, Ordering};

use heliograph_domain::event::type_of;
use heliograph_proto::v1::{
    AcceptReservation, Address, Command, Content, ConversationAssigned, ConversationView, DeskState, Event,
    Message, MessageReceived, Presence, Reply, ReservationCreated, Text, command::Action, content,
    event::Payload,
};

use super::TENANT;

/// A fact of the tenant with an id of its own.
pub(crate) fn fact(conversation: &str, payload: Payload) -> Event {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    Event {
        id: format!("evt_{}", COUNT.fetch_add(1, Ordering::Relaxed)),
        r#type: type_of(&payload).to_owned(),
        tenant: TENANT.to_owned(),
        region: "islands".to_owned(),
        channel: "bottle".to_owned(),
        account: "beach".to_owned(),
        conversation: conversation.to_owned(),
        contact: "con_1".to_owned(),
        payload: Some(payload),
        ..Event::default()
    }
}

pub(crate) fn text(body: &str) -> Content {
    let text = Text { body: body.to_owned(), ..Text::default() };
    Content { kind: Some(content::Kind::Text(text)) }
}

/// The customer says something.
pub(crate) fn said(conversation: &str, body: &str) -> Event {
    saying(conversation, text(body))
}

pub(crate) fn saying(conversation: &str, content: Content) -> Event {
    let message = Message { content: Some(content), ..Message::default() };
    let received = MessageReceived { message: Some(message), ..MessageReceived::default() };
    fact(conversation, Payload::MessageReceived(received))
}

/// An agent is offered a conversation.
pub(crate) fn offered(conversation: &str, agent: &str, reservation: &str) -> Event {
    let created = ReservationCreated {
        reservation_id: reservation.to_owned(),
        agent: agent.to_owned(),
        ..ReservationCreated::default()
    };
    fact(conversation, Payload::ReservationCreated(created))
}

pub(crate) fn assigned(conversation: &str, agent: &str) -> Event {
    let assigned = ConversationAssigned { agent: agent.to_owned(), ..ConversationAssigned::default() };
    fact(conversation, Payload::ConversationAssigned(assigned))
}

/// An agent who is online and has these conversations.
pub(crate) fn holding(conversations: &[&str]) -> DeskState {
    let view = |id: &&str| ConversationView {
        id: (*id).to_owned(),
        contact: "con_1".to_owned(),
        state: "assigned".to_owned(),
        address: Some(Address {
            channel: "bottle".to_owned(),
            account: "beach".to_owned(),
            ..Address::default()
        }),
        ..ConversationView::default()
    };
    DeskState {
        presence: Presence::Online.into(),
        conversations: conversations.iter().map(view).collect(),
        ..DeskState::default()
    }
}

pub(crate) fn command(id: &str, action: Action) -> Command {
    Command { command_id: id.to_owned(), agent: String::new(), action: Some(action) }
}

pub(crate) fn accept(id: &str, reservation: &str) -> Command {
    command(id, Action::Accept(AcceptReservation { reservation_id: reservation.to_owned() }))
}

pub(crate) fn reply(id: &str, conversation: &str, body: &str) -> Command {
    let reply =
        Reply { conversation: conversation.to_owned(), content: Some(text(body)), ..Reply::default() };
    command(id, Action::Reply(reply))
}

/// What the customer said in an event.
pub(crate) fn body(event: &Event) -> &str {
    let Some(Payload::MessageReceived(received)) = &event.payload else { return "" };
    let content = received.message.as_ref().and_then(|message| message.content.as_ref());
    match content.and_then(|content| content.kind.as_ref()) {
        Some(content::Kind::Text(text)) => &text.body,
        _ => "",
    }
}
