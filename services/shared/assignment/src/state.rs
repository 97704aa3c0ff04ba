//! The facts: what a snapshot holds. Everything else is derived from them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    ask::{AskId, Asks},
    config::PoolConfig,
    decision::ConversationRef,
    entry::{Address, Presence},
    recent::Recent,
    table::Table,
    text::{Text, Timestamp},
};

/// A conversation's number within its pool, in order of opening.
pub(crate) type Number = u64;

/// One tenant's pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Pool {
    pub(crate) config: Arc<PoolConfig>,
    /// State of every configured agent.
    pub(crate) agents: Table<Text, Agent>,
    /// What is known of the configured queues, and of those that work waits in.
    pub(crate) queues: BTreeMap<Text, Queue>,
    /// What open conversations ask for.
    pub(crate) asks: Asks,
    /// Open conversations.
    pub(crate) conversations: Table<Number, Conversation>,
    /// Contacts with an open conversation or a recent message.
    pub(crate) contacts: Table<Text, Contact>,
    /// Number of the next conversation.
    pub(crate) next: Number,
    /// The next place in the order in which agents' workloads changed.
    pub(crate) idle_rank: u64,
}

/// What is remembered of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    /// The open conversation of each scope.
    pub(crate) open: BTreeMap<Text, Number>,
    /// Message ids and request ids seen, in both directions.
    pub(crate) recent: Recent,
    /// Who answered last, and when that ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_agent: Option<(Text, Timestamp)>,
    /// When it is forgotten; none while a conversation is open.
    pub(crate) forget_at: Option<Timestamp>,
}

/// What is known of a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Queue {
    /// Its hours say that it is closed.
    pub(crate) closed: bool,
    /// When it opens or closes next.
    pub(crate) changes_at: Option<Timestamp>,
    /// Time between two pieces of work leaving it for an agent while others wait, smoothed, in milliseconds.
    pub(crate) pace_ms: Option<i64>,
    /// When work last left it for an agent; none while nothing waits.
    pub(crate) left_at: Option<Timestamp>,
    /// How long a conversation of it takes an agent, smoothed, in milliseconds.
    pub(crate) handled_ms: Option<i64>,
}

/// An open conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) about: Arc<ConversationRef>,
    pub(crate) phase: Phase,
    /// What it asks for; none before it was ever queued.
    pub(crate) ask: Option<AskId>,
    pub(crate) class: Text,
    /// Its own priority, without the queue's.
    pub(crate) priority: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<Text>,
    pub(crate) opened_at: Timestamp,
    /// When it first asked for an agent: its place among equals, whatever happens to it later.
    pub(crate) arrived: Timestamp,
    /// When it is closed if nothing more is said.
    pub(crate) inactive_at: Timestamp,
    /// When that is looked at: never later. What is said does not move the timer, which costs more than looking once more.
    pub(crate) look_at: Timestamp,
    /// How far it is in its queue.
    pub(crate) wait: Wait,
    /// Agents it is not offered to, and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) cool_offs: BTreeMap<Text, Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) callback: Option<Recall>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) consult: Option<Consult>,
    /// Supervisors who take part.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) joined: BTreeSet<Text>,
}

/// How far a conversation is in its queue. Outlives an offer that is not taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Wait {
    /// When it came to this queue.
    pub(crate) entered: Timestamp,
    /// Steps of relaxation taken.
    pub(crate) steps: u8,
    /// Who may take it while it waits.
    #[serde(skip_serializing_if = "Stand::is_open")]
    pub(crate) stand: Stand,
    /// Queues it came from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) left: Vec<Text>,
    /// When the customer was last told the place.
    pub(crate) told_at: Timestamp,
    /// When something falls due because it waits; none while it does not.
    pub(crate) due: Option<Timestamp>,
    /// It waited too long already, and what its queue does then was done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) overdue: bool,
}

