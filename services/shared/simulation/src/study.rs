//! A scenario from the file to the findings, in pieces that can be worked on side by side.

use serde::Serialize;

use crate::{
    closed_form::ClosedForm,
    ideal::{Comparison, Optimal, Policies, Trial},
    measure::{Outcome, Summary},
    plan::Plan,
    scenario::Scenario,
};

/// Replications on which every static policy is tried.
const SCREENING: u32 = 4;

/// A scenario under study. Whoever holds it runs its pieces, in any order and on as many threads as there are:
/// first the [screenings](Self::screenings), whose results go to [`Self::narrow`], then the
/// [replications](Self::replications), whose results [`Self::conclude`] reads. The numbers do not depend on how.
#[derive(Clone, Debug)]
pub struct Study {
    plan: Plan,
    seed: u64,
    replications: u32,
    policies: Option<Policies>,
}

/// What one piece found.
#[derive(Clone, Debug)]
pub struct Piece {
    outcome: Outcome,
    trial: Option<Trial>,
}

/// How every static policy did on one replication.
#[derive(Clone, Debug)]
pub struct Screening(Option<Trial>);

/// What a study found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Findings {
    /// The scenario's name.
    pub name: String,
    /// What it is about.
    pub about: String,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Measured time of a replication, in seconds.
    pub length: f64,
    /// Time before anything counted, in seconds.
    pub warm_up: f64,
    /// Length of a part of the series, in seconds.
    pub part: f64,
    /// When the first part begins: seconds after midnight where the time of the day matters, else after the warm-up.
    pub origin: f64,
    /// Whether the time of the day matters, and the series are over the day.
    pub daily: bool,
    /// Queues and agents.
    pub summary: Summary,
    /// Beside the closed form, where there is one.
    pub closed_form: Option<ClosedForm>,
    /// Beside the best static policy, where the scenario asks for it.
    pub optimum: Option<Optimal>,
}

impl Study {
    /// A study of a scenario, with another seed or number of replications where given.
    pub fn new(scenario: &Scenario, seed: Option<u64>, replications: Option<u32>) -> Self {
        let plan = Plan::new(scenario);
        let policies = Policies::all(&plan);
        Self {
            seed: seed.unwrap_or(scenario.seed),
            replications: replications.unwrap_or(scenario.replications).max(1),
            plan,
            policies,
        }
    }

    /// How many screenings there are: none where no best policy is looked for.
    pub fn screenings(&self) -> u32 {
        if self.policies.is_some() { SCREENING.min(self.replications) } else { 0 }
    }

    /// One screening.
    pub fn screen(&self, number: u32) -> Screening {
        let trial = self.policies.as_ref().map(|policies| policies.trial(&self.plan, self.seed, number));
        Screening(trial)
    }

    /// Keeps the policies that did best.
    pub fn narrow(&mut self, screenings: Vec<Screening>) {
        let trials: Vec<Trial> = screenings.into_iter().filter_map(|screening| screening.0).collect();
        if let Some(policies) = &mut self.policies {
            policies.shortlist(&trials);
        }
    }

    /// How many replications there are.
    pub fn replications(&self) -> u32 {
        self.replications
    }

    /// One replication.
    pub fn replicate(&self, number: u32) -> Piece {
        Piece {
            outcome: self.plan.replicate(self.seed, number),
            trial: self.policies.as_ref().map(|policies| policies.trial(&self.plan, self.seed, number)),
        }
    }

    /// Reads the pieces together, which stand in the order of their numbers.
    ///
    /// # Panics
    /// When there is none.
    pub fn conclude(&self, pieces: Vec<Piece>) -> Findings {
        let (mut outcomes, mut trials) = (Vec::new(), Vec::new());
        for piece in pieces {
            outcomes.push(piece.outcome);
            trials.extend(piece.trial);
        }
        let plan = &self.plan;
        let comparison = Comparison { plan, outcomes: &outcomes, trials: &trials };
        let seconds = |millis: i64| crate::arrivals::as_number(millis) / 1_000.0;
        Findings {
            name: plan.scenario.name.clone(),
            about: plan.scenario.about.clone(),
            seed: self.seed,
            length: seconds(plan.grid.to - plan.grid.from),
            warm_up: seconds(plan.grid.from - plan.start),
            part: seconds(plan.grid.width),
            origin: if plan.daily { seconds(plan.grid.origin.rem_euclid(crate::week::DAY)) } else { 0.0 },
            daily: plan.daily,
            summary: Summary::over(plan, &outcomes),
            closed_form: ClosedForm::of(plan, &outcomes),
            optimum: self.policies.as_ref().and_then(|policies| policies.compare(&comparison)),
        }
    }
}

impl Findings {
    /// Whether everything the scenario checks holds.
    pub fn passed(&self) -> bool {
        self.closed_form.as_ref().is_none_or(ClosedForm::passed)
            && self.optimum.as_ref().is_none_or(Optimal::passed)
            && self.summary.refused.is_empty()
    }
}
