//! Scenarios small enough to know the answer, closed forms, and static policies.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod closed_forms;
mod files;
mod policies;
mod problems;
mod reports;
mod rules;
mod stories;

use crate::{Findings, Outcome, Plan, QueueSummary, Scenario, Study, Summary};

/// A scenario from its text, which makes sense.
fn scenario(text: &str) -> Scenario {
    Scenario::read("test.yaml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// One replication.
fn run(text: &str) -> Outcome {
    Plan::new(&scenario(text)).replicate(1, 0)
}

/// One replication, read.
fn summary(text: &str) -> Summary {
    let scenario = scenario(text);
    let plan = Plan::new(&scenario);
    let summary = Summary::over(&plan, &[plan.replicate(1, 0)]);
    assert!(summary.refused.is_empty(), "{:?}", summary.refused);
    summary
}

/// A whole study, one piece after the other.
fn findings(scenario: &Scenario) -> Findings {
    let mut study = Study::new(scenario, None, None);
    let screenings = (0..study.screenings()).map(|number| study.screen(number)).collect();
    study.narrow(screenings);
    let pieces = (0..study.replications()).map(|number| study.replicate(number)).collect();
    study.conclude(pieces)
}

/// A queue by name.
fn queue<'a>(summary: &'a Summary, name: &str) -> &'a QueueSummary {
    summary.queues.iter().find(|queue| queue.name == name).unwrap()
}

/// Two numbers that differ by rounding at most.
#[track_caller]
fn same(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{found} instead of {expected}");
}
