//! What the machine decides. The shell turns each decision into an event, a piece of outbound work, or an answer.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    entry::{Address, Presence, Target},
    need::{Need, Skill},
    text::{Text, Timestamp},
};

/// One decision, with all that addresses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Place among the decisions of its entry. With the entry's position it names the decision, on every replica.
    pub index: u32,
    /// Tenant.
    pub tenant: Text,
    /// The conversation it is about, if any.
    pub conversation: Option<Arc<ConversationRef>>,
    /// What was decided.
    pub kind: Kind,
    /// Why, for machines and people.
    pub reasons: Vec<Reason>,
}

/// A conversation and where its customer can be reached now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRef {
    /// Conversation id.
    pub id: Text,
    /// Contact.
    pub contact: Text,
    /// Conversation scope.
    pub scope: Text,
    /// Where the customer last wrote from; where replies go.
    pub address: Address,
}

/// A machine-readable reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code, such as `longest_idle`.
    pub code: Cow<'static, str>,
    /// For people; may be empty.
    #[serde(default)]
    pub detail: Cow<'static, str>,
}

impl Reason {
    /// A reason of our own.
    pub fn new(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code), detail: detail.into() }
    }
}

/// Who sent a message to the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sender {
    /// An agent, in a conversation assigned to them.
    Agent(Text),
    /// The business itself: API, campaign.
    Business,
}

/// Which way the first message of a conversation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer.
    Inbound,
    /// To the customer.
    Outbound,
}

/// Where work waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Queue.
    pub queue: Text,
    /// Position in the queue by priority and arrival, from 1.
    pub position: u32,
    /// How many wait in the queue, this one included.
    pub waiting: u32,
    /// No agent of the queue is online: the customer should be told.
    pub no_agent_online: bool,
    /// How long the wait is likely to be from now on, in seconds; none where nothing is known yet.
    pub estimated_wait: Option<u32>,
    /// When the queue opens; none while it is open.
    pub opens_at: Option<Timestamp>,
}

/// How an agent was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// Agents of the queue who were online.
    pub candidates: u32,
    /// Those of them who had the skills and the room.
    pub eligible: u32,
    /// The chosen agent's score in the preferred skills; in a mix, all their points.
    pub score: i64,
    /// How much of what they can carry the chosen agent carried, in thousandths.
    pub occupancy: u16,
    /// Since when the chosen agent's workload had not changed.
    pub idle_since: Timestamp,
}

