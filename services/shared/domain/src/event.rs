//! Names of facts on the public stream.

use heliograph_proto::v1::{Event, event::Payload};

use crate::ids;

/// The event type of a payload, as it stands in `Event.type` and at the end of the subject: `message.received`.
pub fn type_of(payload: &Payload) -> &'static str {
    match payload {
        Payload::MessageReceived(_) => "message.received",
        Payload::MessageAccepted(_) => "message.accepted",
        Payload::MessageSent(_) => "message.sent",
        Payload::MessageDelivered(_) => "message.delivered",
        Payload::MessageRead(_) => "message.read",
        Payload::MessageFailed(_) => "message.failed",
        Payload::MessageInDoubt(_) => "message.in_doubt",
        Payload::MessageDeferred(_) => "message.deferred",
        Payload::MessageRefused(_) => "message.refused",
        Payload::MessageRerouted(_) => "message.rerouted",
        Payload::ConversationOpened(_) => "conversation.opened",
        Payload::ConversationQueued(_) => "conversation.queued",
        Payload::ConversationAssigned(_) => "conversation.assigned",
        Payload::ConversationRequeued(_) => "conversation.requeued",
        Payload::ConversationWrapUp(_) => "conversation.wrap_up",
        Payload::ConversationClosed(_) => "conversation.closed",
        Payload::ConversationTransferred(_) => "conversation.transferred",
        Payload::ConversationRelaxed(_) => "conversation.relaxed",
        Payload::ConversationOverflowed(_) => "conversation.overflowed",
        Payload::ConversationPosition(_) => "conversation.position",
        Payload::ConversationWaitTimedOut(_) => "conversation.wait_timed_out",
        Payload::ConversationPrioritized(_) => "conversation.prioritized",
        Payload::CallbackScheduled(_) => "callback.scheduled",
        Payload::CallbackCancelled(_) => "callback.cancelled",
        Payload::ConsultStarted(_) => "consult.started",
        Payload::ConsultEnded(_) => "consult.ended",
        Payload::SupervisorJoined(_) => "supervisor.joined",
        Payload::SupervisorLeft(_) => "supervisor.left",
        Payload::ReservationCreated(_) => "reservation.created",
        Payload::ReservationAccepted(_) => "reservation.accepted",
        Payload::ReservationRejected(_) => "reservation.rejected",
        Payload::ReservationTimedOut(_) => "reservation.timed_out",
        Payload::ReservationRescinded(_) => "reservation.rescinded",
        Payload::AgentPresenceChanged(_) => "agent.presence_changed",
        Payload::CommandAccepted(_) => "command.accepted",
        Payload::CommandRefused(_) => "command.refused",
        Payload::CustomerTyping(_) => "customer.typing",
        Payload::AgentTyping(_) => "agent.typing",
        Payload::AgentRead(_) => "agent.read",
        Payload::ContactUpdated(_) => "contact.updated",
        Payload::ConsentChanged(_) => "consent.changed",
        Payload::UnknownReceived(_) => "unknown.received",
        Payload::ContactJoined(_) => "contact.joined",
        Payload::ContactSplit(_) => "contact.split",
    }
}

/// The id of the event that a message was read, where a read mark says so: several marks may mean the same message, and
/// router and egress may both find out.
pub fn read_id(tenant: &str, message_id: &str) -> String {
    ids::derive(ids::EVENT, &[tenant, message_id, "read"])
}

/// The message an event is about, when it is about one.
pub fn message_id(event: &Event) -> Option<&str> {
    let id = match event.payload.as_ref()? {
        Payload::MessageReceived(it) => &it.message.as_ref()?.id,
        Payload::MessageAccepted(it) => &it.message.as_ref()?.id,
        Payload::MessageSent(it) => &it.message_id,
        Payload::MessageDelivered(it) => &it.message_id,
        Payload::MessageRead(it) => &it.message_id,
        Payload::MessageFailed(it) => &it.message_id,
        Payload::MessageInDoubt(it) => &it.message_id,
        Payload::MessageDeferred(it) => &it.message_id,
        Payload::MessageRefused(it) => &it.message_id,
        Payload::MessageRerouted(it) => &it.message_id,
        _ => return None,
    };
    Some(id)
}
