//! `Queue`, and the skills that queues, rules and agents speak of.

use serde::{Deserialize, Serialize};

use super::Period;

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
    /// Precedence over other queues, 0 to 255: the higher goes first.
    #[serde(default)]
    pub priority: u8,
}

/// Skills asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillDemands {
    /// Who lacks one of these is not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<SkillDemand>,
    /// Who has these is asked first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<SkillDemand>,
}

impl SkillDemands {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.required.is_empty() && self.preferred.is_empty()
    }
}

/// One skill asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillDemand {
    /// Name of the skill.
    pub skill: String,
    /// Least proficiency.
    #[serde(default)]
    pub level: Level,
}

/// Proficiency in a skill: 1 (some) to 10 (master).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u8")]
pub struct Level(u8);

impl Level {
    /// The level, if it is one.
    pub fn new(level: u8) -> Option<Self> {
        (1..=10).contains(&level).then_some(Self(level))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Default for Level {
    /// The least level: whoever has the skill at all.
    fn default() -> Self {
        Self(1)
    }
}

impl From<Level> for u8 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl TryFrom<i64> for Level {
    type Error = InvalidLevel;

    fn try_from(level: i64) -> Result<Self, InvalidLevel> {
        u8::try_from(level).ok().and_then(Self::new).ok_or(InvalidLevel(level))
    }
}

/// Not a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("skill level {0} is out of range; levels go from 1 to 10")]
pub struct InvalidLevel(pub i64);

fn half_a_minute() -> Period {
    Period::seconds(30)
}