/// What a reservation is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To answer a customer who waits.
    #[default]
    Work,
    /// To call a customer back who asked for it.
    Callback,
    /// To advise a colleague.
    Consult,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A conversation began.
    ConversationOpened {
        /// Who spoke first.
        direction: Direction,
        /// Channel class it counts as.
        class: Text,
    },
    /// A customer's message became part of the conversation.
    MessageReceived {
        /// Message id.
        message_id: Text,
        /// The provider's own time of it.
        at_provider: Option<Timestamp>,
    },
    /// The conversation waits for an agent.
    ConversationQueued {
        /// Where.
        place: Place,
        /// What is asked, the queue's own included.
        required: Vec<Need>,
        /// Skills preferred, queue defaults included.
        preferred: Vec<Skill>,
        /// Priority.
        priority: i32,
        /// Language tag.
        language: Option<Text>,
    },
    /// An agent is offered the conversation.
    ReservationCreated {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
        /// Queue it came from.
        queue: Text,
        /// When it rings out.
        expires_at: Timestamp,
        /// How the agent was chosen; none where somebody named this very agent.
        choice: Option<Choice>,
        /// What for.
        purpose: Purpose,
    },
    /// The agent took it.
    ReservationAccepted {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
    },
    /// The agent turned it down.
    ReservationRejected {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
        /// Why, in the agent's words.
        reason: Option<Text>,
    },
    /// It rang out (RONA).
    ReservationTimedOut {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
    },
    /// The offer was withdrawn.
    ReservationRescinded {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
    },
    /// The conversation is the agent's.
    ConversationAssigned {
        /// Agent.
        agent: Text,
        /// Queue it came from.
        queue: Text,
    },
    /// A message to the customer was taken on: outbound work.
    MessageAccepted {
        /// Message id.
        message_id: Text,
        /// Where to send it.
        address: Address,
        /// Who sent it.
        sender: Sender,
    },
    /// The conversation lost its agent and waits again, in the place its first arrival gives it.
    ConversationRequeued {
        /// Where.
        place: Place,
        /// The agent it was with.
        agent: Text,
    },
    /// The agent passed the conversation on; the offer or the queueing that follows says where it is now.
    ConversationTransferred {
        /// The agent who passed it on.
        from: Text,
        /// To whom.
        to: Target,
    },
    /// Less is asked from now on, because it has waited long.
    ConversationRelaxed {
        /// Queue.
        queue: Text,
        /// Steps taken so far, from 1.
        step: u32,
        /// What is still asked.
        required: Vec<Need>,
        /// Agents up to this ring are asked.
        ring: u8,
    },
    /// It waits in another queue from now on.
    ConversationOverflowed {
        /// The queue it left.
        from: Text,
        /// Where it waits now.
        place: Place,
    },
    /// Where it stands, to be told to the customer.
    PositionAnnounced {
        /// Where.
        place: Place,
    },
    /// It waited as long as its queue lets it; what follows says what became of it.
    WaitTimedOut {
        /// Queue.
        queue: Text,
        /// Since when it waited.
        since: Timestamp,
    },
    /// The customer is called back when it is their turn, and does not wait any more.
    CallbackScheduled {
        /// Where it stands.
        place: Place,
        /// Where they are called.
        address: Address,
        /// Not before; none: when it is their turn.
        not_before: Option<Timestamp>,
    },
    /// The customer waits again.
    CallbackCancelled {
        /// Where it stands.
        place: Place,
    },
    /// It has another priority from now on.
    ConversationPrioritized {
        /// The supervisor.
        by: Text,
        /// Its own priority.
        priority: i32,
        /// Where it stands, if it waits.
        place: Option<Place>,
    },
    /// A colleague advises.
    ConsultStarted {
        /// Who advises.
        agent: Text,
        /// Who asked.
        by: Text,
    },
    /// The colleague does not advise any more, or never came to it.
    ConsultEnded {
        /// Who advised.
        agent: Text,
        /// Who asked.
        by: Text,
    },
    /// A supervisor takes part.
    SupervisorJoined {
        /// Who.
        agent: Text,
    },
    /// A supervisor takes part no more.
    SupervisorLeft {
        /// Who.
        agent: Text,
    },
    /// The agent wraps up; their capacity is held until the end.
    WrapUpStarted {
        /// Agent.
        agent: Text,
        /// When it ends by itself.
        ends_at: Timestamp,
        /// Wrap-up code so far.
        wrap_up: Option<Text>,
    },
    /// The conversation is over. The customer's next message opens another.
    ConversationClosed {
        /// The agent who had it, if one did.
        agent: Option<Text>,
        /// Wrap-up code.
        wrap_up: Option<Text>,
    },
    /// An agent's presence changed.
    AgentPresenceChanged {
        /// Agent.
        agent: Text,
        /// Presence before.
        from: Presence,
        /// Presence now.
        to: Presence,
    },
    /// A command was carried out; what it caused follows.
    CommandAccepted {
        /// Command id.
        command_id: Text,
        /// Agent; none for a business-initiated send.
        agent: Option<Text>,
    },
    /// A command was refused and changed nothing.
    CommandRefused {
        /// Command id.
        command_id: Text,
        /// Agent; empty for a customer's request.
        agent: Text,
        /// Stable code.
        code: Cow<'static, str>,
        /// For the agent to read.
        message: String,
    },
    /// The tenant's pool left this partition.
    PoolMoved {
        /// Routing partition it goes to.
        to: u16,
        /// All of it, for [`crate::Arrive`].
        state: Arc<[u8]>,
    },
    /// The tenant's pool is at home in this partition from here on.
    PoolArrived {
        /// Routing partition it came from.
        from: u16,
    },
    /// The entry belongs to a tenant whose pool left, and has to be appended there.
    Forwarded {
        /// Routing partition it goes to.
        to: u16,
    },
    /// The entry was seen before and changed nothing.
    Duplicate {
        /// The message seen before, if it was one.
        message_id: Option<Text>,
        /// The command seen before or again, if there is one.
        command_id: Option<Text>,
    },
}

