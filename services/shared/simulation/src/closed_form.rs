//! Scenarios that queueing theory has an exact answer to, held against it.

use heliograph_assignment::Need;
use heliograph_domain::resources::Serves;
use serde::Serialize;

use crate::{
    arrivals::as_number,
    distribution::{Distribution, millis},
    erlang::Erlang,
    measure::{Control, Estimate, Outcome, controlled},
    plan::Plan,
    scenario::{Group, Queue, Scenario, Work},
};

/// A scenario held against its closed form.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClosedForm {
    /// The queue it is, such as `M/M/12+M`.
    pub model: String,
    /// Measure by measure.
    pub rows: Vec<Row>,
    /// How near each has to be, and how well known; none where nothing is asked.
    pub within: Option<f64>,
}

/// One measure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What it is called.
    pub measure: &'static str,
    /// What the closed form says.
    pub exact: f64,
    /// What the simulation says, with what went with arrivals and work by chance taken out.
    pub simulated: Estimate,
    /// How far the two lie apart, as a share of the exact value.
    pub error: f64,
    /// Half the width of the simulation's confidence interval, as a share of the exact value.
    pub precision: Option<f64>,
}

impl Row {
    /// Whether it is within a share of its value, and known as well as that.
    pub fn is_within(&self, share: f64) -> bool {
        self.error.abs() <= share && self.precision.is_some_and(|precision| precision <= share)
    }
}

impl ClosedForm {
    /// Whether every measure is as near as is asked.
    pub fn passed(&self) -> bool {
        self.within.is_none_or(|within| self.rows.iter().all(|row| row.is_within(within)))
    }

    /// Holds replications against the closed form of their scenario, where it has one.
    pub(crate) fn of(plan: &Plan, outcomes: &[Outcome]) -> Option<Self> {
        let scenario = &plan.scenario;
        let erlang = model(scenario).ok()?;
        let queue = plan.queue(&scenario.work.first()?.queue)?;
        let target = as_number(plan.queues[queue].target) / 1_000.0;
        let exact = erlang.measures(target)?;
        let controls: Vec<Control> = outcomes.iter().map(|outcome| control(plan, outcome)).collect();
        let mut rows = Vec::new();
        let mut row = |measure: &'static str, exact: f64, of: &dyn Fn(&Outcome) -> Option<f64>| {
            let values: Option<Vec<f64>> = outcomes.iter().map(of).collect();
            if let Some(simulated) = values.and_then(|values| controlled(&values, &controls))
                && exact > 0.0
            {
                let (error, precision) = (simulated.mean / exact - 1.0, simulated.precision(exact));
                rows.push(Row { measure, exact, simulated, error, precision });
            }
        };
        let counted = (plan.grid.to - plan.grid.from) as f64;
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        row("P(wait)", exact.p_wait, &|outcome| {
            share(outcome.queues[queue].delayed, outcome.queues[queue].offered)
        });
        row("ASA (s)", exact.asa, &Outcome::mean_wait);
        row("mean wait of all (s)", exact.mean_wait, &|outcome| {
            let found = &outcome.queues[queue];
            let all = (found.answered + found.abandoned) as f64;
            (all > 0.0).then(|| (found.waited + found.waited_in_vain) / 1_000.0 / all)
        });
        row("service level", exact.service_level, &|outcome| {
            share(outcome.queues[queue].within, outcome.queues[queue].offered)
        });
        row("abandonment", exact.abandonment, &|outcome| {
            share(outcome.queues[queue].abandoned, outcome.queues[queue].offered)
        });
        row("utilization", exact.utilization, &|outcome| {
            let sum =
                |of: fn(&crate::measure::GroupOutcome) -> f64| outcome.groups.iter().map(of).sum::<f64>();
            Some(sum(|group| group.busy.total) / sum(|group| group.scheduled.total))
        });
        row("mean queue", exact.mean_queue, &|outcome| Some(outcome.queues[queue].waiting.total / counted));
        let patience = if erlang.theta.is_some() { "+M" } else { "" };
        let within = scenario.check.closed_form.map(crate::Share::get);
        Some(Self { model: format!("M/M/{}{patience}", erlang.n), rows, within })
    }
}