/// Who may take waiting work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stand {
    /// Whoever has what it takes.
    #[default]
    Open,
    /// The customer's last agent alone, until then.
    Held { agent: Text, until: Timestamp },
    /// Nobody before then: a callback for later.
    Asleep { until: Timestamp },
}

impl Stand {
    fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

/// A customer who is called back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recall {
    pub(crate) address: Option<Address>,
    pub(crate) not_before: Option<Timestamp>,
}

/// A colleague who is asked for advice, and holds capacity for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consult {
    pub(crate) agent: Text,
    pub(crate) by: Text,
    /// The reservation, and when it rings out; none once the colleague has joined.
    pub(crate) ringing: Option<(Text, Timestamp)>,
}

/// Where an open conversation stands; always exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Asks for no agent: opened by the business or a word for the system, or policy leaves no way to answer.
    Unassigned,
    /// Waits in its queue.
    Waiting,
    /// Rings at an agent.
    Reserved {
        reservation: Text,
        agent: Text,
        expires_at: Timestamp,
        /// Somebody named this very agent: queue and skills were not asked.
        direct: bool,
    },
    /// Is an agent's.
    Assigned { agent: Text, since: Timestamp },
    /// Is being wrapped up.
    WrapUp { agent: Text, since: Timestamp, ends_at: Timestamp, wrap_up: Option<Text> },
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub(crate) presence: Presence,
    /// When the workload last changed, or the agent came online.
    pub(crate) idle_since: Timestamp,
    /// Place of that change among all: who has been idle longer, without ties.
    pub(crate) idle_rank: u64,
    /// When the agent is offline if nothing is heard; none while offline.
    pub(crate) alive_until: Option<Timestamp>,
    /// When that is looked at: never later.
    pub(crate) look_at: Option<Timestamp>,
    /// When the agent is offline because the desk disconnected; none while connected.
    pub(crate) grace_until: Option<Timestamp>,
    /// The presence to take once the work in hand is done.
    pub(crate) when_done: Option<Presence>,
    /// Conversations reserved for, assigned to or wrapped up by the agent.
    pub(crate) work: BTreeSet<Number>,
    /// Conversations the agent advises on, or is asked to.
    pub(crate) consults: BTreeSet<Number>,
    /// Conversations the agent takes part in as a supervisor; they hold no capacity.
    pub(crate) joined: BTreeSet<Number>,
    /// How many of `work` and `consults` are of each class.
    pub(crate) used: BTreeMap<Text, u32>,
    /// Command ids seen.
    pub(crate) commands: Recent,
}

impl Phase {
    /// The agent whose capacity it holds.
    pub(crate) fn agent(&self) -> Option<&Text> {
        match self {
            Self::Unassigned | Self::Waiting => None,
            Self::Reserved { agent, .. } | Self::Assigned { agent, .. } | Self::WrapUp { agent, .. } => {
                Some(agent)
            }
        }
    }
}

impl Agent {
    /// Whether the agent is online with a live desk.
    pub(crate) fn ready(&self) -> bool {
        self.presence == Presence::Online && self.grace_until.is_none()
    }

    /// One conversation of `class` less is carried.
    pub(crate) fn give_back(&mut self, class: &Text) {
        if let Some(used) = self.used.get_mut(class) {
            *used -= 1;
            if *used == 0 {
                self.used.remove(class);
            }
        }
    }

    /// Whether nothing is in hand.
    pub(crate) fn is_done(&self) -> bool {
        self.work.is_empty() && self.consults.is_empty()
    }
}

impl Pool {
    /// Whether nothing but the configuration is in it.
    pub(crate) fn is_blank(&self) -> bool {
        self.conversations.len() == 0 && self.contacts.len() == 0
    }

    /// Whether `agent` turned `number` down, or gave it away, too recently to be asked again.
    pub(crate) fn cools_off(&self, agent: &str, number: Number) -> bool {
        self.conversations.get(&number).is_some_and(|conversation| conversation.cool_offs.contains_key(agent))
    }
}
