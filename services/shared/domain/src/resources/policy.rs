//! `ChannelPolicy`.

use std::collections::BTreeMap;

use heliograph_proto::v1;
use serde::{Deserialize, Serialize};

use super::{ClockTime, Period, SenderIdentity};

/// Which channels a region may use, in which order, when, and with whose consent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelPolicySpec {
    /// The tenant's own sets of countries, to be named `union:<name>` in regions and rules.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unions: BTreeMap<String, Vec<String>>,
    /// Regions and their channels. Their order means nothing: the most specific term decides.
    #[serde(default)]
    pub regions: Vec<PolicyRegion>,
    /// For countries that no region names, and for customers whose country is unknown.
    pub default: RegionPlan,
    /// What narrows the regions. Their order means nothing: the strictest that holds decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<PolicyRule>,
    /// What is tried when a message could not reach the customer by its channel. The first that holds is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback: Vec<Fallback>,
    /// Templates that messages become when the messaging window is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<WindowTemplate>,
    /// Consent: which words give and take it, and what is answered.
    #[serde(default, skip_serializing_if = "ConsentSettings::is_default")]
    pub consent: ConsentSettings,
    /// When addresses of one customer become one contact by themselves.
    #[serde(default, skip_serializing_if = "IdentitySettings::is_default")]
    pub identity: IdentitySettings,
}

/// A named set of countries and the channels they may use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRegion {
    /// Name of the region. It becomes part of event subjects.
    pub name: String,
    /// Terms such as `DE`, `union:eu`, `region:419`, `number:+1787`, and `"!CU"` for an exception.
    pub countries: Vec<String>,
    /// As in [`RegionPlan`].
    pub channels: Vec<String>,
    /// As in [`RegionPlan`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<MessageClass, Vec<String>>,
    /// As in [`RegionPlan`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// As in [`RegionPlan`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residency: Vec<String>,
}

impl PolicyRegion {
    /// What holds in it.
    pub fn plan(&self) -> RegionPlan {
        RegionPlan {
            channels: self.channels.clone(),
            classes: self.classes.clone(),
            time_zone: self.time_zone.clone(),
            residency: self.residency.clone(),
        }
    }
}

/// What holds in a region.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionPlan {
    /// Channels in order of preference. None at all means that the region may not be written with.
    pub channels: Vec<String>,
    /// Channels of some classes of messages, in place of `channels`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<MessageClass, Vec<String>>,
    /// IANA time zone of customers whose own cannot be told, such as `America/Chicago`. Without it, every zone of their
    /// country counts, so that nobody is written to at night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Sites whose streams may hold the region's events. None at all means every site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub residency: Vec<String>,
}

/// Which messages a rule is about. Each list narrows it; an empty list does not.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Only messages that go this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Way>,
    /// Regions of this policy, or `default`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// Countries, in the terms of a region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
    /// Channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Classes of messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<MessageClass>,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the customer.
    Inbound,
    /// To the customer.
    Outbound,
}

/// Something that narrows what regions allow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Name of the rule, shown as the reason.
    pub name: String,
    /// Which messages it is about.
    #[serde(default, rename = "match", skip_serializing_if = "Scope::is_default")]
    pub scope: Scope,
    /// A CEL condition over the facts. Absent means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What it asks for.
    pub then: Effect,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What a rule asks for. All but `deny` look at messages to the customer only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The message may not go; what came in may not be answered on its channel.
    Deny,
    /// The customer must have opted in.
    NeedsConsent,
    /// Only a template may go.
    NeedsTemplate,
    /// Only these channels may be used, the best first.
    UseChannel(Vec<String>),
    /// Only while this `Calendar` is open, in the customer's time zone unless the calendar has its own; otherwise later.
    Hours(String),
    /// Not during these hours of the customer's day; later instead.
    QuietHours(QuietHours),
    /// Not more than so many of the messages the rule is about; later instead.
    AtMost(AtMost),
    /// Only from senders of these kinds.
    Sender(Vec<SenderIdentity>),
}

