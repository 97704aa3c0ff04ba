//! A group of agents who are alike.

use std::{collections::BTreeMap, fmt};

use heliograph_assignment::AgentSpec;
use heliograph_domain::resources::{Level, Period, Serves, language_skill};
use serde::{Deserialize, Deserializer, de};

use super::Share;
use crate::{distribution::Distribution, week::Stretch};

/// Agents who are alike: people, or bots.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// What it is called.
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// Their skills and levels.
    #[serde(default)]
    pub skills: BTreeMap<String, Level>,
    /// Languages they speak, and how well.
    #[serde(default)]
    pub languages: BTreeMap<String, Level>,
    /// Queues they serve.
    pub queues: Vec<Serves>,
    /// Conversations at a time by class; three chats unless given.
    #[serde(default = "three_chats")]
    pub capacity: BTreeMap<String, u32>,
    /// Conversations at a time over all classes, each counted by its weight.
    #[serde(default)]
    pub total: Option<u32>,
    /// When they are at work; always unless given.
    #[serde(default)]
    pub shifts: Vec<Stretch>,
    /// Work is theirs at once, without ringing.
    #[serde(default)]
    pub auto_accept: bool,
    /// How long they let it ring before they answer; they answer at once unless given.
    #[serde(default)]
    pub answers_after: Option<Distribution>,
    /// How many offers they turn down.
    #[serde(default)]
    pub rejects: Share,
    /// How many offers they let ring out.
    #[serde(default)]
    pub misses: Share,
    /// How long they are away after they let one ring out.
    #[serde(default = "after_a_minute")]
    pub back_after: Distribution,
    /// How fast they work; 1 unless given. One number, or one for each kind of work.
    #[serde(default)]
    pub speed: Speed,
    /// How long they need, whatever the work says: bots.
    #[serde(default)]
    pub service: Option<Distribution>,
    /// How many conversations they hand over.
    #[serde(default)]
    pub hands_over: Option<HandOver>,
}

impl Group {
    /// One of its agents as the engine has them.
    pub(crate) fn spec(&self) -> AgentSpec {
        let languages = self.languages.iter().map(|(tag, level)| (language_skill(tag), *level));
        let skills = self.skills.clone().into_iter().chain(languages);
        AgentSpec {
            skills: skills.map(|(name, level)| (name.into(), level.get())).collect(),
            queues: self.queues.iter().map(|serves| (serves.queue.as_str().into(), serves.ring)).collect(),
            capacity: self.capacity.iter().map(|(class, count)| (class.as_str().into(), *count)).collect(),
            total: self.total,
            auto_accept: self.auto_accept,
            supervisor: false,
        }
    }
}

/// Conversations that a group hands over after its part: a bot that is at its wits' end.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// How many.
    pub share: Share,
    /// The queue they go to.
    pub to: String,
}

/// How fast a group works: half the speed takes twice as long.
#[derive(Clone, Debug, PartialEq)]
pub enum Speed {
    /// Whatever the work.
    All(f64),
    /// By kind of work; 1 where it is not listed.
    ByWork(BTreeMap<String, f64>),
}

impl Default for Speed {
    fn default() -> Self {
        Self::All(1.0)
    }
}

impl Speed {
    /// For one kind of work.
    pub(crate) fn at(&self, work: &str) -> f64 {
        match self {
            Self::All(speed) => *speed,
            Self::ByWork(speeds) => speeds.get(work).copied().unwrap_or(1.0),
        }
    }

    /// Every number in it.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::All(speed) => vec![*speed],
            Self::ByWork(speeds) => speeds.values().copied().collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Speed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Speed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or numbers by kind of work")
            }
            fn visit_f64<E>(self, speed: f64) -> Result<Speed, E> {
                Ok(Speed::All(speed))
            }
            #[allow(clippy::cast_precision_loss, reason = "speeds are small")]
            fn visit_u64<E>(self, speed: u64) -> Result<Speed, E> {
                Ok(Speed::All(speed as f64))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Speed, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(Speed::ByWork)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// As a resource `Agent` has it.
fn three_chats() -> BTreeMap<String, u32> {
    BTreeMap::from([("chat".to_owned(), 3)])
}

fn after_a_minute() -> Distribution {
    Distribution::Fixed(Period::seconds(60))
}
