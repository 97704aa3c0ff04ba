//! The search for the best static policy, and the engine beside it.

use serde::Serialize;

use super::{
    Model,
    policy::Policy,
    race::{Customers, mean_wait},
};
use crate::{
    measure::{Estimate, Outcome},
    plan::Plan,
    random::{Purpose, Random},
};

/// How many of the best policies of the first round go on to the second.
const SHORTLIST: usize = 24;

/// Every static policy for a scenario, or the best of them.
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    model: Model,
    tried: usize,
    policies: Vec<Policy>,
}

/// Mean waits of one replication, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trial {
    /// Under each policy.
    policies: Vec<f64>,
    /// First come, first served, by an agent drawn by lot.
    by_lot: f64,
}

/// The engine beside the best static policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Optimal {
    /// Static policies that were tried.
    pub tried: usize,
    /// The best of them, in words.
    pub best: String,
    /// Mean waits in seconds: the engine's.
    pub engine: Estimate,
    /// The best static policy's.
    pub best_wait: Estimate,
    /// First come, first served, by an agent drawn by lot.
    pub by_lot: Estimate,
    /// How much longer the engine's is than the best policy's, as a share of it.
    pub gap: Estimate,
    /// How much longer the engine's is than by lot, as a share of it; less than nothing is ahead.
    pub against_lot: Estimate,
    /// How much longer it may be; none where nothing is asked.
    pub within: Option<f64>,
}

/// What a comparison is made of.
pub(crate) struct Comparison<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) outcomes: &'a [Outcome],
    pub(crate) trials: &'a [Trial],
}

impl Policies {
    /// Every static policy for a scenario that has a search; none where it has not.
    pub(crate) fn all(plan: &Plan) -> Option<Self> {
        let most = plan.scenario.check.optimum.as_ref()?.reserve;
        let model = Model::of(&plan.scenario).ok()?;
        let policies = Policy::all(&model, most);
        Some(Self { model, tried: policies.len(), policies })
    }

    /// Tries each on the customers of one replication.
    pub(crate) fn trial(&self, plan: &Plan, seed: u64, replication: u32) -> Trial {
        let customers = Customers::new(plan, seed, replication);
        let lots = Random::stream(seed, u64::from(replication), Purpose::Lots, 0);
        let wait = |policy: &Policy| mean_wait(&self.model, policy, &customers, lots.clone());
        Trial {
            policies: self.policies.iter().map(wait).collect(),
            by_lot: wait(&Policy::by_lot(&self.model)),
        }
    }

    /// The best of them by these trials.
    pub(crate) fn shortlist(&mut self, trials: &[Trial]) {
        let mut ranked: Vec<(f64, usize)> =
            (0..self.policies.len()).map(|at| (sum(trials, at), at)).collect();
        ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
        let kept = ranked.into_iter().take(SHORTLIST).map(|(_, at)| self.policies[at].clone());
        self.policies = kept.collect();
    }

    /// The engine beside the best of them.
    pub(crate) fn compare(&self, comparison: &Comparison<'_>) -> Option<Optimal> {
        let Comparison { plan, outcomes, trials } = comparison;
        let best = (0..self.policies.len())
            .min_by(|one, other| sum(trials, *one).total_cmp(&sum(trials, *other)))?;
        let engine: Vec<f64> = outcomes.iter().map(Outcome::mean_wait).collect::<Option<_>>()?;
        let waits: Vec<f64> = trials.iter().map(|trial| trial.policies[best]).collect();
        let lots: Vec<f64> = trials.iter().map(|trial| trial.by_lot).collect();
        let work: Vec<String> = plan.scenario.work.iter().map(|work| work.name.clone()).collect();
        let groups: Vec<String> = plan.scenario.agents.iter().map(|group| group.name.clone()).collect();
        Some(Optimal {
            tried: self.tried,
            best: self.policies[best].describe(&work, &groups),
            engine: Estimate::over(&engine)?,
            best_wait: Estimate::over(&waits)?,
            by_lot: Estimate::over(&lots)?,
            gap: gap(&engine, &waits)?,
            against_lot: gap(&engine, &lots)?,
            within: plan.scenario.check.optimum.as_ref().map(|optimum| optimum.within.get()),
        })
    }
}

impl Optimal {
    /// Whether the engine is as near to the best policy as is asked, and ahead of drawing lots.
    pub fn passed(&self) -> bool {
        self.within.is_none_or(|within| self.gap.mean <= within && self.against_lot.mean < 0.0)
    }
}

fn sum(trials: &[Trial], policy: usize) -> f64 {
    trials.iter().map(|trial| trial.policies[policy]).sum()
}

/// How much longer one is than the other on the same customers, as a share of the other's mean.
fn gap(one: &[f64], other: &[f64]) -> Option<Estimate> {
    let base = Estimate::over(other)?.mean;
    let apart: Vec<f64> = one.iter().zip(other).map(|(one, other)| (one - other) / base).collect();
    Estimate::over(&apart)
}
