//! `Agent`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Level, SecretRef, language_skill, no};

/// Somebody who answers customers, or supervises those who do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentSpec {
    /// The name people read.
    pub display_name: String,
    /// What the agent signs in with. Absent means the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Password of a development user; elsewhere people sign in through OpenID Connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Queues the agent serves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<Serves>,
    /// Skills and how well the agent has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skills: BTreeMap<String, Level>,
    /// Languages as lower-case BCP 47 tags, and how well the agent speaks them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub languages: BTreeMap<String, Level>,
    /// Conversations at a time, by the class of their channel: `chat`, `voice`. A class that is not listed is not served.
    #[serde(default = "usual_capacity")]
    pub capacity: BTreeMap<String, u32>,
    /// Conversations at a time over all classes, each counted by its weight. Absent means that classes are independent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// What the agent may do.
    #[serde(default = "agent_only")]
    pub roles: Vec<Role>,
    /// Whether offers are taken at once, without ringing.
    #[serde(default, skip_serializing_if = "no")]
    pub auto_accept: bool,
    /// Whether it is a person.
    #[serde(default, skip_serializing_if = "AgentKind::is_person")]
    pub kind: AgentKind,
}

impl AgentSpec {
    /// Skills and languages in one: the language `pt` is the skill `lang-pt`.
    pub fn all_skills(&self) -> BTreeMap<String, Level> {
        let languages = self.languages.iter().map(|(tag, level)| (language_skill(tag), *level));
        self.skills.clone().into_iter().chain(languages).collect()
    }

    /// Names of the queues the agent serves.
    pub fn queue_names(&self) -> impl Iterator<Item = &str> {
        self.queues.iter().map(|serves| serves.queue.as_str())
    }

    /// Whether the agent has a role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// A queue that an agent serves: its name alone, or `{ queue: support, ring: 2 }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serves {
    /// The queue.
    pub queue: String,
    /// Whom it asks when: ring 1 at once, further ones when it relaxes so far. 1 to 9.
    pub ring: u8,
}

impl Serves {
    /// The ring that is asked at once.
    pub const FIRST_RING: u8 = 1;
    /// The last ring there is.
    pub const LAST_RING: u8 = 9;
}

/// [`Serves`] in full.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    queue: String,
    #[serde(default = "first_ring")]
    ring: u8,
}

impl Serialize for Serves {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.ring {
            Self::FIRST_RING => serializer.serialize_str(&self.queue),
            ring => Written { queue: self.queue.clone(), ring }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Serves {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrBoth;

        impl<'de> de::Visitor<'de> for NameOrBoth {
            type Value = Serves;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a queue, or { queue: support, ring: 2 }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Serves, E> {
                Ok(Serves { queue: name.to_owned(), ring: Serves::FIRST_RING })
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Serves, A::Error> {
                let Written { queue, ring } =
                    Written::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(Serves { queue, ring })
            }
        }

        deserializer.deserialize_any(NameOrBoth)
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKind {
    /// Somebody at the desk.
    #[default]
    Person,
    /// A program, which hands over to people.
    Bot,
}

impl AgentKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_person(&self) -> bool {
        *self == Self::Person
    }
}

/// What a user of the desk may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes and answers conversations.
    Agent,
    /// Sees everybody's conversations and moves them.
    Supervisor,
}

fn usual_capacity() -> BTreeMap<String, u32> {
    BTreeMap::from([("chat".to_owned(), 3)])
}

fn agent_only() -> Vec<Role> {
    vec![Role::Agent]
}

fn first_ring() -> u8 {
    Serves::FIRST_RING
}
