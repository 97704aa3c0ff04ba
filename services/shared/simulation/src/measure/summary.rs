//! Many replications read together.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Estimate, GroupOutcome, Histogram, Level, Outcome, QueueOutcome};
use crate::{arrivals::as_number, plan::Plan};

/// Points of the distribution of waits.
const POINTS: u32 = 120;

/// What many replications found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// How many replications.
    pub replications: usize,
    /// Customers a replication.
    pub customers: f64,
    /// Entries that the engine applied, in all.
    pub entries: u64,
    /// Decisions that it made, in all.
    pub decisions: u64,
    /// Queues by name.
    pub queues: Vec<QueueSummary>,
    /// Groups of agents, in the order of the scenario.
    pub groups: Vec<GroupSummary>,
    /// Commands the engine refused, by code; none in a scenario that fits its engine.
    pub refused: BTreeMap<String, u64>,
}

/// One queue. Counts are a replication's mean; waits are in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QueueSummary {
    /// Queue.
    pub name: String,
    /// Target, in seconds.
    pub target: f64,
    /// The share of the offered that should be answered by then.
    pub goal: f64,
    /// Came into it.
    pub offered: Estimate,
    /// Were answered.
    pub answered: Estimate,
    /// Left while they waited.
    pub abandoned: Estimate,
    /// Went on to another queue.
    pub overflowed: Estimate,
    /// Found it closed, or waited too long.
    pub turned_away: Estimate,
    /// Were promised a call.
    pub callbacks: Estimate,
    /// Less was asked for them in the end.
    pub relaxed: Estimate,
    /// Offers that rang out (RONA).
    pub rona: Estimate,
    /// Offers that were turned down.
    pub rejected: Estimate,
    /// Still waited at the end.
    pub unfinished: Estimate,
    /// Share of the offered who left.
    pub abandonment: Option<Estimate>,
    /// Share of the offered for whom no agent was free.
    pub p_wait: Option<Estimate>,
    /// Share of the offered who were answered within the target.
    pub service_level: Option<Estimate>,
    /// Mean wait of the answered (ASA).
    pub asa: Option<Estimate>,
    /// Mean wait of all who were answered or left.
    pub mean_wait: Option<Estimate>,
    /// Mean time until a promised call.
    pub callback_wait: Option<Estimate>,
    /// How many waited at a time.
    pub mean_queue: Option<Estimate>,
    /// Waits of the answered.
    pub waits: Waits,
    /// Of the answered who waited: the wait they were told, on average.
    pub told: Option<Estimate>,
    /// The wait they had.
    pub told_waited: Option<Estimate>,
    /// How far the two lay apart, whichever was longer.
    pub told_error: Option<Estimate>,
    /// Over time.
    pub series: Series,
}

/// How long the answered waited, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waits {
    /// Half of them at most.
    pub p50: Option<Estimate>,
    /// 90 % at most.
    pub p90: Option<Estimate>,
    /// 95 % at most.
    pub p95: Option<Estimate>,
    /// 99 % at most.
    pub p99: Option<Estimate>,
    /// The longest of all replications.
    pub longest: f64,
    /// Seconds, and the share of the answered who waited no longer, over all replications.
    pub distribution: Vec<(f64, f64)>,
}

/// One queue over time, by part of it. None where nothing happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Came, an hour.
    pub offered: Vec<Option<f64>>,
    /// Share of them who were answered within the target.
    pub service_level: Vec<Option<f64>>,
    /// Share of them who left.
    pub abandonment: Vec<Option<f64>>,
    /// How many waited at a time.
    pub waiting: Vec<Option<Estimate>>,
}

/// One group of agents.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupSummary {
    /// Group.
    pub name: String,
    /// How many agents there are.
    pub agents: u32,
    /// Conversations they took, a replication.
    pub answered: Estimate,
    /// Share of their capacity that was busy, of the time they were online.
    pub occupancy: Option<Estimate>,
    /// Share of their capacity that was busy, of the time they were at work.
    pub utilization: Option<Estimate>,
    /// Offers they let ring out.
    pub rona: Estimate,
    /// Offers they turned down.
    pub rejected: Estimate,
    /// Occupancy over time.
    pub series: Vec<Option<f64>>,
    /// How many were at work, over time.
    pub at_work: Vec<f64>,
}

