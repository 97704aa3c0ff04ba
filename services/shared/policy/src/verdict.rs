//! What was decided, and why.

use std::{fmt, sync::Arc};

use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{Demand, RegionFinding};

/// What is to happen to the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It may go, or was received on a channel that may be answered on.
    Allow,
    /// It may not go. An inbound message is received all the same, and may not be answered on its channel.
    Deny,
    /// It may go by one of these channels, the best first. Never empty.
    UseChannel(Vec<Arc<str>>),
    /// It may go then, if this is asked again.
    Defer(Timestamp),
    /// It may go as a template.
    NeedsTemplate,
    /// It may go once the customer has agreed.
    NeedsConsent,
}

impl Outcome {
    /// How much it lets happen: 0 nothing, 3 everything. Of the rules that fire, the least decides.
    ///
    /// Of several that let equally much happen, another channel is asked for before consent, because consent is given for a
    /// channel, and consent before a time.
    pub fn permissiveness(&self) -> u8 {
        match self {
            Self::Deny => 0,
            Self::NeedsConsent | Self::Defer(_) | Self::UseChannel(_) => 1,
            Self::NeedsTemplate => 2,
            Self::Allow => 3,
        }
    }

    /// As [`Self::permissiveness`], told apart further.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Deny => 0,
            Self::UseChannel(_) => 1,
            Self::NeedsConsent => 2,
            Self::Defer(_) => 3,
            Self::NeedsTemplate => 4,
            Self::Allow => 5,
        }
    }

    /// Its name in events.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::UseChannel(_) => "use_channel",
            Self::Defer(_) => "defer",
            Self::NeedsTemplate => "needs_template",
            Self::NeedsConsent => "needs_consent",
        }
    }
}

/// Why: a code for machines, and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The region has the channel.
    RegionAllows {
        /// The region.
        region: Arc<str>,
        /// The channel.
        channel: Arc<str>,
        /// Its place in the order of preference, from 1.
        preference: usize,
    },
    /// The region does not have the channel.
    RegionForbids {
        /// The region.
        region: Arc<str>,
        /// The channel.
        channel: Arc<str>,
        /// Whether it is the default region.
        is_default: bool,
    },
    /// The region has these channels, and any would do.
    RegionOffers {
        /// The region.
        region: Arc<str>,
        /// The channels that are left, the best first.
        channels: Vec<Arc<str>>,
    },
    /// The region's events may not be held where this is decided.
    ResidencyElsewhere {
        /// The region.
        region: Arc<str>,
        /// Where it is decided.
        site: Arc<str>,
        /// Where they may be held.
        sites: Vec<Arc<str>>,
    },
    /// The region's events may be held where this is decided.
    ResidencyHere,
    /// A rule holds.
    RuleHolds {
        /// The rule.
        rule: Arc<str>,
        /// What it asks for.
        asks: Demand,
        /// Why, as the rule says.
        why: Option<Arc<str>>,
    },
    /// A rule is about the message, and what it asks for is fulfilled.
    RulePasses {
        /// The rule.
        rule: Arc<str>,
    },
    /// A rule is about the message, and its condition does not hold.
    RuleUnmet {
        /// The rule.
        rule: Arc<str>,
    },
    /// The tenant has no account in use on the channel.
    ChannelUnavailable {
        /// The channel.
        channel: Arc<str>,
    },
    /// The tenant has an account in use on the channel.
    ChannelAvailable,
    /// The customer does not want to be written to.
    OptedOut,
    /// The customer does not want to be written to, and the message is an emergency.
    OptOutOverridden,
    /// The class of message needs consent, and there is none.
    ConsentMissing,
    /// Nothing speaks against writing to the customer.
    ConsentSuffices,
    /// The messaging window is closed.
    WindowClosed {
        /// Whether a template may go instead.
        templates: bool,
    },
    /// The messaging window was to be open until a time that has passed.
    WindowElapsed {
        /// When it closed.
        at: Timestamp,
        /// Whether a template may go instead.
        templates: bool,
    },
    /// The messaging window is closed, and the message is a template.
    WindowTemplate,
    /// The messaging window is open, or there is none.
    WindowOpen,
    /// Consent and window are asked only of messages to the customer.
    InboundOnly,
}

