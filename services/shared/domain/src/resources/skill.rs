//! Skills that queues, rules and agents speak of.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

/// Skills asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillDemands {
    /// Who lacks one of these is not asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<SkillTree>,
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

/// One skill asked for: `{ skill: billing, level: 3 }`, or as a language `{ language: pt-BR, level: 3 }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct SkillDemand {
    /// What it is called.
    pub name: SkillName,
    /// Least proficiency.
    pub level: Level,
}

/// How a skill is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SkillName {
    /// By its name.
    Skill(String),
    /// As a language, by its BCP 47 tag.
    Language(String),
}

impl SkillDemand {
    /// The skill's name: that of a language is `lang-` and its tag in lower case.
    pub fn skill(&self) -> Cow<'_, str> {
        match &self.name {
            SkillName::Skill(name) => Cow::Borrowed(name),
            SkillName::Language(tag) => Cow::Owned(language_skill(tag)),
        }
    }
}

/// `billing:3`.
impl fmt::Display for SkillDemand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.skill(), self.level.get())
    }
}

/// The skill of speaking a language: `lang-pt-br` of `pt-BR`.
pub fn language_skill(tag: &str) -> String {
    format!("lang-{}", tag.to_ascii_lowercase())
}

/// Skills asked for, combined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum SkillTree {
    /// A skill.
    Skill(SkillDemand),
    /// One of these at least.
    Any(Vec<Self>),
    /// Every one of these.
    All(Vec<Self>),
    /// Not this.
    Not(Box<Self>),
}

impl SkillTree {
    /// The skills it names, from left to right.
    pub fn leaves(&self) -> Vec<&SkillDemand> {
        match self {
            Self::Skill(demand) => vec![demand],
            Self::Any(trees) | Self::All(trees) => trees.iter().flat_map(Self::leaves).collect(),
            Self::Not(tree) => tree.leaves(),
        }
    }
}

/// `billing:3`, `any(lang-pt:5, lang-es:8)`, `not(trainee:1)`.
impl fmt::Display for SkillTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, trees) = match self {
            Self::Skill(demand) => return demand.fmt(f),
            Self::Not(tree) => return write!(f, "not({tree})"),
            Self::Any(trees) => ("any", trees),
            Self::All(trees) => ("all", trees),
        };
        write!(f, "{name}(")?;
        for (index, tree) in trees.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            tree.fmt(f)?;
        }
        f.write_str(")")
    }
}

/// A demand as it stands in a resource: one of the five keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skill: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    any: Option<Vec<SkillTree>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    all: Option<Vec<SkillTree>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not: Option<Box<SkillTree>>,
}

/// A demand that says too much, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDemand {
    /// None of the keys, or several.
    #[error("name exactly one of skill, language, any, all, not")]
    Keys,
    /// A level of something that is no skill.
    #[error("level belongs to a skill or a language, not to any, all or not")]
    Level,
    /// A combination where only a skill can stand.
    #[error("any, all and not stand under required only; preferred is a list of skills and languages")]
    Combined,
}

impl TryFrom<Written> for SkillTree {
    type Error = InvalidDemand;

    fn try_from(written: Written) -> Result<Self, InvalidDemand> {
        let Written { skill, language, level, any, all, not } = written;
        let leaf = |name| Ok(Self::Skill(SkillDemand { name, level: level.unwrap_or_default() }));
        let combined = |tree| if level.is_none() { Ok(tree) } else { Err(InvalidDemand::Level) };
        match (skill, language, any, all, not) {
            (Some(name), None, None, None, None) => leaf(SkillName::Skill(name)),
            (None, Some(tag), None, None, None) => leaf(SkillName::Language(tag)),
            (None, None, Some(trees), None, None) => combined(Self::Any(trees)),
            (None, None, None, Some(trees), None) => combined(Self::All(trees)),
            (None, None, None, None, Some(tree)) => combined(Self::Not(tree)),
            _ => Err(InvalidDemand::Keys),
        }
    }
}

impl TryFrom<Written> for SkillDemand {
    type Error = InvalidDemand;

    fn try_from(written: Written) -> Result<Self, InvalidDemand> {
        match SkillTree::try_from(written)? {
            SkillTree::Skill(demand) => Ok(demand),
            _ => Err(InvalidDemand::Combined),
        }
    }
}

impl From<SkillDemand> for Written {
    fn from(demand: SkillDemand) -> Self {
        let level = Some(demand.level);
        match demand.name {
            SkillName::Skill(name) => Self { skill: Some(name), level, ..Self::default() },
            SkillName::Language(tag) => Self { language: Some(tag), level, ..Self::default() },
        }
    }
}

impl From<SkillTree> for Written {
    fn from(tree: SkillTree) -> Self {
        match tree {
            SkillTree::Skill(demand) => demand.into(),
            SkillTree::Any(trees) => Self { any: Some(trees), ..Self::default() },
            SkillTree::All(trees) => Self { all: Some(trees), ..Self::default() },
            SkillTree::Not(tree) => Self { not: Some(tree), ..Self::default() },
        }
    }
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
