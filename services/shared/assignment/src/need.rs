//! What work asks of an agent: skills at levels, combined.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{config::AgentSpec, text::Text};

/// A skill and the lowest level that will do, 1 to 10.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

fn lowest() -> u8 {
    1
}

/// What an agent must have, or must not have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Need {
    /// A skill at a level or above.
    Skill(Skill),
    /// Every one of these.
    All {
        /// What is needed; nothing: always fulfilled.
        all: Vec<Need>,
    },
    /// One of these at least.
    Any {
        /// What would do; nothing: never fulfilled.
        any: Vec<Need>,
    },
    /// Not this.
    Not {
        /// What is not wanted.
        not: Box<Need>,
    },
}

impl From<Skill> for Need {
    fn from(skill: Skill) -> Self {
        Self::Skill(skill)
    }
}

impl Need {
    /// Whether `agent` fulfils it.
    pub fn met_by(&self, agent: &AgentSpec) -> bool {
        match self {
            Self::Skill(skill) => agent.level(&skill.name) >= skill.level,
            Self::All { all } => all.iter().all(|need| need.met_by(agent)),
            Self::Any { any } => any.iter().any(|need| need.met_by(agent)),
            Self::Not { not } => !not.met_by(agent),
        }
    }

    /// Sum of the agent's levels in the skills that are wanted here, as far as they count.
    pub(crate) fn levels(&self, agent: &AgentSpec) -> u32 {
        match self {
            Self::Skill(skill) if self.met_by(agent) => agent.level(&skill.name).into(),
            Self::All { all: needs } | Self::Any { any: needs } => {
                needs.iter().map(|need| need.levels(agent)).sum()
            }
            Self::Skill(_) | Self::Not { .. } => 0,
        }
    }

    /// The same with less asked: skills in `drop` not at all, others `lower` levels below. None: nothing is left.
    ///
    /// What is not wanted stays unwanted at the level that was named, and may be dropped by name as well.
    pub(crate) fn relaxed(&self, lower: u8, drop: &BTreeSet<Text>) -> Option<Self> {
        let each = |needs: &[Self]| needs.iter().map(|need| need.relaxed(lower, drop)).collect::<Vec<_>>();
        match self {
            Self::Skill(skill) if drop.contains(&skill.name) => None,
            Self::Skill(Skill { name, level }) => {
                Some(Self::Skill(Skill { name: name.clone(), level: level.saturating_sub(lower).max(1) }))
            }
            Self::All { all } => {
                let all: Vec<Self> = each(all).into_iter().flatten().collect();
                (!all.is_empty()).then_some(Self::All { all })
            }
            // Where one of several would do and one is dropped, nothing is asked any more.
            Self::Any { any } => {
                let any: Option<Vec<Self>> = each(any).into_iter().collect();
                any.map(|any| Self::Any { any })
            }
            Self::Not { not } => {
                let dropped = not.relaxed(0, drop);
                dropped.map(|not| Self::Not { not: Box::new(not) })
            }
        }
    }

    /// The skills any agent must have who fulfils it, whatever else is asked: where to look first.
    pub(crate) fn certain<'a>(&'a self, into: &mut Vec<&'a Skill>) {
        match self {
            Self::Skill(skill) => into.push(skill),
            Self::All { all } => all.iter().for_each(|need| need.certain(into)),
            Self::Any { any } if any.len() == 1 => any[0].certain(into),
            Self::Any { .. } | Self::Not { .. } => {}
        }
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

/// `own` and `others` as one sorted list: plain skills once each at the higher of their levels, everything else once.
pub(crate) fn merge_needs(own: &[Need], others: &[Need]) -> Vec<Need> {
    let plain = |needs: &[Need]| -> Vec<Skill> {
        needs
            .iter()
            .filter_map(|need| if let Need::Skill(skill) = need { Some(skill.clone()) } else { None })
            .collect()
    };
    let skills = merge_skills(&plain(own), &plain(others)).into_iter().map(Need::Skill);
    let rest: BTreeSet<&Need> =
        own.iter().chain(others).filter(|need| !matches!(need, Need::Skill(_))).collect();
    skills.chain(rest.into_iter().cloned()).collect()
}
