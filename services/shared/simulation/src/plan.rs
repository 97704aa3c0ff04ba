//! A scenario made ready to run: names looked up, hours laid out, the engine's configuration written.

use std::collections::{BTreeMap, BTreeSet};

use heliograph_assignment::{Need, PoolConfig, Skill, Text, declared};

use crate::{
    arrivals::whole,
    distribution::millis,
    measure::Grid,
    scenario::{Group, Scenario, Work},
    week::{self, DAY, Timetable},
};

/// Monday, 1 January 2024, midnight in UTC, in milliseconds of Unix time: the zero of every scenario's clock.
pub(crate) const EPOCH: i64 = 1_704_067_200_000;

/// Parts that the time is cut into for plots.
const PARTS: i64 = 96;

/// Longer than any scenario: nobody is signed off because nothing was heard of them, and nothing is closed because
/// nothing was said. Seconds.
const FOR_EVER: u32 = 4_000_000_000;

/// A scenario made ready to run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) scenario: Scenario,
    pub(crate) config: PoolConfig,
    /// When the clock starts, in milliseconds from Monday's midnight.
    pub(crate) start: i64,
    pub(crate) grid: Grid,
    /// Whether the time of the day matters, and plots are over the day.
    pub(crate) daily: bool,
    pub(crate) queues: Vec<QueuePlan>,
    pub(crate) work: Vec<WorkPlan>,
    pub(crate) groups: Vec<GroupPlan>,
    /// The group of each agent.
    pub(crate) agents: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct QueuePlan {
    pub(crate) name: Text,
    /// Milliseconds.
    pub(crate) target: i64,
    /// The share that should be answered by then.
    pub(crate) goal: f64,
}

#[derive(Clone, Debug)]
pub(crate) struct WorkPlan {
    pub(crate) queue: Text,
    /// The channel customers come by; it bears the name of its class.
    pub(crate) channel: Text,
    pub(crate) class: usize,
    pub(crate) required: Vec<Need>,
    pub(crate) preferred: Vec<Skill>,
}

#[derive(Clone, Debug)]
pub(crate) struct GroupPlan {
    /// When its agents are at work; none: always.
    pub(crate) shifts: Option<Timetable>,
    /// What one conversation of each class takes from an agent, as a share of what they can carry.
    pub(crate) share: Vec<f64>,
    /// How fast its agents are, by kind of work.
    pub(crate) speed: Vec<f64>,
    /// Names of its agents.
    pub(crate) names: Vec<Text>,
}

impl Plan {
    /// Makes a scenario ready.
    pub fn new(scenario: &Scenario) -> Self {
        let start = week::moment(scenario.starts.day, scenario.starts.at);
        let from = start + whole(millis(scenario.warm_up));
        let to = from + whole(millis(scenario.length));
        let daily = scenario.is_daily();
        let classes = classes(scenario);
        let class = |name: &str| classes.iter().position(|class| *class == name).unwrap_or_default();
        let queues = scenario
            .queues
            .iter()
            .map(|(name, queue)| QueuePlan {
                name: name.as_str().into(),
                target: whole(millis(queue.service_level.target)),
                goal: queue.service_level.share,
            })
            .collect();
        let work = scenario.work.iter().map(|work| WorkPlan::new(work, class(&work.class))).collect();
        let (mut groups, mut agents) = (Vec::new(), Vec::new());
        for (at, group) in scenario.agents.iter().enumerate() {
            groups.push(GroupPlan::new(group, agents.len(), &classes, scenario));
            agents.extend((0..group.count).map(|_| at));
        }
        Self {
            config: config(scenario, &groups, (start, to)),
            start,
            grid: grid(from, to, daily),
            daily,
            queues,
            work,
            groups,
            agents,
            scenario: scenario.clone(),
        }
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub(crate) fn queue(&self, name: &str) -> Option<usize> {
        self.queues.iter().position(|queue| &*queue.name == name)
    }
}

impl Scenario {
    /// Whether it makes a difference which customer comes.
    pub(crate) fn knows_customers(&self) -> bool {
        self.work.iter().any(|work| work.returning.get() > 0.0)
            || self.queues.values().any(|queue| queue.sticky.is_some())
    }