impl Kind {
    /// The event type on the public stream, such as `conversation.queued`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ConversationOpened { .. } => "conversation.opened",
            Self::MessageReceived { .. } => "message.received",
            Self::ConversationQueued { .. } => "conversation.queued",
            Self::ReservationCreated { .. } => "reservation.created",
            Self::ReservationAccepted { .. } => "reservation.accepted",
            Self::ReservationRejected { .. } => "reservation.rejected",
            Self::ReservationTimedOut { .. } => "reservation.timed_out",
            Self::ReservationRescinded { .. } => "reservation.rescinded",
            Self::ConversationAssigned { .. } => "conversation.assigned",
            Self::MessageAccepted { .. } => "message.accepted",
            Self::ConversationRequeued { .. } => "conversation.requeued",
            Self::ConversationTransferred { .. } => "conversation.transferred",
            Self::ConversationRelaxed { .. } => "conversation.relaxed",
            Self::ConversationOverflowed { .. } => "conversation.overflowed",
            Self::PositionAnnounced { .. } => "conversation.position",
            Self::WaitTimedOut { .. } => "conversation.wait_timed_out",
            Self::CallbackScheduled { .. } => "callback.scheduled",
            Self::CallbackCancelled { .. } => "callback.cancelled",
            Self::ConversationPrioritized { .. } => "conversation.prioritized",
            Self::ConsultStarted { .. } => "consult.started",
            Self::ConsultEnded { .. } => "consult.ended",
            Self::SupervisorJoined { .. } => "supervisor.joined",
            Self::SupervisorLeft { .. } => "supervisor.left",
            Self::PoolMoved { .. } => "pool.moved",
            Self::PoolArrived { .. } => "pool.arrived",
            Self::Forwarded { .. } => "entry.forwarded",
            Self::WrapUpStarted { .. } => "conversation.wrap_up",
            Self::ConversationClosed { .. } => "conversation.closed",
            Self::AgentPresenceChanged { .. } => "agent.presence_changed",
            Self::CommandAccepted { .. } => "command.accepted",
            Self::CommandRefused { .. } => "command.refused",
            Self::Duplicate { .. } => "entry.duplicate",
        }
    }
}

/// Why a command was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No such agent is configured.
    #[error("agent is not configured")]
    UnknownAgent,
    /// The agent has to go online first.
    #[error("agent is offline")]
    AgentOffline,
    /// It rang out, was withdrawn, or never was.
    #[error("reservation expired")]
    ReservationExpired,
    /// Another agent's.
    #[error("reservation offered to another agent")]
    ReservationOfAnother,
    /// Closed, or never was.
    #[error("conversation is not open")]
    ConversationNotOpen,
    /// Nobody's yet.
    #[error("conversation is not assigned")]
    ConversationNotAssigned,
    /// Another agent's.
    #[error("conversation assigned to another agent")]
    ConversationOfAnother,
    /// It is being wrapped up.
    #[error("conversation is in wrap-up")]
    ConversationInWrapUp,
    /// It is not being wrapped up.
    #[error("conversation is not in wrap-up")]
    ConversationNotInWrapUp,
    /// No such queue is configured.
    #[error("queue is not configured")]
    UnknownQueue,
    /// A transfer's target cannot take it.
    #[error("agent is not online or has no free capacity")]
    TargetUnavailable,
    /// A transfer to oneself.
    #[error("conversation is already with this agent")]
    TransferToSelf,
    /// Nobody is asked to answer it.
    #[error("conversation asks for no agent")]
    ConversationUnattended,
    /// Only supervisors may.
    #[error("agent is not a supervisor")]
    NotSupervisor,
    /// One colleague at a time is asked.
    #[error("a colleague is asked already; end that consultation first")]
    ConsultUnderWay,
    /// No colleague is asked.
    #[error("there is no consultation to end")]
    NoConsult,
    /// The supervisor takes part already.
    #[error("supervisor takes part already")]
    AlreadyJoined,
    /// The supervisor takes no part.
    #[error("supervisor does not take part")]
    NotJoined,
    /// Nothing waits that could be called back.
    #[error("conversation is not waiting")]
    ConversationNotWaiting,
    /// The queue has no callbacks.
    #[error("the queue does not call back; set `callback: true` on it")]
    CallbackNotOffered,
}

impl Refusal {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownAgent => "unknown_agent",
            Self::AgentOffline => "agent_offline",
            Self::ReservationExpired => "reservation_expired",
            Self::ReservationOfAnother => "reservation_of_another_agent",
            Self::ConversationNotOpen => "conversation_not_open",
            Self::ConversationNotAssigned => "conversation_not_assigned",
            Self::ConversationOfAnother => "conversation_of_another_agent",
            Self::ConversationInWrapUp => "conversation_in_wrap_up",
            Self::ConversationNotInWrapUp => "conversation_not_in_wrap_up",
            Self::UnknownQueue => "unknown_queue",
            Self::TargetUnavailable => "target_unavailable",
            Self::TransferToSelf => "transfer_to_self",
            Self::ConversationUnattended => "conversation_unattended",
            Self::NotSupervisor => "not_supervisor",
            Self::ConsultUnderWay => "consult_under_way",
            Self::NoConsult => "no_consult",
            Self::AlreadyJoined => "already_joined",
            Self::NotJoined => "not_joined",
            Self::ConversationNotWaiting => "conversation_not_waiting",
            Self::CallbackNotOffered => "callback_not_offered",
        }
    }
}
