//! Streams, buckets and subjects: the only place that spells them.
//!
//! Builders refuse what would not be a single subject token, so a value from outside can never widen a subject.

mod names;

use std::fmt;
use std::str::FromStr;

use heliograph_domain::ids;

pub use names::{Bucket, ObjectBucket, Stream};

/// Stands in a subject for a region, channel or conversation that an event does not have.
pub const NONE: &str = "none";

/// A value that must not stand in a subject, or a subject that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// Not a single safe token.
    #[error("{value:?} cannot be the {part} of a subject")]
    BadToken {
        /// Which part.
        part: &'static str,
        /// What was given.
        value: String,
    },
    /// The subject has another shape.
    #[error("{subject:?} is not a subject of {kind}")]
    NotOurs {
        /// What was expected.
        kind: &'static str,
        /// What was given.
        subject: String,
    },
}

/// `hg.inbound.<partition>.<tenant>.<channel>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Partition.
    pub partition: u16,
    /// Tenant.
    pub tenant: String,
    /// Channel.
    pub channel: String,
}

/// `hg.routing.<partition>.<tenant>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// Partition.
    pub partition: u16,
    /// Tenant.
    pub tenant: String,
}

/// `hg.event.<tenant>.<region>.<channel>.<conversation>.<noun>.<verb>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Tenant.
    pub tenant: String,
    /// Region, or [`NONE`].
    pub region: String,
    /// Channel, or [`NONE`].
    pub channel: String,
    /// Conversation, or [`NONE`].
    pub conversation: String,
    /// Type with exactly one dot, as `message.received`.
    pub kind: String,
}

/// `hg.outbound.<channel>.<partition>.<tenant>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Channel.
    pub channel: String,
    /// Partition.
    pub partition: u16,
    /// Tenant.
    pub tenant: String,
}

/// `hg.dead.<stage>.<tenant>.<channel>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Where processing gave up: `intake`, `machine`, `egress`, …
    pub stage: String,
    /// Tenant, or [`NONE`].
    pub tenant: String,
    /// Channel, or [`NONE`].
    pub channel: String,
}

/// Builds the subject of an inbound event.
pub fn inbound(partition: u16, tenant: &str, channel: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.inbound.{partition}.{}.{}", name("tenant", tenant)?, name("channel", channel)?))
}

/// Builds the subject of a routing entry.
pub fn routing(partition: u16, tenant: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.routing.{partition}.{}", name("tenant", tenant)?))
}

/// Builds the subject of a public event. Empty region, channel or conversation become [`NONE`].
pub fn event(
    tenant: &str,
    region: &str,
    channel: &str,
    conversation: &str,
    kind: &str,
) -> Result<String, SubjectError> {
    let (noun, verb) = kind_tokens(kind)?;
    Ok(format!(
        "hg.event.{}.{}.{}.{}.{noun}.{verb}",
        name("tenant", tenant)?,
        name("region", or_none(region))?,
        name("channel", or_none(channel))?,
        token("conversation", or_none(conversation))?,
    ))
}

/// Builds the subject of outbound work.
pub fn outbound(channel: &str, partition: u16, tenant: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.outbound.{}.{partition}.{}", name("channel", channel)?, name("tenant", tenant)?))
}

/// Builds the subject of a dead letter. Empty tenant or channel become [`NONE`].
pub fn dead(stage: &str, tenant: &str, channel: &str) -> Result<String, SubjectError> {
    let (tenant, channel) = (or_none(tenant), or_none(channel));
    Ok(format!("hg.dead.{}.{}.{}", name("stage", stage)?, name("tenant", tenant)?, name("channel", channel)?))
}

/// Builds the subject under which work for egress waits for its time.
pub fn later(waiting: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.later.{}", token("token", waiting)?))
}

/// Filter for one inbound partition.
pub fn inbound_partition(partition: u16) -> String {
    format!("hg.inbound.{partition}.*.*")
}

/// Filter for one routing partition.
pub fn routing_partition(partition: u16) -> String {
    format!("hg.routing.{partition}.*")
}

/// Filter for one outbound partition of a channel.
pub fn outbound_partition(channel: &str, partition: u16) -> Result<String, SubjectError> {
    Ok(format!("hg.outbound.{}.{partition}.*", name("channel", channel)?))
}