    /// Whether the time of the day matters.
    pub(crate) fn is_daily(&self) -> bool {
        self.work.iter().any(|work| work.arrivals.is_daily())
            || self.agents.iter().any(|group| !group.shifts.is_empty())
            || self.queues.values().any(|queue| queue.hours.is_some())
    }
}

impl WorkPlan {
    fn new(work: &Work, class: usize) -> Self {
        Self {
            queue: work.queue.as_str().into(),
            channel: work.class.as_str().into(),
            class,
            required: work.skills.required.iter().map(Need::from).collect(),
            preferred: work.skills.preferred.iter().map(Skill::from).collect(),
        }
    }
}

impl GroupPlan {
    #[allow(clippy::cast_precision_loss, reason = "capacities are small")]
    fn new(group: &Group, first: usize, classes: &[&str], scenario: &Scenario) -> Self {
        let weight = |class: &str| f64::from(scenario.weights.get(class).copied().unwrap_or(1));
        let room = match group.total {
            Some(total) => f64::from(total),
            None => group.capacity.values().map(|capacity| f64::from(*capacity)).sum(),
        };
        let share = |class: &&str| if group.total.is_some() { weight(class) / room } else { 1.0 / room };
        Self {
            shifts: (!group.shifts.is_empty()).then(|| Timetable::new(&group.shifts)),
            share: classes.iter().map(share).collect(),
            speed: scenario.work.iter().map(|work| group.speed.at(&work.name)).collect(),
            // An agent's number stands at the end of the name.
            names: (0..group.count as usize)
                .map(|at| format!("{}-{}", group.name, first + at).into())
                .collect(),
        }
    }
}

/// Classes of work, in order.
fn classes(scenario: &Scenario) -> Vec<&str> {
    let names: BTreeSet<&str> = scenario.work.iter().map(|work| work.class.as_str()).collect();
    names.into_iter().collect()
}

fn grid(from: i64, to: i64, daily: bool) -> Grid {
    if daily && to - from >= DAY {
        return Grid { from, to, width: DAY / PARTS, period: DAY, origin: 0 };
    }
    let width = ((to - from) / PARTS).max(1);
    Grid { from, to, width, period: to - from, origin: from }
}

fn config(scenario: &Scenario, groups: &[GroupPlan], (start, to): (i64, i64)) -> PoolConfig {
    let text = |name: &String| Text::from(name.as_str());
    let mut agents = BTreeMap::new();
    for (group, plan) in scenario.agents.iter().zip(groups) {
        let spec = group.spec();
        agents.extend(plan.names.iter().map(|name| (name.clone(), spec.clone())));
    }
    PoolConfig {
        // Hours are laid out to a day after the end, so that the engine never runs out of them.
        queues: scenario
            .queues
            .iter()
            .map(|(name, queue)| {
                let calendar = queue.hours.as_ref().and_then(|name| scenario.calendars.get(name));
                (text(name), queue.spec(calendar, (start, to + DAY)))
            })
            .collect(),
        agents,
        classes: classes(scenario).into_iter().map(|class| (class.into(), class.into())).collect(),
        weights: scenario.weights.iter().map(|(class, weight)| (text(class), *weight)).collect(),
        interrupts: scenario
            .interrupts
            .iter()
            .map(|(by, classes)| (text(by), classes.iter().map(text).collect()))
            .collect(),
        inactivity_seconds: FOR_EVER,
        liveness_seconds: FOR_EVER,
        cool_off_seconds: declared::seconds(scenario.cool_off),
        ..PoolConfig::default()
    }
}
