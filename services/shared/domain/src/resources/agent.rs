//! `Agent`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Level, SecretRef};

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
    pub queues: Vec<String>,
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
}

impl AgentSpec {
    /// Skills and languages in one: the language `pt` is the skill `lang-pt`.
    pub fn all_skills(&self) -> BTreeMap<String, Level> {
        let languages = self.languages.iter().map(|(tag, level)| (format!("lang-{tag}"), *level));
        self.skills.clone().into_iter().chain(languages).collect()
    }

    /// Whether the agent has a role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
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