impl Reason {
    /// The code for machines. Codes are only added.
    pub fn code(&self) -> &'static str {
        match self {
            Self::RegionAllows { .. } => "region.allows",
            Self::RegionForbids { is_default: false, .. } => "region.forbids",
            Self::RegionForbids { is_default: true, .. } => "region.default_forbids",
            Self::RegionOffers { .. } => "region.offers",
            Self::ResidencyElsewhere { .. } => "residency.elsewhere",
            Self::ResidencyHere => "residency.here",
            Self::RuleHolds { asks, .. } => asks.code(),
            Self::RulePasses { .. } => "rule.passes",
            Self::RuleUnmet { .. } => "rule.unmet",
            Self::ChannelUnavailable { .. } => "channel.unavailable",
            Self::ChannelAvailable => "channel.available",
            Self::OptedOut => "consent.opted_out",
            Self::OptOutOverridden => "consent.overridden",
            Self::ConsentMissing => "consent.missing",
            Self::ConsentSuffices => "consent.suffices",
            Self::WindowClosed { .. } => "window.closed",
            Self::WindowElapsed { .. } => "window.elapsed",
            Self::WindowTemplate => "window.template",
            Self::WindowOpen => "window.open",
            Self::InboundOnly => "direction.inbound",
        }
    }

    /// The rule of the policy that it is about, if it is about one.
    pub fn rule(&self) -> Option<&Arc<str>> {
        match self {
            Self::RuleHolds { rule, .. } | Self::RulePasses { rule } | Self::RuleUnmet { rule } => Some(rule),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegionAllows { region, channel, preference } => {
                write!(f, "region {region} allows {channel}, its preference number {preference}")
            }
            Self::RegionForbids { region, channel, .. } => {
                write!(f, "region {region} does not allow {channel}")
            }
            Self::RegionOffers { region, channels } if channels.is_empty() => {
                write!(f, "region {region} has no channel that may be used")
            }
            Self::RegionOffers { region, channels } => {
                write!(f, "region {region} offers {}", channels.join(", "))
            }
            Self::ResidencyElsewhere { region, site, sites } => {
                write!(
                    f,
                    "what region {region} says may be held at {} only, and this is {site}",
                    sites.join(", ")
                )
            }
            Self::ResidencyHere => f.write_str("what the region says may be held here"),
            Self::RuleHolds { rule, asks, why } => {
                write!(f, "rule {rule} {asks}")?;
                match why {
                    Some(why) => write!(f, ": {why}"),
                    None => Ok(()),
                }
            }
            Self::RulePasses { rule } => write!(f, "rule {rule} is fulfilled"),
            Self::RuleUnmet { rule } => write!(f, "the condition of rule {rule} does not hold"),
            Self::ChannelUnavailable { channel } => write!(f, "there is no account in use on {channel}"),
            Self::ChannelAvailable => f.write_str("there is an account in use on the channel"),
            Self::OptedOut => f.write_str("the customer has opted out"),
            Self::OptOutOverridden => f.write_str("the customer has opted out, but this is an emergency"),
            Self::ConsentMissing => f.write_str("marketing needs the customer's consent"),
            Self::ConsentSuffices => f.write_str("the customer has not opted out"),
            Self::WindowClosed { templates: true } => {
                f.write_str("the messaging window is closed; a template may be sent")
            }
            Self::WindowClosed { templates: false } => f.write_str("the messaging window is closed"),
            Self::WindowElapsed { at, templates } => {
                let instead = if *templates { "; a template may be sent" } else { "" };
                write!(f, "the messaging window closed at {at}{instead}")
            }
            Self::WindowTemplate => f.write_str("the messaging window is closed, and a template may be sent"),
            Self::WindowOpen => f.write_str("the messaging window is open"),
            Self::InboundOnly => f.write_str("consent and window are not asked of what the customer sends"),
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut written = serializer.serialize_struct("Reason", 2)?;
        written.serialize_field("code", self.code())?;
        written.serialize_field("text", &self.to_string())?;
        written.end()
    }
}

/// The decision on one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What is to happen.
    pub outcome: Outcome,
    /// The rules that had a say, the deciding ones first. Never empty.
    pub rules_fired: Vec<Reason>,
    /// The rules that are about the message and had no say.
    pub rules_tried: Vec<Reason>,
    /// Other channels the region, its rules and the tenant's accounts leave, the best first.
    pub alternatives: Vec<Arc<str>>,
    /// Name of the policy.
    pub policy: Arc<str>,
    /// Version of the policy.
    pub policy_version: u64,
    /// Where the customer is, and how that was found.
    pub region: RegionFinding,
}

impl Verdict {
    /// Whether the message may go as it is, or its channel may be answered on.
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allow
    }

    /// The reason that decided.
    pub fn reason(&self) -> &Reason {
        self.rules_fired.first().expect("a verdict has a reason")
    }
}

/// The verdict and each rule that led to it, a line each.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RegionFinding { region, country, source, confidence, term } = &self.region;
        let country = country.map_or("unknown", |country| country.code());
        write!(f, "{}", self.outcome.as_str())?;
        match &self.outcome {
            Outcome::UseChannel(channels) => write!(f, " {}", channels.join(", "))?,
            Outcome::Defer(until) => write!(f, " until {until}")?,
            _ => {}
        }
        write!(f, "\n  region  {region} (country {country}")?;
        if let Some(term) = term {
            write!(f, ", named by {term}")?;
        }
        write!(f, "; source {}, confidence {confidence} %)", source.as_str())?;
        for reason in &self.rules_fired {
            write!(f, "\n  fired   {}: {reason}", reason.code())?;
        }
        for reason in &self.rules_tried {
            write!(f, "\n  tried   {}: {reason}", reason.code())?;
        }
        if !self.alternatives.is_empty() {
            write!(f, "\n  instead {}", self.alternatives.join(", "))?;
        }
        write!(f, "\n  policy  {} version {}", self.policy, self.policy_version)
    }
}
