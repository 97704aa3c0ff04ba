//! The facts: what a snapshot holds. Everything else is derived from them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::{
    config::PoolConfig,
    decision::ConversationRef,
    entry::Presence,
    need::{Need, Skill},
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
    pub(crate) config: PoolConfig,
    /// State of every configured agent.
    pub(crate) agents: BTreeMap<Text, Agent>,
    /// Open conversations.
    pub(crate) conversations: Table<Number, Conversation>,
    /// Contacts with an open conversation or a recent message.
    pub(crate) contacts: Table<Text, Contact>,
    /// Number of the next conversation.
    pub(crate) next: Number,
}

/// What is remembered of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Contact {
    /// The open conversation of each scope.
    pub(crate) open: BTreeMap<Text, Number>,
    /// Message ids seen, in both directions.
    pub(crate) recent: Recent,
    /// When it is forgotten; none while a conversation is open.
    pub(crate) forget_at: Option<Timestamp>,
}

/// An open conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) about: Arc<ConversationRef>,
    pub(crate) phase: Phase,
    pub(crate) profile: Arc<Profile>,
    pub(crate) priority: i32,
    #[serde(default)]
    pub(crate) language: Option<Text>,
    pub(crate) opened_at: Timestamp,
    /// When it first asked for an agent: its place among equals, whatever happens to it later.
    pub(crate) arrived: Timestamp,
    /// When it is closed if nothing more is said.
    pub(crate) inactive_at: Timestamp,
    /// Agents it is not offered to, and until when.
    #[serde(default)]
    pub(crate) cool_offs: BTreeMap<Text, Timestamp>,
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
        /// A transfer to this very agent: queue and skills were not asked.
        direct: bool,
    },
    /// Is an agent's.
    Assigned { agent: Text },
    /// Is being wrapped up.
    WrapUp { agent: Text, ends_at: Timestamp, wrap_up: Option<Text> },
}

/// What work asks for. Work with equal profiles is served by the same agents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) queue: Text,
    pub(crate) class: Text,
    pub(crate) required: Vec<Need>,
    pub(crate) preferred: Vec<Skill>,
}

/// An agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Agent {
    pub(crate) presence: Presence,
    /// When the workload last changed, or the agent came online.
    pub(crate) idle_since: Timestamp,
    /// When the agent is offline if nothing is heard; none while offline.
    pub(crate) alive_until: Option<Timestamp>,
    /// When the agent is offline because the desk disconnected; none while connected.
    pub(crate) grace_until: Option<Timestamp>,
    /// Conversations reserved for, assigned to or wrapped up by the agent.
    pub(crate) work: BTreeSet<Number>,
    /// How many of them are of each class.
    pub(crate) used: BTreeMap<Text, u32>,
    /// Command ids seen.
    pub(crate) commands: Recent,
}

/// Order of waiting work: priority, then arrival, then opening.
pub(crate) type WaitKey = (Reverse<i32>, Timestamp, Number);

impl Phase {
    /// The agent whose capacity it holds.
    pub(crate) fn agent(&self) -> Option<&Text> {
        match self {
            Self::Unassigned | Self::Waiting => None,
            Self::Reserved { agent, .. } | Self::Assigned { agent } | Self::WrapUp { agent, .. } => {
                Some(agent)
            }
        }
    }
}

impl Conversation {
    /// Its place in the queue's order.
    pub(crate) fn key(&self, number: Number) -> WaitKey {
        (Reverse(self.priority), self.arrived, number)
    }
}

impl Agent {
    /// Whether the agent is online with a live desk.
    pub(crate) fn ready(&self) -> bool {
        self.presence == Presence::Online && self.grace_until.is_none()
    }
}

impl Pool {
    /// Whether `agent` could carry one more conversation of `class`.
    pub(crate) fn has_room(&self, agent: &str, class: &str) -> bool {
        let (Some(state), Some(spec)) = (self.agents.get(agent), self.config.agents.get(agent)) else {
            return false;
        };
        let used = state.used.get(class).copied().unwrap_or(0);
        if used >= spec.capacity.get(class).copied().unwrap_or(0) {
            return false;
        }
        spec.total.is_none_or(|total| self.load(state).saturating_add(self.config.weight(class)) <= total)
    }

    /// Whether `agent` carries more of `class`, or in all, than they can, as a smaller configuration can leave them.
    pub(crate) fn over_capacity(&self, agent: &str, class: &str) -> bool {
        let (Some(state), Some(spec)) = (self.agents.get(agent), self.config.agents.get(agent)) else {
            return false;
        };
        let used = state.used.get(class).copied().unwrap_or(0);
        used > spec.capacity.get(class).copied().unwrap_or(0)
            || spec.total.is_some_and(|total| self.load(state) > total)
    }

    /// Whether `agent` may be offered work of `class` now.
    pub(crate) fn is_free(&self, agent: &str, class: &str) -> bool {
        self.agents.get(agent).is_some_and(Agent::ready) && self.has_room(agent, class)
    }

    /// Whether `agent` serves the queue and has the skills.
    pub(crate) fn suits(&self, agent: &str, profile: &Profile) -> bool {
        self.config.agents.get(agent).is_some_and(|spec| {
            spec.queues.contains_key(&profile.queue) && profile.required.iter().all(|need| need.met_by(spec))
        })
    }

    /// Whether `agent` turned `number` down, or gave it away, too recently to be asked again.
    pub(crate) fn cools_off(&self, agent: &str, number: Number) -> bool {
        self.conversations.get(&number).is_some_and(|conversation| conversation.cool_offs.contains_key(agent))
    }

    fn load(&self, agent: &Agent) -> u32 {
        agent
            .used
            .iter()
            .map(|(class, used)| used.saturating_mul(self.config.weight(class)))
            .fold(0, u32::saturating_add)
    }
}
