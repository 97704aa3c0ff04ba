//! Skills asked for.

use heliograph_assignment::{Need, Skill};
use heliograph_domain::resources::Level;
use serde::Deserialize;

/// A skill and the lowest level that will do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WantedSkill {
    /// Name of the skill.
    pub skill: String,
    /// Lowest level; 1 unless given.
    #[serde(default)]
    pub level: Level,
}

impl WantedSkill {
    pub(crate) fn skill(&self) -> Skill {
        Skill::new(self.skill.as_str(), self.level.get())
    }
}

/// What an agent must have: a skill, or several put together. Exactly one of `skill`, `all`, `any` and `not`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// A skill.
    #[serde(default)]
    pub skill: Option<String>,
    /// Its lowest level; 1 unless given.
    #[serde(default)]
    pub level: Option<Level>,
    /// All of these.
    #[serde(default)]
    pub all: Option<Vec<Wanted>>,
    /// One of these.
    #[serde(default)]
    pub any: Option<Vec<Wanted>>,
    /// Not this.
    #[serde(default)]
    pub not: Option<Box<Wanted>>,
}

impl Wanted {
    /// The need it stands for; none where it is not exactly one thing.
    pub(crate) fn need(&self) -> Option<Need> {
        match (&self.skill, &self.all, &self.any, &self.not) {
            (Some(name), None, None, None) => {
                Some(Need::Skill(Skill::new(name.as_str(), self.level.unwrap_or_default().get())))
            }
            _ if self.level.is_some() => None,
            (None, Some(all), None, None) => Some(Need::All { all: needs(all)? }),
            (None, None, Some(any), None) => Some(Need::Any { any: needs(any)? }),
            (None, None, None, Some(not)) => Some(Need::Not { not: Box::new(not.need()?) }),
            _ => None,
        }
    }
}

/// The needs of a list; none where one of them is not exactly one thing.
pub(crate) fn needs(wanted: &[Wanted]) -> Option<Vec<Need>> {
    wanted.iter().map(Wanted::need).collect()
}
