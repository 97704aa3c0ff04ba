//! From resources to the machine's configuration.

use std::collections::BTreeMap;

use heliograph_assignment::{
    self as machine, PoolConfig,
    declared::{at_least_one, seconds},
};
use heliograph_domain::resources::{AgentSpec, CalendarSpec, QueueSpec, Work};

use super::{Channels, Day, hours};

/// What a tenant's pool is made of.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) agents: BTreeMap<&'a str, &'a AgentSpec>,
    pub(super) queues: BTreeMap<&'a str, &'a QueueSpec>,
    pub(super) calendars: BTreeMap<&'a str, &'a CalendarSpec>,
    /// As the tenant says; none if there is nothing of the tenant itself.
    pub(super) work: Option<&'a Work>,
}

/// A tenant's pool as it stands on a day: the same on every replica. Who only supervises is in it, and is offered nothing.
pub(super) fn config(parts: &Parts<'_>, channels: &Channels, day: Day) -> PoolConfig {
    let classes = channels
        .iter()
        .filter(|(_, capabilities)| !capabilities.work_class.is_empty())
        .map(|(channel, capabilities)| (channel.as_str().into(), capabilities.work_class.as_str().into()))
        .collect();
    let usual = Work::default();
    let work = parts.work.unwrap_or(&usual);
    let texts = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
    // A calendar that is gone, or has no clock of its own, keeps nobody out.
    let open = |spec: &QueueSpec| {
        let calendar = parts.calendars.get(spec.hours.as_deref()?)?;
        hours::stretches(calendar, day)
    };
    let queue = |spec: &QueueSpec| machine::QueueSpec::declared(spec, open(spec));
    PoolConfig {
        queues: parts.queues.iter().map(|(name, spec)| ((*name).into(), queue(spec))).collect(),
        agents: parts
            .agents
            .iter()
            .map(|(name, spec)| ((*name).into(), machine::AgentSpec::declared(spec)))
            .collect(),
        classes,
        weights: work.weights.iter().map(|(class, weight)| (class.as_str().into(), *weight)).collect(),
        interrupts: work
            .interrupts
            .iter()
            .map(|(class, interrupted)| (class.as_str().into(), texts(interrupted)))
            .collect(),
        inactivity_seconds: at_least_one(work.inactivity),
        liveness_seconds: at_least_one(work.liveness),
        grace_seconds: seconds(work.grace),
        cool_off_seconds: seconds(work.cool_off),
        ..PoolConfig::default()
    }
}
