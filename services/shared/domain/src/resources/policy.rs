//! `ChannelPolicy`.

use serde::{Deserialize, Serialize};

/// Which channels a region may use, in which order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPolicySpec {
    /// Regions and their channels. Their order means nothing: the most specific term decides.
    #[serde(default)]
    pub regions: Vec<PolicyRegion>,
    /// For countries that no region names, and for customers whose country is unknown.
    pub default: DefaultRegion,
    /// What is forbidden whatever the regions allow.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<DenyRule>,
}

/// A named set of countries and the channels they may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRegion {
    /// Name of the region. It becomes part of event subjects.
    pub name: String,
    /// Terms such as `DE`, `union:eu`, `region:419`, and `"!CU"` for an exception.
    pub countries: Vec<String>,
    /// Channels in order of preference. None at all means that the region may not be written with.
    pub channels: Vec<String>,
}

/// The region of everybody else.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultRegion {
    /// Channels in order of preference.
    pub channels: Vec<String>,
}

/// Something forbidden. Each list narrows the rule; an empty list does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenyRule {
    /// Name of the rule, shown as the reason.
    pub name: String,
    /// Channels it forbids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Countries it holds for, in the terms of a region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Classes of messages it forbids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<MessageClass>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a message is for. Consent and providers' rules differ by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// An answer, or what a conversation needs.
    #[default]
    Service,
    /// A notice the customer expects: an order, an appointment.
    Utility,
    /// Advertising.
    Marketing,
    /// A one-time code.
    Authentication,
    /// Danger to life or property.
    Emergency,
}

impl MessageClass {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Service, Self::Utility, Self::Marketing, Self::Authentication, Self::Emergency];

    /// The class as it is written in resources.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Utility => "utility",
            Self::Marketing => "marketing",
            Self::Authentication => "authentication",
            Self::Emergency => "emergency",
        }
    }
}
