//! What the routing log carries: proposals of intake, commands of agents, configuration, due timers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    config::PoolConfig,
    decision::Reason,
    need::{Need, Skill},
    text::{Position, Text, Timestamp},
};

/// One entry of the routing log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A customer wrote; intake resolved who, where from and what is wanted.
    Inbound(Inbound),
    /// A business-initiated message (API, bot, campaign).
    Send(SendMessage),
    /// An agent's command.
    Command(Command),
    /// A tenant's configuration changed.
    Configure(Configure),
    /// A customer asks to be called back instead of waiting, or no longer.
    Callback(Callback),
    /// A customer who waits leaves: hangs up, or closes the page.
    Abandon(Abandon),
    /// A tenant's pool goes to another partition.
    Move(Move),
    /// A tenant's pool comes from another partition.
    Arrive(Arrive),
    /// Timers are due.
    TimerDue(TimerDue),
}

/// Where a customer can be reached: one customer as one channel account sees them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Address {
    /// Channel, such as `sms`.
    pub channel: Text,
    /// Channel account.
    pub account: Text,
    /// The provider's id of the customer; opaque, never assumed to be a phone number.
    pub user: Text,
    /// Region by the tenant's policy, if one was found.
    #[serde(default)]
    pub region: Option<Text>,
}

/// A customer's message, as intake proposes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inbound {
    /// Tenant, from the channel account.
    pub tenant: Text,
    /// Contact.
    pub contact: Text,
    /// Conversation scope; at most one conversation is open per contact and scope.
    pub scope: Text,
    /// Message id; a second entry with the same id changes nothing.
    pub message_id: Text,
    /// Where it came from, and where a reply goes.
    pub address: Address,
    /// Queue the work belongs in.
    pub queue: Text,
    /// What an agent must have; all of it.
    #[serde(default)]
    pub required: Vec<Need>,
    /// Skills that make an agent the better choice.
    #[serde(default)]
    pub preferred: Vec<Skill>,
    /// The higher, the sooner. The queue's own is added to it.
    #[serde(default)]
    pub priority: i32,
    /// The customer's last agent is not asked first, whatever the queue says.
    #[serde(default)]
    pub no_sticky: bool,
    /// Language tag, for agents to see. Intake adds a skill where it should decide who answers.
    #[serde(default)]
    pub language: Option<Text>,
    /// Whether policy leaves a way to answer. Without one it is recorded, and not offered to agents.
    pub policy_allowed: bool,
    /// A word for the system, such as STOP: it is recorded, and no agent is asked to answer.
    #[serde(default)]
    pub unattended: bool,
    /// Why policy said so; carried on to `message.received`.
    #[serde(default)]
    pub policy_reasons: Vec<Reason>,
    /// The provider's own time of the message.
    #[serde(default)]
    pub at_provider: Option<Timestamp>,
}

/// A message to a customer that no agent's conversation asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendMessage {
    /// Tenant.
    pub tenant: Text,
    /// Contact.
    pub contact: Text,
    /// Conversation scope.
    pub scope: Text,
    /// Message id; a second entry with the same id changes nothing.
    pub message_id: Text,
    /// Where to send it.
    pub address: Address,
    /// Channel class; none: the channel's.
    #[serde(default)]
    pub class: Option<Text>,
    /// The command the sender waits on.
    pub command_id: Text,
}

/// A tenant's whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configure {
    /// Tenant.
    pub tenant: Text,
    /// Replaces what was configured before.
    pub config: PoolConfig,
}

/// An agent's command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Tenant, from the credential.
    pub tenant: Text,
    /// Agent, from the credential.
    pub agent: Text,
    /// Command id; a second entry with the same id changes nothing.
    pub command_id: Text,
    /// What to do.
    pub action: Action,
}