/// Hours of every day, past midnight if `to` is before `from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// First quiet minute.
    pub from: ClockTime,
    /// First minute after.
    pub to: ClockTime,
}

/// A frequency cap, counted for each contact over everything the rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AtMost {
    /// How many messages, 1 to 50.
    pub messages: u32,
    /// In how long a time, at most 31 days.
    pub per: Period,
}

/// What is tried when a message could not reach the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// Its name, shown as the reason.
    pub name: String,
    /// Which messages it is about; `channels` are those they were to leave by.
    #[serde(default, rename = "match", skip_serializing_if = "Scope::is_default")]
    pub scope: Scope,
    /// What has to happen.
    pub on: Vec<Trigger>,
    /// For `no_receipt`: how long a receipt is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Period>,
    /// Channels to try, the best first. None at all means those of the region, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// What makes a message try another channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Policy denies the channel.
    Denied,
    /// The provider said that it will never work, then or later.
    Failed,
    /// The messaging window is closed and no template stands in.
    WindowClosed,
    /// No receipt came in time. The first copy may still arrive.
    NoReceipt,
    /// Nobody knows whether it arrived: the customer may see it twice.
    InDoubt,
}

impl Trigger {
    /// The trigger as it is written in resources and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::WindowClosed => "window_closed",
            Self::NoReceipt => "no_receipt",
            Self::InDoubt => "in_doubt",
        }
    }
}

/// A template that stands in for a message when the messaging window is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowTemplate {
    /// The channel it is for.
    pub channel: String,
    /// Regions it is for; none at all means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<String>,
    /// The template's name or id with the provider.
    pub name: String,
    /// Its language, as the provider has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The parameter that takes what was to be said; none where the template only asks the customer to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_parameter: Option<String>,
}

/// Consent by words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentSettings {
    /// Channels on which words such as STOP are looked for. Absent means `sms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<String>>,
    /// Further words, beside those of the regions' languages that are always known.
    #[serde(skip_serializing_if = "Keywords::is_default")]
    pub keywords: Keywords,
    /// What is answered, by language tag; `{name}` stands for the tenant's display name. Absent means our own words.
    #[serde(skip_serializing_if = "Replies::is_default")]
    pub replies: Replies,
}

/// Words a customer may send alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keywords {
    /// They take consent away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// They give it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub start: Vec<String>,
    /// They ask who writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub help: Vec<String>,
}

/// Answers to words, by language tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Replies {
    /// To the last message the customer gets.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stop: BTreeMap<String, String>,
    /// To consent given.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub start: BTreeMap<String, String>,
    /// To a call for help.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub help: BTreeMap<String, String>,
}

/// When addresses of one customer become one contact by themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdentitySettings {
    /// What has to be the same and verified.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub join: Vec<JoinBy>,
}

/// What joins addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinBy {
    /// A phone number that the channel vouches for.
    VerifiedPhone,
    /// An e-mail address that the channel vouches for.
    VerifiedEmail,
}

macro_rules! is_default {
    ($($settings:ty),+) => {
        $(impl $settings {
            fn is_default(&self) -> bool {
                *self == Self::default()
            }
        })+
    };
}

is_default!(Scope, ConsentSettings, Keywords, Replies, IdentitySettings);

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

    /// The class that is written like this.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// What a message on the wire is for; nothing said means service.
impl From<v1::MessageClass> for MessageClass {
    fn from(class: v1::MessageClass) -> Self {
        match class {
            v1::MessageClass::Unspecified | v1::MessageClass::Service => Self::Service,
            v1::MessageClass::Utility => Self::Utility,
            v1::MessageClass::Marketing => Self::Marketing,
            v1::MessageClass::Authentication => Self::Authentication,
            v1::MessageClass::Emergency => Self::Emergency,
        }
    }
}