/// How many came and how much they brought, beside what was to be expected.
fn control(plan: &Plan, outcome: &Outcome) -> Control {
    let hours = (plan.grid.to - plan.grid.from) as f64 / 3_600_000.0;
    let work = &plan.scenario.work[0];
    let (customers, brought) = outcome.brought[0];
    let expected = work.arrivals.constant_per_hour().unwrap_or_default() * hours;
    let each = if customers == 0 { work.service.mean() } else { brought / customers as f64 };
    Control { excess: [customers as f64 / expected - 1.0, each / work.service.mean() - 1.0] }
}

/// The queue a scenario is, where it has a closed form; else what it has that no closed form knows of.
pub(crate) fn model(scenario: &Scenario) -> Result<Erlang, &'static str> {
    let [work] = scenario.work.as_slice() else { return Err("there is more than one kind of work") };
    let queue = scenario.queues.get(&work.queue).ok_or("its queue is unknown")?;
    let per_hour = work.arrivals.constant_per_hour().ok_or("arrivals are not Poisson at a constant rate")?;
    let Distribution::Exponential(service) = &work.service else { return Err("service is not exponential") };
    let theta = match &work.patience {
        None => None,
        Some(Distribution::Exponential(patience)) => Some(1_000.0 / millis(*patience)),
        Some(_) => return Err("patience is not exponential"),
    };
    if work.callback.is_some() {
        return Err("customers ask to be called back");
    }
    plain_queue(queue)?;
    let mut n = 0;
    for group in &scenario.agents {
        plain_agents(group, work, queue)?;
        n += group.count * room(group, work, scenario)?;
    }
    if per_hour <= 0.0 {
        return Err("nobody comes");
    }
    Ok(Erlang { n, lambda: per_hour / 3_600.0, mu: 1_000.0 / millis(*service), theta })
}

/// Whether a queue is first come, first served, and nothing else.
fn plain_queue(queue: &Queue) -> Result<(), &'static str> {
    if queue.wrap_up.as_millis() > 0 {
        return Err("agents wrap up");
    }
    if !queue.overflow.is_empty() || queue.max_wait.is_some() || queue.hours.is_some() {
        return Err("the queue sends work away");
    }
    if queue.sticky.is_some_and(|sticky| sticky.wait.as_millis() > 0) {
        return Err("work waits for one agent alone");
    }
    Ok(())
}

/// Whether agents take whatever comes, at once, and do nothing else.
pub(crate) fn plain_agents(group: &Group, work: &Work, queue: &Queue) -> Result<(), &'static str> {
    let first = |serves: &Serves| serves.queue == work.queue && serves.ring == Serves::FIRST_RING;
    if !group.queues.iter().any(first) || !can_serve(group, work, queue) {
        return Err("not every agent may take the work from the start");
    }
    always_there(group)?;
    if group.speed.numbers().iter().any(|speed| (speed - 1.0).abs() > f64::EPSILON) {
        return Err("agents differ in speed");
    }
    Ok(())
}

/// Whether agents are there all the time and answer at once.
pub(crate) fn always_there(group: &Group) -> Result<(), &'static str> {
    if !group.shifts.is_empty() {
        return Err("agents have shifts");
    }
    if group.rejects.get() > 0.0 || group.misses.get() > 0.0 || group.answers_after.is_some() {
        return Err("agents do not answer at once");
    }
    if group.service.is_some() || group.hands_over.is_some() {
        return Err("agents have a way of their own");
    }
    Ok(())
}

/// Whether agents of a group have what a kind of work asks for.
pub(crate) fn can_serve(group: &Group, work: &Work, queue: &Queue) -> bool {
    let agent = group.spec();
    let asked = queue.skills.required.iter().chain(&work.skills.required);
    agent.queues.contains_key(work.queue.as_str()) && asked.map(Need::from).all(|need| need.met_by(&agent))
}

/// How many conversations of a kind of work an agent has at a time.
pub(crate) fn room(group: &Group, work: &Work, scenario: &Scenario) -> Result<u32, &'static str> {
    let weight = scenario.weights.get(&work.class).copied().unwrap_or(1).max(1);
    let most = group.capacity.get(&work.class).copied().unwrap_or(0);
    match group.total.map_or(most, |total| most.min(total / weight)) {
        0 => Err("not every agent has room for the work"),
        room => Ok(room),
    }
}
