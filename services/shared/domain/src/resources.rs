//! Resources: what a tenant or an operator declares, in Kubernetes style.
//!
//! A resource is read from YAML or JSON ([`parse`]), checked against its neighbours ([`validate`]), compared with what is in
//! force ([`diff`]) and stored as canonical JSON ([`Resource::to_json`]) with its version beside it ([`Stored`]).

mod account;
mod agent;
mod calendar;
mod diff;
mod form;
mod parse;
mod period;
mod policy;
mod problem;
mod queue;
mod rule;
mod secret;
mod sender;
mod skill;
mod source;
mod stored;
mod tenant;
mod validate;
mod webhook;

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

pub use account::{ChannelAccountSpec, RateLimit, WindowOverride};
pub use agent::{AgentKind, AgentSpec, Role, Serves};
pub use calendar::{CalendarSpec, ClockTime, Day, Holiday, Hours};
pub use diff::{Change, diff};
pub use form::Form;
pub use parse::{Document, JsonError, parse};
pub use period::{InvalidPeriod, Period};
pub use policy::{
    AtMost, ChannelPolicySpec, ConsentSettings, Effect, Fallback, IdentitySettings, JoinBy, Keywords,
    MessageClass, PolicyRegion, PolicyRule, QuietHours, RegionPlan, Replies, Scope, Trigger, Way,
    WindowTemplate,
};
pub use problem::{Problem, Problems};
pub use queue::{
    AgentsBy, Announce, ChoiceWeights, Closed, ClosedThen, InvalidOverflow, MaxWait, Overflow, OverflowWhen,
    QueueSpec, Relax, ServiceLevel, Sticky, WaitEnd,
};
pub use rule::{RoutingMatch, RoutingRuleSpec};
pub use secret::{SecretError, SecretRef, SecretRefs};
pub use sender::SenderIdentity;
pub use skill::{
    InvalidDemand, InvalidLevel, Level, SkillDemand, SkillDemands, SkillName, SkillTree, language_skill,
};
pub use source::Place;
pub use stored::Stored;
pub use tenant::{DataSettings, InDoubt, TenantSpec, Work};
pub use validate::{Context, KNOWN_CHANNELS, references, validate};
pub use webhook::WebhookEndpointSpec;

/// The only version of the resource format there is.
pub const API_VERSION: &str = "heliograph.dev/v1";

/// What kind of resource it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// One company.
    Tenant,
    /// A tenant's presence on a channel.
    ChannelAccount,
    /// Which channels a region may use.
    ChannelPolicy,
    /// Where conversations wait for an agent.
    Queue,
    /// Which conversations go to which queue.
    RoutingRule,
    /// Somebody who answers.
    Agent,
    /// Where an integrator wants events posted.
    WebhookEndpoint,
    /// Opening hours and holidays.
    Calendar,
}

impl Kind {
    /// Every kind, in the order in which resources refer to each other.
    pub const ALL: [Self; 8] = [
        Self::Tenant,
        Self::Calendar,
        Self::ChannelPolicy,
        Self::ChannelAccount,
        Self::Queue,
        Self::RoutingRule,
        Self::Agent,
        Self::WebhookEndpoint,
    ];

    /// The kind as it is written in a resource.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "Tenant",
            Self::ChannelAccount => "ChannelAccount",
            Self::ChannelPolicy => "ChannelPolicy",
            Self::Queue => "Queue",
            Self::RoutingRule => "RoutingRule",
            Self::Agent => "Agent",
            Self::WebhookEndpoint => "WebhookEndpoint",
            Self::Calendar => "Calendar",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Reads a kind in any case, so that command lines may say `queue`.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// There is no such kind of resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind {0:?}")]
pub struct UnknownKind(pub String);

/// Whose resource it is and what it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metadata {
    /// The tenant's name. A `Tenant` may leave it out: it is its own.
    #[serde(default)]
    pub tenant: String,
    /// The resource's name, unique among the tenant's resources of its kind.
    pub name: String,
    /// Free labels, for people and tools.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What names a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// The tenant's name.
    pub tenant: String,
    /// The kind.
    pub kind: Kind,
    /// The resource's name.
    pub name: String,
}

impl ResourceKey {
    /// The key in a store whose keys are subjects: `<tenant>.<Kind>.<name>`.
    pub fn path(&self) -> String {
        format!("{}.{}.{}", self.tenant, self.kind, self.name)
    }

    /// Reads what [`Self::path`] wrote.
    pub fn from_path(path: &str) -> Option<Self> {
        let mut parts = path.split('.');
        let (tenant, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        parts.next().is_none().then(|| Self { tenant: tenant.to_owned(), kind, name: name.to_owned() })
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// What a resource says, by its kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Spec {
    /// A company.
    Tenant(TenantSpec),
    /// A presence on a channel.
    ChannelAccount(ChannelAccountSpec),
    /// Channels of regions.
    ChannelPolicy(ChannelPolicySpec),
    /// A queue.
    Queue(QueueSpec),
    /// A routing rule.
    RoutingRule(RoutingRuleSpec),
    /// An agent or supervisor.
    Agent(AgentSpec),
    /// An integrator's endpoint.
    WebhookEndpoint(WebhookEndpointSpec),
    /// Opening hours.
    Calendar(CalendarSpec),
}

/// One declared resource.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Whose it is and what it is called.
    pub metadata: Metadata,
    /// What it says.
    pub spec: Spec,
}

impl Resource {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.spec {
            Spec::Tenant(_) => Kind::Tenant,
            Spec::ChannelAccount(_) => Kind::ChannelAccount,
            Spec::ChannelPolicy(_) => Kind::ChannelPolicy,
            Spec::Queue(_) => Kind::Queue,
            Spec::RoutingRule(_) => Kind::RoutingRule,
            Spec::Agent(_) => Kind::Agent,
            Spec::WebhookEndpoint(_) => Kind::WebhookEndpoint,
            Spec::Calendar(_) => Kind::Calendar,
        }
    }

    /// What names it.
    pub fn key(&self) -> ResourceKey {
        ResourceKey {
            tenant: self.metadata.tenant.clone(),
            kind: self.kind(),
            name: self.metadata.name.clone(),
        }
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Written<'a> {
            api_version: &'static str,
            kind: Kind,
            metadata: &'a Metadata,
            spec: &'a Spec,
        }
        Written { api_version: API_VERSION, kind: self.kind(), metadata: &self.metadata, spec: &self.spec }
            .serialize(serializer)
    }
}

/// For fields whose default is yes.
fn yes() -> bool {
    true
}

/// For fields whose default is no.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn no(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
