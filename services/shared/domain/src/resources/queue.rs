//! `Queue`.

mod waiting;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Period, SkillDemands, no};
pub use waiting::{
    Announce, Closed, ClosedThen, InvalidOverflow, MaxWait, Overflow, OverflowWhen, Relax, WaitEnd,
};

/// Where conversations wait for an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueSpec {
    /// The name people read.
    pub display_name: String,
    /// How long a conversation rings at an agent before it goes to the next.
    #[serde(default = "half_a_minute")]
    pub ring_timeout: Period,
    /// How long an agent is left alone after a conversation, to finish it.
    #[serde(default = "half_a_minute")]
    pub wrap_up: Period,
    /// Skills every conversation of the queue asks for.
    #[serde(default, skip_serializing_if = "SkillDemands::is_empty")]
    pub skills: SkillDemands,
    /// Levels of priority of all its conversations, added to those of the rule, 0 to 255: the higher goes first.
    #[serde(default)]
    pub priority: u8,
    /// Within what time its conversations should find an agent.
    #[serde(default, skip_serializing_if = "ServiceLevel::is_default")]
    pub service_level: ServiceLevel,
    /// So long a wait counts as one level of priority more. Absent means ten times the target of the service level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aging: Option<Period>,
    /// Which of the agents who may take a conversation is asked first.
    #[serde(default, skip_serializing_if = "AgentsBy::is_default")]
    pub agents_by: AgentsBy,
    /// Whether a customer's last agent is asked first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
    /// How less is asked for the longer a conversation waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relax: Vec<Relax>,
    /// When conversations go on to another queue. The first that applies decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overflow: Vec<Overflow>,
    /// The `Calendar` by which it opens. Absent means that it is always open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<String>,
    /// What becomes of conversations that arrive while it is closed.
    #[serde(default, skip_serializing_if = "Closed::is_default")]
    pub closed: Closed,
    /// What becomes of conversations that waited too long. Absent means that they go on waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_wait: Option<MaxWait>,
    /// How often customers are told their place. Absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announce: Option<Announce>,
    /// Whether customers may ask to be called back instead of waiting.
    #[serde(default, skip_serializing_if = "no")]
    pub callback: bool,
}

impl QueueSpec {
    /// How long a wait counts as one level of priority.
    pub fn aging(&self) -> Period {
        self.aging.unwrap_or_else(|| self.service_level.target.times(10))
    }

    /// The queues it may send conversations on to, with the field that names each.
    pub fn onward(&self) -> Vec<(String, &str)> {
        let overflow = self.overflow.iter().enumerate();
        let mut found: Vec<(String, &str)> = overflow
            .map(|(index, overflow)| (format!("spec.overflow[{index}].to"), overflow.to.as_str()))
            .collect();
        found.extend(self.closed.to.as_deref().map(|to| ("spec.closed.to".to_owned(), to)));
        let late = self.max_wait.as_ref().and_then(|wait| wait.to.as_deref());
        found.extend(late.map(|to| ("spec.max_wait.to".to_owned(), to)));
        found
    }
}

/// Within what time conversations should find an agent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceLevel {
    /// The time.
    #[serde(default = "target")]
    pub target: Period,
    /// The share of conversations that should find one by then, above 0 and at most 1.
    #[serde(default = "share")]
    pub share: f64,
}

impl ServiceLevel {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for ServiceLevel {
    /// 80 % within 20 seconds, as contact centres have it.
    fn default() -> Self {
        Self { target: target(), share: share() }
    }
}

/// Which of the agents who may take a conversation is asked first. Of those with the same preferred skills, except where
/// everything is weighed at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgentsBy {
    /// Whose workload has not changed for longest.
    #[default]
    LongestIdle,
    /// Who carries the smallest part of what they can; of equals the longest idle.
    LeastOccupied,
    /// Who has the highest levels in the required skills; of equals the longest idle.
    BestLevel,
    /// All of it, weighed.
    Mix(ChoiceWeights),
}

/// How much each thing counts in the choice of an agent, 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChoiceWeights {
    /// Every ten seconds of idleness.
    #[serde(default)]
    pub idle: u8,
    /// Every tenth of the agent's capacity that is free.
    #[serde(default)]
    pub occupancy: u8,
    /// Every level in the skills asked for.
    #[serde(default)]
    pub level: u8,
}

/// The words for the choices that are one.
const CHOICES: [(&str, AgentsBy); 3] = [
    ("longest_idle", AgentsBy::LongestIdle),
    ("least_occupied", AgentsBy::LeastOccupied),
    ("best_level", AgentsBy::BestLevel),
];

impl AgentsBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Serialize for AgentsBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Mix(weights) = self {
            return weights.serialize(serializer);
        }
        let word = CHOICES.iter().find(|(_, choice)| choice == self).map(|(word, _)| *word);
        serializer.serialize_str(word.expect("every choice that is no mix has a word"))
    }
}

impl<'de> Deserialize<'de> for AgentsBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrWeights;

        impl<'de> de::Visitor<'de> for WordOrWeights {
            type Value = AgentsBy;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(
                    "longest_idle, least_occupied, best_level, or weights such as { idle: 1, level: 3 }",
                )
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<AgentsBy, E> {
                let found = CHOICES.iter().find(|(known, _)| *known == word);
                found.map(|(_, choice)| *choice).ok_or_else(|| {
                    E::unknown_variant(word, &["longest_idle", "least_occupied", "best_level"])
                })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<AgentsBy, A::Error> {
                ChoiceWeights::deserialize(de::value::MapAccessDeserializer::new(map)).map(AgentsBy::Mix)
            }
        }

        deserializer.deserialize_any(WordOrWeights)
    }
}

/// A customer's last agent is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// How long the last agent is remembered after a conversation.
    #[serde(default = "a_week")]
    pub remember: Period,
    /// How long a conversation waits for that agent alone, where they are online and have no room.
    #[serde(default = "half_a_minute")]
    pub wait: Period,
}

fn half_a_minute() -> Period {
    Period::seconds(30)
}

fn a_week() -> Period {
    Period::seconds(7 * 86_400)
}

fn target() -> Period {
    Period::seconds(20)
}

fn share() -> f64 {
    0.8
}