/// Which public events to read; what is not given matches all. A tenant is a wall, so it must be given.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventFilter<'a> {
    /// Tenant.
    pub tenant: &'a str,
    /// Region.
    pub region: Option<&'a str>,
    /// Channel.
    pub channel: Option<&'a str>,
    /// Conversation.
    pub conversation: Option<&'a str>,
    /// Type, as `message.received`, or its noun alone, as `message`.
    pub kind: Option<&'a str>,
}

impl EventFilter<'_> {
    /// The NATS subject filter.
    pub fn subject(&self) -> Result<String, SubjectError> {
        let any =
            |part, value: Option<&str>, check: fn(&'static str, &str) -> Result<String, SubjectError>| {
                value.map_or_else(|| Ok("*".to_owned()), |value| check(part, value))
            };
        let kind = match self.kind {
            None => "*.*".to_owned(),
            Some(kind) if kind.contains('.') => {
                kind_tokens(kind)?;
                kind.to_owned()
            }
            Some(noun) => format!("{}.*", token("type", noun)?),
        };
        Ok(format!(
            "hg.event.{}.{}.{}.{}.{kind}",
            name("tenant", self.tenant)?,
            any("region", self.region, name)?,
            any("channel", self.channel, name)?,
            any("conversation", self.conversation, token)?,
        ))
    }
}

/// Where the owner of a routing partition answers questions about its state. Core NATS, on no stream.
pub fn routing_query(partition: u16) -> String {
    format!("hg.query.routing.{partition}")
}

/// What says that agents of any tenant type on a channel, for whoever shows it there.
pub fn agents_typing(channel: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.event.*.*.{}.*.agent.typing", name("channel", channel)?))
}

/// What says how far agents of any tenant have read on a channel, for whoever shows it there.
pub fn agents_reading(channel: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.event.*.*.{}.*.agent.read", name("channel", channel)?))
}

/// What happens to any tenant's messages, for whoever counts them.
pub fn all_messages() -> &'static str {
    "hg.event.*.*.*.*.message.*"
}

/// What customers of any tenant say on a channel, for whoever fetches what they sent with it.
pub fn messages_received(channel: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.event.*.*.{}.*.message.received", name("channel", channel)?))
}

/// What says that messages on a channel, of any tenant, will not arrive, for whoever tries another channel then.
pub fn messages_failed(channel: &str) -> Result<String, SubjectError> {
    Ok(format!("hg.event.*.*.{}.*.message.failed", name("channel", channel)?))
}

/// What becomes of any tenant's conversations on a channel, for whoever shows customers how they wait there.
pub fn conversations_on(channel: &str) -> Result<[String; 2], SubjectError> {
    let channel = name("channel", channel)?;
    Ok(["conversation", "callback"].map(|noun| format!("hg.event.*.*.{channel}.*.{noun}.*")))
}

/// Filter for dead letters; what is not given matches all.
pub fn dead_filter(
    stage: Option<&str>,
    tenant: Option<&str>,
    channel: Option<&str>,
) -> Result<String, SubjectError> {
    let any = |part, value: Option<&str>| value.map_or_else(|| Ok("*".to_owned()), |value| name(part, value));
    Ok(format!("hg.dead.{}.{}.{}", any("stage", stage)?, any("tenant", tenant)?, any("channel", channel)?))
}

/// The partition of a customer's address in HG_INBOUND: all they write on one account stays in order.
pub fn partition_of_address(tenant: &str, channel: &str, account: &str, user: &str, count: u16) -> u16 {
    ids::partition(&[tenant, channel, account, user], count)
}

/// The partition of a tenant's pool of agents in HG_ROUTING.
pub fn partition_of_pool(tenant: &str, pool: &str, count: u16) -> u16 {
    ids::partition(&[tenant, pool], count)
}

/// The partition of a conversation in HG_OUTBOUND.
pub fn partition_of_conversation(conversation: &str, count: u16) -> u16 {
    ids::partition(&[conversation], count)
}

impl fmt::Display for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hg.inbound.{}.{}.{}", self.partition, self.tenant, self.channel)
    }
}

impl FromStr for Inbound {
    type Err = SubjectError;

    fn from_str(subject: &str) -> Result<Self, SubjectError> {
        let [_, _, at, tenant, channel] = split(subject, "inbound", "HG_INBOUND")?;
        let partition = number(at, subject, "HG_INBOUND")?;
        Ok(Self { partition, tenant: name("tenant", tenant)?, channel: name("channel", channel)? })
    }
}