impl Summary {
    /// Reads replications together.
    ///
    /// # Panics
    /// When there is none.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn over(plan: &Plan, outcomes: &[Outcome]) -> Self {
        assert!(!outcomes.is_empty(), "a summary is over one replication at least");
        let exposure = plan.grid.exposure();
        let mut refused = BTreeMap::new();
        for (code, count) in outcomes.iter().flat_map(|outcome| &outcome.refused) {
            *refused.entry(code.clone()).or_default() += count;
        }
        let waits: Vec<Histogram> = (0..plan.queues.len()).map(|at| pooled(outcomes, at)).collect();
        // As far as nearly everybody waited; the longest of all would leave the rest no room.
        let far = waits.iter().filter_map(|waits| waits.quantile(0.995)).max().unwrap_or(0).max(1_000);
        let queue = |at: usize| {
            let all: Vec<&QueueOutcome> = outcomes.iter().map(|outcome| &outcome.queues[at]).collect();
            queue_summary(plan, at, &all, &exposure, distribution(&waits[at], far))
        };
        let group = |at: usize| {
            let all: Vec<&GroupOutcome> = outcomes.iter().map(|outcome| &outcome.groups[at]).collect();
            group_summary(plan, at, &all, &exposure)
        };
        Self {
            replications: outcomes.len(),
            customers: outcomes.iter().map(|outcome| outcome.customers() as f64).sum::<f64>()
                / outcomes.len() as f64,
            entries: outcomes.iter().map(|outcome| outcome.entries).sum(),
            decisions: outcomes.iter().map(|outcome| outcome.decisions).sum(),
            queues: (0..plan.queues.len()).map(queue).collect(),
            groups: (0..plan.groups.len()).map(group).collect(),
            refused,
        }
    }
}

/// `part` of `whole`, if there is any.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Waits that were told: how many, and the sums over them.
type Told = (u64, f64, f64, f64);

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn queue_summary(
    plan: &Plan,
    at: usize,
    all: &[&QueueOutcome],
    exposure: &[f64],
    distribution: Vec<(f64, f64)>,
) -> QueueSummary {
    let mean = |of: &dyn Fn(&QueueOutcome) -> Option<f64>| {
        Estimate::over(&all.iter().filter_map(|queue| of(queue)).collect::<Vec<f64>>())
    };
    let count = |of: &dyn Fn(&QueueOutcome) -> u64| {
        mean(&|queue| Some(of(queue) as f64)).expect("there is one replication at least")
    };
    let share =
        |of: &dyn Fn(&QueueOutcome) -> u64| mean(&|queue| ratio(of(queue) as f64, queue.offered as f64));
    let told =
        |of: &dyn Fn(&Told) -> f64| mean(&|queue| ratio(of(&queue.told) / 1_000.0, queue.told.0 as f64));
    let counted = as_number(plan.grid.to - plan.grid.from);
    QueueSummary {
        name: plan.queues[at].name.to_string(),
        target: as_number(plan.queues[at].target) / 1_000.0,
        goal: plan.queues[at].goal,
        offered: count(&|queue| queue.offered),
        answered: count(&|queue| queue.answered),
        abandoned: count(&|queue| queue.abandoned),
        overflowed: count(&|queue| queue.overflowed),
        turned_away: count(&|queue| queue.turned_away),
        callbacks: count(&|queue| queue.callbacks),
        relaxed: count(&|queue| queue.relaxed),
        rona: count(&|queue| queue.rona),
        rejected: count(&|queue| queue.rejected),
        unfinished: count(&|queue| queue.unfinished),
        abandonment: share(&|queue| queue.abandoned),
        p_wait: share(&|queue| queue.delayed),
        service_level: share(&|queue| queue.within),
        asa: mean(&|queue| ratio(queue.waited / 1_000.0, queue.answered as f64)),
        mean_wait: mean(&|queue| {
            let waited = queue.waited + queue.waited_in_vain;
            ratio(waited / 1_000.0, (queue.answered + queue.abandoned) as f64)
        }),
        callback_wait: mean(&|queue| ratio(queue.called_back.0 / 1_000.0, queue.called_back.1 as f64)),
        mean_queue: mean(&|queue| ratio(queue.waiting.total, counted)),
        waits: waits(all, distribution),
        told: told(&|told| told.1),
        told_waited: told(&|told| told.2),
        told_error: told(&|told| told.3),
        series: series(all, exposure),
    }
}

