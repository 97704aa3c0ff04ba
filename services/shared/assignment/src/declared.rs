//! From what a tenant declares to what the engine is configured with. The engine counts whole seconds; what is begun counts.

use heliograph_domain::resources::{
    self, AgentsBy, ClosedThen, OverflowWhen as Said, Period, Role, SkillDemand, SkillTree,
};

use crate::{
    config::{
        AgentChoice, AgentSpec, Closed, MaxWait, Overflow, OverflowWhen, QueueSpec, Relax, Sticky, WaitEnd,
    },
    need::{Need, Skill},
    text::Timestamp,
};

/// A length of time in whole seconds; a part of one is one.
pub fn seconds(period: Period) -> u32 {
    u32::try_from(period.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// The same where there is no nothing.
pub fn at_least_one(period: Period) -> u32 {
    seconds(period).max(1)
}

impl From<&SkillDemand> for Skill {
    fn from(demand: &SkillDemand) -> Self {
        Self::new(demand.skill(), demand.level.get())
    }
}

impl From<&SkillTree> for Need {
    fn from(tree: &SkillTree) -> Self {
        let each = |trees: &[SkillTree]| trees.iter().map(Self::from).collect();
        match tree {
            SkillTree::Skill(demand) => Self::Skill(demand.into()),
            SkillTree::Any(trees) => Self::Any { any: each(trees) },
            SkillTree::All(trees) => Self::All { all: each(trees) },
            SkillTree::Not(tree) => Self::Not { not: Box::new(Self::from(tree.as_ref())) },
        }
    }
}

impl QueueSpec {
    /// A queue as it is declared, open in these stretches of time; none: always.
    pub fn declared(spec: &resources::QueueSpec, open: Option<Vec<(Timestamp, Timestamp)>>) -> Self {
        Self {
            priority: spec.priority.into(),
            target_seconds: at_least_one(spec.service_level.target),
            aging_seconds: spec.aging.map_or(0, at_least_one),
            ring_seconds: at_least_one(spec.ring_timeout),
            wrap_up_seconds: seconds(spec.wrap_up),
            required: spec.skills.required.iter().map(Need::from).collect(),
            preferred: spec.skills.preferred.iter().map(Skill::from).collect(),
            choice: choice(spec.agents_by),
            sticky: spec.sticky.map(|sticky| Sticky {
                remember_seconds: seconds(sticky.remember),
                wait_seconds: seconds(sticky.wait),
            }),
            relax: spec.relax.iter().map(relax).collect(),
            overflow: spec.overflow.iter().map(overflow).collect(),
            open,
            closed: closed(&spec.closed),
            max_wait: spec.max_wait.as_ref().and_then(max_wait),
            announce_seconds: spec.announce.map_or(0, |announce| at_least_one(announce.every)),
            callback: spec.callback,
        }
    }
}

impl AgentSpec {
    /// An agent as they are declared. Who only supervises serves no queue.
    pub fn declared(spec: &resources::AgentSpec) -> Self {
        let serves = if spec.is(Role::Agent) { &spec.queues[..] } else { &[] };
        Self {
            skills: spec.all_skills().into_iter().map(|(name, level)| (name.into(), level.get())).collect(),
            queues: serves.iter().map(|serves| (serves.queue.as_str().into(), serves.ring)).collect(),
            capacity: spec.capacity.iter().map(|(class, count)| (class.as_str().into(), *count)).collect(),
            total: spec.total,
            auto_accept: spec.auto_accept,
            supervisor: spec.is(Role::Supervisor),
        }
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
