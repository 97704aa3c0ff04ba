//! `RoutingRule`.

use serde::{Deserialize, Serialize};

use super::{SkillDemands, yes};

/// Which conversations go to which queue. Of the rules that match, the one with the lowest `order` decides, and of equal
/// ones the first by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingRuleSpec {
    /// Place among the tenant's rules: lower is asked first.
    #[serde(default)]
    pub order: i32,
    /// Which conversations. Absent means all.
    #[serde(default, rename = "match", skip_serializing_if = "RoutingMatch::is_empty")]
    pub matches: RoutingMatch,
    /// A condition in CEL that must hold as well. Absent means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The queue they go to.
    pub queue: String,
    /// Skills they ask for, beside the queue's own.
    #[serde(default, skip_serializing_if = "SkillDemands::is_empty")]
    pub skills: SkillDemands,
    /// Levels of priority, added to the queue's, 0 to 255: the higher goes first.
    #[serde(default)]
    pub priority: u8,
    /// Whether the customer's last agent is asked first, where the queue does that.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub sticky: bool,
}

/// Conditions, all of which must hold. An empty list is no condition; of a list, one entry must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutingMatch {
    /// Channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Regions of the policy, or `default`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Languages as BCP 47 tags; `pt` matches `pt-BR` as well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Channel accounts by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<String>,
    /// Words of the customer's first message, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
}

impl RoutingMatch {
    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_yes(value: &bool) -> bool {
    *value
}
