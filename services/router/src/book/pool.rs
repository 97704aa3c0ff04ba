//! From resources to the machine's configuration.

use std::collections::BTreeMap;

use heliograph_assignment::{
    self as machine, AgentChoice, Closed, MaxWait, Overflow, OverflowWhen, PoolConfig, Relax, Skill, Sticky,
    WaitEnd,
};
use heliograph_domain::resources::{
    self, AgentSpec, AgentsBy, CalendarSpec, ClosedThen, QueueSpec, Role, Work,
};

use super::{Channels, Day, hours};
use crate::needs::{leaf, need};

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
    PoolConfig {
        queues: parts
            .queues
            .iter()
            .map(|(name, spec)| ((*name).into(), queue(spec, &parts.calendars, day)))
            .collect(),
        agents: parts.agents.iter().map(|(name, spec)| ((*name).into(), agent(spec))).collect(),
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

/// The machine's unit is a second; what is begun counts.
fn seconds(period: resources::Period) -> u32 {
    u32::try_from(period.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

fn at_least_one(period: resources::Period) -> u32 {
    seconds(period).max(1)
}

fn queue(spec: &QueueSpec, calendars: &BTreeMap<&str, &CalendarSpec>, day: Day) -> machine::QueueSpec {
    machine::QueueSpec {
        priority: spec.priority.into(),
        target_seconds: at_least_one(spec.service_level.target),
        aging_seconds: spec.aging.map_or(0, at_least_one),
        ring_seconds: at_least_one(spec.ring_timeout),
        wrap_up_seconds: seconds(spec.wrap_up),
        required: spec.skills.required.iter().map(need).collect(),
        preferred: spec.skills.preferred.iter().map(leaf).collect::<Vec<Skill>>(),
        choice: choice(spec.agents_by),
        sticky: spec.sticky.map(|sticky| Sticky {
            remember_seconds: seconds(sticky.remember),
            wait_seconds: seconds(sticky.wait),
        }),
        relax: spec.relax.iter().map(relax).collect(),
        overflow: spec.overflow.iter().map(overflow).collect(),
        // A calendar that is gone, or has no clock of its own, keeps nobody out.
        open: spec
            .hours
            .as_deref()
            .and_then(|name| calendars.get(name))
            .and_then(|calendar| hours::stretches(calendar, day)),
        closed: closed(&spec.closed),
        max_wait: spec.max_wait.as_ref().and_then(max_wait),
        announce_seconds: spec.announce.map_or(0, |announce| at_least_one(announce.every)),
        callback: spec.callback,
    }
}

fn choice(agents_by: AgentsBy) -> AgentChoice {
    match agents_by {
        AgentsBy::LongestIdle => AgentChoice::LongestIdle,
        AgentsBy::LeastOccupied => AgentChoice::LeastOccupied,
        AgentsBy::BestLevel => AgentChoice::BestLevel,
        AgentsBy::Mix(weights) => AgentChoice::Mix {
            idle: weights.idle.into(),
            occupancy: weights.occupancy.into(),
            level: weights.level.into(),
        },
    }
}

fn relax(step: &resources::Relax) -> Relax {
    Relax {
        after_seconds: seconds(step.after),
        lower: step.lower.unwrap_or(0),
        drop: step.drop.iter().map(|skill| skill.as_str().into()).collect(),
        ring: step.ring.unwrap_or(0),
    }
}

fn overflow(overflow: &resources::Overflow) -> Overflow {
    use resources::OverflowWhen as Said;
    Overflow {
        when: match overflow.when {
            Said::After(after) => OverflowWhen::After(at_least_one(after)),
            Said::Waiting(count) => OverflowWhen::Waiting(count),
            Said::Estimated(wait) => OverflowWhen::Estimated(at_least_one(wait)),
            Said::NobodyOnline => OverflowWhen::NobodyOnline,
        },
        to: overflow.to.as_str().into(),
    }
}

/// An overflow that names no queue, which `apply` refuses, waits.
fn closed(closed: &resources::Closed) -> Closed {
    match (closed.then, &closed.to) {
        (ClosedThen::Wait, _) | (ClosedThen::Overflow, None) => Closed::Wait,
        (ClosedThen::Overflow, Some(to)) => Closed::Overflow(to.as_str().into()),
        (ClosedThen::Close, _) => Closed::Close,
    }
}

fn max_wait(wait: &resources::MaxWait) -> Option<MaxWait> {
    let then = match (wait.then, &wait.to) {
        (resources::WaitEnd::Callback, _) => WaitEnd::Callback,
        (resources::WaitEnd::Close, _) => WaitEnd::Close,
        (resources::WaitEnd::Overflow, Some(to)) => WaitEnd::Overflow(to.as_str().into()),
        (resources::WaitEnd::Overflow, None) => return None,
    };
    Some(MaxWait { after_seconds: at_least_one(wait.after), then })
}

fn agent(spec: &AgentSpec) -> machine::AgentSpec {
    let serves = if spec.is(Role::Agent) { &spec.queues[..] } else { &[] };
    machine::AgentSpec {
        skills: spec.all_skills().into_iter().map(|(name, level)| (name.into(), level.get())).collect(),
        queues: serves.iter().map(|serves| (serves.queue.as_str().into(), serves.ring)).collect(),
        capacity: spec.capacity.iter().map(|(class, count)| (class.as_str().into(), *count)).collect(),
        total: spec.total,
        auto_accept: spec.auto_accept,
        supervisor: spec.is(Role::Supervisor),
    }
}