impl fmt::Display for Routing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hg.routing.{}.{}", self.partition, self.tenant)
    }
}

impl FromStr for Routing {
    type Err = SubjectError;

    fn from_str(subject: &str) -> Result<Self, SubjectError> {
        let [_, _, at, tenant] = split(subject, "routing", "HG_ROUTING")?;
        Ok(Self { partition: number(at, subject, "HG_ROUTING")?, tenant: name("tenant", tenant)? })
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, region, channel, conversation, kind } = self;
        write!(f, "hg.event.{tenant}.{region}.{channel}.{conversation}.{kind}")
    }
}

impl FromStr for Event {
    type Err = SubjectError;

    fn from_str(subject: &str) -> Result<Self, SubjectError> {
        let [_, _, tenant, region, channel, conversation, noun, verb] = split(subject, "event", "HG_EVENTS")?;
        let kind = format!("{noun}.{verb}");
        kind_tokens(&kind)?;
        Ok(Self {
            tenant: name("tenant", tenant)?,
            region: name("region", region)?,
            channel: name("channel", channel)?,
            conversation: token("conversation", conversation)?,
            kind,
        })
    }
}

impl fmt::Display for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hg.outbound.{}.{}.{}", self.channel, self.partition, self.tenant)
    }
}

impl FromStr for Outbound {
    type Err = SubjectError;

    fn from_str(subject: &str) -> Result<Self, SubjectError> {
        let [_, _, channel, at, tenant] = split(subject, "outbound", "HG_OUTBOUND")?;
        let partition = number(at, subject, "HG_OUTBOUND")?;
        Ok(Self { channel: name("channel", channel)?, partition, tenant: name("tenant", tenant)? })
    }
}

impl fmt::Display for Dead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hg.dead.{}.{}.{}", self.stage, self.tenant, self.channel)
    }
}

impl FromStr for Dead {
    type Err = SubjectError;

    fn from_str(subject: &str) -> Result<Self, SubjectError> {
        let [_, _, stage, tenant, channel] = split(subject, "dead", "HG_DEAD")?;
        Ok(Self {
            stage: name("stage", stage)?,
            tenant: name("tenant", tenant)?,
            channel: name("channel", channel)?,
        })
    }
}

/// Whether `value` is one safe subject token: letters, digits, `_` and `-`, at most 128.
pub fn is_token(value: &str) -> bool {
    !value.is_empty()
        && value.len() <= 128
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn or_none(value: &str) -> &str {
    if value.is_empty() { NONE } else { value }
}

fn name(part: &'static str, value: &str) -> Result<String, SubjectError> {
    if ids::is_name(value) { Ok(value.to_owned()) } else { Err(bad(part, value)) }
}

fn token(part: &'static str, value: &str) -> Result<String, SubjectError> {
    if is_token(value) { Ok(value.to_owned()) } else { Err(bad(part, value)) }
}

fn bad(part: &'static str, value: &str) -> SubjectError {
    SubjectError::BadToken { part, value: value.chars().take(80).collect() }
}

fn kind_tokens(kind: &str) -> Result<(&str, &str), SubjectError> {
    kind.split_once('.')
        .filter(|(noun, verb)| is_token(noun) && is_token(verb))
        .ok_or_else(|| bad("type", kind))
}

fn split<'a, const N: usize>(
    subject: &'a str,
    second: &str,
    kind: &'static str,
) -> Result<[&'a str; N], SubjectError> {
    let tokens: Vec<&str> = subject.split('.').collect();
    <[&str; N]>::try_from(tokens)
        .ok()
        .filter(|tokens| tokens[0] == "hg" && tokens[1] == second)
        .ok_or_else(|| SubjectError::NotOurs { kind, subject: subject.to_owned() })
}

fn number(token: &str, subject: &str, kind: &'static str) -> Result<u16, SubjectError> {
    // `+1` and `01` parse as numbers and would be other subjects.
    let parsed = token.parse::<u16>().ok().filter(|number| number.to_string() == token);
    parsed.ok_or_else(|| SubjectError::NotOurs { kind, subject: subject.to_owned() })
}

#[cfg(test)]
#[path = "subjects_tests.rs"]
mod tests;
