//! From resources to the machine's configuration.

use std::collections::BTreeMap;

use heliograph_assignment::{self as machine, Need, PoolConfig, Skill};
use heliograph_domain::resources::{AgentSpec, QueueSpec, Role, SkillDemand};

use super::Channels;

/// A tenant's pool. Who only supervises serves no queue, and is offered nothing.
pub(super) fn config(
    agents: &BTreeMap<String, &AgentSpec>,
    queues: &BTreeMap<String, QueueSpec>,
    channels: &Channels,
) -> PoolConfig {
    let classes = channels
        .iter()
        .filter(|(_, capabilities)| !capabilities.work_class.is_empty())
        .map(|(channel, capabilities)| (channel.as_str().into(), capabilities.work_class.as_str().into()))
        .collect();
    PoolConfig {
        queues: queues.iter().map(|(name, spec)| (name.as_str().into(), queue(spec))).collect(),
        agents: agents.iter().map(|(name, spec)| (name.as_str().into(), agent(spec))).collect(),
        classes,
        ..PoolConfig::default()
    }
}

fn queue(spec: &QueueSpec) -> machine::QueueSpec {
    // A second is the machine's unit; anything shorter still rings.
    let seconds = |millis: u64| u32::try_from(millis.div_ceil(1_000)).unwrap_or(u32::MAX);
    machine::QueueSpec {
        ring_seconds: seconds(spec.ring_timeout.as_millis()).max(1),
        wrap_up_seconds: seconds(spec.wrap_up.as_millis()),
        required: skills(&spec.skills.required).into_iter().map(Need::Skill).collect(),
        preferred: skills(&spec.skills.preferred),
        ..machine::QueueSpec::default()
    }
}

fn agent(spec: &AgentSpec) -> machine::AgentSpec {
    machine::AgentSpec {
        skills: spec.all_skills().into_iter().map(|(name, level)| (name.into(), level.get())).collect(),
        queues: spec
            .queues
            .iter()
            .filter(|_| spec.is(Role::Agent))
            .map(|queue| (queue.as_str().into(), 1))
            .collect(),
        capacity: spec.capacity.iter().map(|(class, count)| (class.as_str().into(), *count)).collect(),
        total: spec.total,
        supervisor: spec.is(Role::Supervisor),
        ..machine::AgentSpec::default()
    }
}

fn skills(demands: &[SkillDemand]) -> Vec<Skill> {
    demands.iter().map(|demand| Skill::new(demand.skill.as_str(), demand.level.get())).collect()
}