/// What an agent can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Go online, away or offline.
    SetPresence {
        /// Presence wanted.
        presence: Presence,
        /// Only once the work in hand is done; until then the agent is away, and takes no more.
        #[serde(default)]
        when_done: bool,
    },
    /// The agent's desk is alive. Emits nothing unless refused.
    Heartbeat,
    /// The agent's last desk connection is gone.
    Disconnected,
    /// Take the work offered.
    Accept {
        /// Reservation id.
        reservation: Text,
    },
    /// Turn the work offered down.
    Reject {
        /// Reservation id.
        reservation: Text,
        /// Why, in the agent's words.
        #[serde(default)]
        reason: Option<Text>,
    },
    /// Answer the customer.
    Reply {
        /// Conversation id.
        conversation: Text,
        /// Message id; a second reply with the same id changes nothing.
        message_id: Text,
        /// Where to send it; none: where the customer last wrote from.
        #[serde(default)]
        address: Option<Address>,
    },
    /// The work is done; wrap-up begins if the queue has one.
    Close {
        /// Conversation id.
        conversation: Text,
        /// Wrap-up code.
        #[serde(default)]
        wrap_up: Option<Text>,
    },
    /// Wrap-up is done.
    FinishWrapUp {
        /// Conversation id.
        conversation: Text,
        /// Wrap-up code; none keeps the one given at closing.
        #[serde(default)]
        wrap_up: Option<Text>,
    },
    /// Pass the conversation on.
    Transfer {
        /// Conversation id.
        conversation: Text,
        /// To whom.
        to: Target,
    },
    /// Give the conversation back to its queue.
    Release {
        /// Conversation id.
        conversation: Text,
    },
    /// Ask a colleague for advice; the conversation stays with the agent who asks. Passing the conversation on to the
    /// colleague who joined ends the consultation.
    Consult {
        /// Conversation id.
        conversation: Text,
        /// Whom; of a queue, or of those with certain skills, the best who has room now.
        to: Target,
    },
    /// The consultation is over: the colleague leaves, or is no longer asked.
    EndConsult {
        /// Conversation id.
        conversation: Text,
    },
    /// A supervisor gives somebody's conversation, or one that waits, to an agent, to a queue, or to whoever has certain
    /// skills. An agent gets it at once, without ringing.
    Assign {
        /// Conversation id.
        conversation: Text,
        /// To whom.
        to: Target,
    },
    /// A supervisor takes a conversation over.
    Pull {
        /// Conversation id.
        conversation: Text,
    },
    /// A supervisor joins an assigned conversation (barges in), and may write to the customer.
    Join {
        /// Conversation id.
        conversation: Text,
    },
    /// A supervisor leaves a conversation they joined.
    Leave {
        /// Conversation id.
        conversation: Text,
    },
    /// A supervisor puts a conversation before or behind others.
    Prioritize {
        /// Conversation id.
        conversation: Text,
        /// Its own priority from now on.
        priority: i32,
    },
    /// A supervisor sends an agent away, signs them off or brings them back.
    SetAgentPresence {
        /// Whose.
        agent: Text,
        /// Presence wanted.
        presence: Presence,
    },
}

/// A customer's wish to be called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Tenant, from the channel account or the credential.
    pub tenant: Text,
    /// Contact.
    pub contact: Text,
    /// Conversation scope.
    pub scope: Text,
    /// Request id; a second entry with the same id changes nothing.
    pub command_id: Text,
    /// Where they want to be called; none: where they last wrote from.
    #[serde(default)]
    pub address: Option<Address>,
    /// Not before; none: as soon as it is their turn.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// They would rather wait, after all.
    #[serde(default)]
    pub cancel: bool,
}

/// A customer leaves who nobody has answered yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandon {
    /// Tenant, from the channel account or the credential.
    pub tenant: Text,
    /// Contact.
    pub contact: Text,
    /// Conversation scope.
    pub scope: Text,
    /// Request id; a second entry with the same id changes nothing.
    pub command_id: Text,
}

/// A tenant's pool goes to another partition; what comes for the tenant here after that is passed on there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// Tenant.
    pub tenant: Text,
    /// Routing partition it goes to.
    pub to: u16,
}

/// A tenant's pool comes from another partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrive {
    /// Tenant.
    pub tenant: Text,
    /// Where the [`Move`] stands that it left by.
    pub position: Position,
    /// The pool, as [`crate::Kind::PoolMoved`] wrote it.
    pub state: Arc<[u8]>,
}

/// Where a transfer goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One agent, who must be online with room; skills are the transferring agent's judgement.
    Agent(Text),
    /// A queue; its skills replace those wanted before.
    Queue(Text),
    /// Whoever of the conversation's queue has these skills, which replace those wanted before.
    Skills(Vec<Need>),
}

/// Whether an agent takes work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Takes work.
    Online,
    /// Keeps the work in hand and takes no more.
    Away,
    /// Has no work.
    #[default]
    Offline,
}

/// Timers are due. The shell appends it once [`crate::Machine::next_due`] has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerDue {
    /// Every timer due by then fires, in order of its time.
    pub due: Timestamp,
}

impl Entry {
    /// The tenant it concerns; none for due timers, which are the whole partition's.
    pub fn tenant(&self) -> Option<&Text> {
        match self {
            Self::Inbound(inbound) => Some(&inbound.tenant),
            Self::Send(send) => Some(&send.tenant),
            Self::Command(command) => Some(&command.tenant),
            Self::Configure(configure) => Some(&configure.tenant),
            Self::Callback(callback) => Some(&callback.tenant),
            Self::Abandon(abandon) => Some(&abandon.tenant),
            Self::Move(asked) => Some(&asked.tenant),
            Self::Arrive(arrive) => Some(&arrive.tenant),
            Self::TimerDue(_) => None,
        }
    }
}
