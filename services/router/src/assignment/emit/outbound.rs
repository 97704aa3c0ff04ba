//! Messages to customers: those that agents and clients send, and the system's own.

use heliograph_assignment::Sender as Author;
use heliograph_domain::ids;
use heliograph_proto::{
    Timestamp,
    v1::{
        Direction, Event, Message, MessageAccepted, MessageClass, OutboundMessage, Reply, SendRequested,
        Sender, SenderKind, Told, command, event::Payload, routing_entry::Kind,
    },
};

use super::{super::annex::Known, Decided};

impl Decided<'_> {
    /// A message to the customer goes to egress, which asks the policy in force when it leaves. The verdict it carries
    /// (of the customer's last message, or of the request) is for people to read.
    pub(super) fn accepted(
        &self,
        known: Option<&Known>,
        message_id: &str,
        author: &Author,
    ) -> Option<(Payload, Option<OutboundMessage>)> {
        let (mut message, asked) = match &self.entry.kind {
            Some(Kind::Send(send)) => {
                let SendRequested { expires_at, notice, detour, verdict, .. } = send;
                let asked = OutboundMessage {
                    expires_at: *expires_at,
                    notice: *notice,
                    detour: detour.clone(),
                    verdict: verdict.clone(),
                    ..OutboundMessage::default()
                };
                (send.message.clone()?, asked)
            }
            Some(Kind::Command(command)) => {
                let Some(command::Action::Reply(reply)) = &command.action else { return None };
                let verdict = known.and_then(Known::verdict);
                (said(reply, author, known), OutboundMessage { verdict, ..OutboundMessage::default() })
            }
            _ => return None,
        };
        message_id.clone_into(&mut message.id);
        let (payload, work) = self.work(self.id(ids::DELIVERY), message, asked, known)?;
        Some((payload, Some(work)))
    }

    /// What the customer is told as a message of the system's own.
    pub(super) fn say(
        &self,
        told: &Told,
        known: Option<&Known>,
    ) -> Option<(Option<Box<Event>>, OutboundMessage)> {
        let message = Message {
            id: told.message_id.clone(),
            content: told.content.clone(),
            sender: Some(Sender { kind: SenderKind::System.into(), ..Sender::default() }),
            address: told.address.clone(),
            ..Message::default()
        };
        let verdict = known.and_then(Known::verdict);
        let asked = OutboundMessage { verdict, ..OutboundMessage::default() };
        let (payload, work) = self.work(self.told_id(ids::DELIVERY), message, asked, known)?;
        let position = Some(self.told_position());
        let event = Event { position, ..self.event(self.told_id(ids::EVENT), payload) };
        Some((Some(Box::new(event)), OutboundMessage { position, ..work }))
    }

    /// The message as a fact, and as work for egress. `asked` holds what whoever sends it said beside it.
    fn work(
        &self,
        delivery_id: String,
        mut message: Message,
        asked: OutboundMessage,
        known: Option<&Known>,
    ) -> Option<(Payload, OutboundMessage)> {
        message.direction = Direction::Outbound.into();
        message.time = Some(Timestamp::from_millis(self.at_ms));
        if message.message_class() == MessageClass::Unspecified {
            message.message_class = MessageClass::Service.into();
        }
        let conversation = self.decision.conversation.as_ref()?;
        let heard = known.map_or(0, |known| known.last_inbound_ms);
        let verdict = asked.verdict.clone();
        let outbound = OutboundMessage {
            delivery_id: delivery_id.clone(),
            tenant: self.decision.tenant.to_string(),
            region: conversation.address.region.as_deref().unwrap_or_default().to_owned(),
            conversation: conversation.id.to_string(),
            contact: conversation.contact.to_string(),
            message: Some(message.clone()),
            accepted_at: Some(Timestamp::from_millis(self.at_ms)),
            position: Some(self.log_position()),
            last_inbound_at: (heard > 0).then(|| Timestamp::from_millis(heard)),
            ..asked
        };
        let accepted = MessageAccepted { message: Some(message), delivery_id, verdict };
        Some((Payload::MessageAccepted(accepted), outbound))
    }
}

/// An agent's reply as a message.
fn said(reply: &Reply, author: &Author, known: Option<&Known>) -> Message {
    let (kind, id) = match author {
        Author::Agent(agent) => (SenderKind::Agent, agent.to_string()),
        Author::Business => (SenderKind::Api, String::new()),
    };
    Message {
        content: reply.content.clone(),
        reply_to: reply.reply_to.clone(),
        sender: Some(Sender { kind: kind.into(), id, display_name: reply.display_name.clone() }),
        address: reply.address.clone().or_else(|| known.and_then(Known::address)),
        message_class: reply.message_class,
        ..Message::default()
    }
}