/// The waits of one queue over all replications.
fn pooled(outcomes: &[Outcome], queue: usize) -> Histogram {
    let mut pooled = Histogram::default();
    for outcome in outcomes {
        pooled.merge(&outcome.queues[queue].waits);
    }
    pooled
}

/// Seconds, and the share that waited no longer, up to `far` milliseconds.
#[allow(clippy::cast_precision_loss, reason = "milliseconds of waits are far below 2^53")]
fn distribution(waits: &Histogram, far: u64) -> Vec<(f64, f64)> {
    let point = |at: u32| {
        let millis = far * u64::from(at) / u64::from(POINTS);
        (millis as f64 / 1_000.0, waits.share_within(millis))
    };
    if waits.total() == 0 { Vec::new() } else { (0..=POINTS).map(point).collect() }
}

#[allow(clippy::cast_precision_loss, reason = "milliseconds of waits are far below 2^53")]
fn waits(all: &[&QueueOutcome], distribution: Vec<(f64, f64)>) -> Waits {
    let seconds = |millis: u64| millis as f64 / 1_000.0;
    let quantile = |share: f64| {
        let each = all.iter().filter_map(|queue| queue.waits.quantile(share));
        Estimate::over(&each.map(seconds).collect::<Vec<f64>>())
    };
    Waits {
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
        longest: seconds(all.iter().map(|queue| queue.waits.longest()).max().unwrap_or(0)),
        distribution,
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn series(all: &[&QueueOutcome], exposure: &[f64]) -> Series {
    let parts = 0..exposure.len();
    let sum = |part: usize, of: &dyn Fn(&super::Tally) -> u64| {
        all.iter().map(|queue| of(&queue.parts[part])).sum::<u64>() as f64
    };
    let share = |of: &dyn Fn(&super::Tally) -> u64| {
        parts.clone().map(|part| ratio(sum(part, of), sum(part, &|tally| tally.offered))).collect()
    };
    let hours = |part: usize| exposure[part] * all.len() as f64 / 3_600_000.0;
    Series {
        offered: parts.clone().map(|part| ratio(sum(part, &|tally| tally.offered), hours(part))).collect(),
        service_level: share(&|tally| tally.within),
        abandonment: share(&|tally| tally.abandoned),
        waiting: parts
            .clone()
            .map(|part| {
                let each = all.iter().filter_map(|queue| ratio(queue.waiting.parts[part], exposure[part]));
                Estimate::over(&each.collect::<Vec<f64>>())
            })
            .collect(),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn group_summary(plan: &Plan, at: usize, all: &[&GroupOutcome], exposure: &[f64]) -> GroupSummary {
    let mean = |of: &dyn Fn(&GroupOutcome) -> Option<f64>| {
        Estimate::over(&all.iter().filter_map(|group| of(group)).collect::<Vec<f64>>())
    };
    let count = |of: &dyn Fn(&GroupOutcome) -> u64| {
        mean(&|group| Some(of(group) as f64)).expect("there is one replication at least")
    };
    let sum = |part: usize, of: &dyn Fn(&GroupOutcome) -> &Level| {
        all.iter().map(|group| of(group).parts[part]).sum::<f64>()
    };
    let parts = 0..exposure.len();
    GroupSummary {
        name: plan.scenario.agents[at].name.clone(),
        agents: plan.scenario.agents[at].count,
        answered: count(&|group| group.answered),
        occupancy: mean(&|group| ratio(group.busy.total, group.staffed.total)),
        utilization: mean(&|group| ratio(group.busy.total, group.scheduled.total)),
        rona: count(&|group| group.rona),
        rejected: count(&|group| group.rejected),
        series: parts
            .clone()
            .map(|part| {
                // After a shift the last conversations are all that is left of it.
                let at_work = sum(part, &|group| &group.scheduled) > 0.0;
                let occupancy = ratio(sum(part, &|group| &group.busy), sum(part, &|group| &group.staffed));
                occupancy.filter(|_| at_work)
            })
            .collect(),
        at_work: parts
            .map(|part| {
                let time = exposure[part] * all.len() as f64;
                ratio(sum(part, &|group| &group.scheduled), time).unwrap_or(0.0)
            })
            .collect(),
    }
}
