//! What an operator configures for one tenant's pool: queues, agents, channel classes, times.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A skill and the lowest level that will do, 1 to 10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skill {
    /// Skill name.
    pub name: Text,
    /// Lowest level that will do.
    #[serde(default = "lowest")]
    pub level: u8,
}

impl Skill {
    /// A skill wanted at `level` or above.
    pub fn new(name: impl Into<Text>, level: u8) -> Self {
        Self { name: name.into(), level }
    }
}

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QueueSpec {
    /// How long a reservation rings before it is taken back, in seconds; at least 1.
    pub ring_seconds: u32,
    /// How long an agent may wrap up after closing, in seconds; 0 closes at once.
    pub wrap_up_seconds: u32,
    /// Skills every piece of work in this queue requires, besides its own.
    pub required: Vec<Skill>,
    /// Skills every piece of work in this queue prefers, besides its own.
    pub preferred: Vec<Skill>,
}

impl Default for QueueSpec {
    fn default() -> Self {
        Self { ring_seconds: 20, wrap_up_seconds: 0, required: Vec::new(), preferred: Vec::new() }
    }
}

/// One agent, human or bot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentSpec {
    /// Skill levels, 1 to 10.
    pub skills: BTreeMap<Text, u8>,
    /// Queues the agent serves.
    pub queues: BTreeSet<Text>,
    /// Conversations at a time, per channel class (`chat: 5, voice: 1`). A class that is not listed is not served.
    pub capacity: BTreeMap<Text, u32>,
    /// Budget of class weights over all classes ("one call, or five chats, or a mix"); none: classes are independent.
    pub total: Option<u32>,
}

/// Everything configured for one tenant's pool. Applied whole: what is not in it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolConfig {
    /// Queues by name.
    pub queues: BTreeMap<Text, QueueSpec>,
    /// Agents by name.
    pub agents: BTreeMap<Text, AgentSpec>,
    /// Class of each channel; channels that are not listed are of class `default_class`.
    pub classes: BTreeMap<Text, Text>,
    /// Class of the channels that `classes` does not list.
    pub default_class: Text,
    /// What one conversation of a class takes from an agent's `total`; 1 unless listed.
    pub weights: BTreeMap<Text, u32>,
    /// An assigned or unassigned conversation in which nothing was said for so long is closed, in seconds.
    pub inactivity_seconds: u32,
    /// An agent of whom nothing was heard for so long is offline, in seconds.
    pub liveness_seconds: u32,
    /// An agent whose desk disconnected may return within this time, in seconds, before their work is taken back.
    pub grace_seconds: u32,
    /// Work an agent rejected, released or passed on is not offered to them again for so long, in seconds.
    pub cool_off_seconds: u32,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            classes: BTreeMap::new(),
            default_class: "chat".into(),
            weights: BTreeMap::new(),
            inactivity_seconds: 86_400,
            liveness_seconds: 60,
            grace_seconds: 30,
            cool_off_seconds: 30,
        }
    }
}

impl PoolConfig {
    /// The class of `channel`.
    pub(crate) fn class(&self, channel: &str) -> Text {
        self.classes.get(channel).unwrap_or(&self.default_class).clone()
    }

    /// What one conversation of `class` takes from an agent's total.
    pub(crate) fn weight(&self, class: &str) -> u32 {
        self.weights.get(class).copied().unwrap_or(1)
    }

    /// Ring time of `queue` in seconds, never 0: a reservation must be answerable.
    pub(crate) fn ring_seconds(&self, queue: &str) -> u32 {
        self.queues
            .get(queue)
            .map_or_else(|| QueueSpec::default().ring_seconds, |spec| spec.ring_seconds)
            .max(1)
    }

    /// Wrap-up time of `queue` in seconds.
    pub(crate) fn wrap_up_seconds(&self, queue: &str) -> u32 {
        self.queues.get(queue).map_or(0, |spec| spec.wrap_up_seconds)
    }
}

impl AgentSpec {
    /// Whether the agent has every one of `skills` at its level.
    pub(crate) fn has_all(&self, skills: &[Skill]) -> bool {
        skills.iter().all(|skill| self.level(&skill.name) >= skill.level)
    }

    /// Sum of the agent's levels in those of `skills` they have at the level wanted.
    pub(crate) fn score(&self, skills: &[Skill]) -> u32 {
        skills
            .iter()
            .map(|skill| (self.level(&skill.name), skill.level))
            .filter(|(has, wanted)| has >= wanted)
            .map(|(has, _)| u32::from(has))
            .sum()
    }

    fn level(&self, skill: &str) -> u8 {
        self.skills.get(skill).copied().unwrap_or(0)
    }
}

/// `own` and `others` as one sorted list, each skill once at the higher of its levels.
pub(crate) fn merge_skills(own: &[Skill], others: &[Skill]) -> Vec<Skill> {
    let mut levels: BTreeMap<&Text, u8> = BTreeMap::new();
    for skill in own.iter().chain(others) {
        let level = levels.entry(&skill.name).or_default();
        *level = skill.level.max(*level);
    }
    levels.into_iter().map(|(name, level)| Skill { name: name.clone(), level }).collect()
}

fn lowest() -> u8 {
    1
}
