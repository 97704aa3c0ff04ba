//! The engine in a queue that theory knows: what comes out is what theory says, as far as chance lets it.

use super::{files::samples, findings};
use crate::scenario::Check;

/// A tenth of what `make simulate` runs: the confidence interval is wider, and the closed form is within it.
#[test]
fn closed_forms_are_within_their_confidence_intervals() {
    for (name, mut scenario) in samples("erlang") {
        scenario.replications = 16;
        scenario.length = heliograph_domain::resources::Period::seconds(scale(&scenario));
        scenario.check = Check::default();
        let found = findings(&scenario);
        let form = found.closed_form.unwrap();
        assert!(form.rows.len() >= 6, "{name}: {form:?}");
        for row in &form.rows {
            let precision = row.precision.unwrap();
            assert!(precision < 0.25, "{name}: {} is known to {precision:.3} only", row.measure);
            // 95 % of all intervals hold the value; an interval twice as wide holds it in all but one of 10,000.
            assert!(row.error.abs() < 2.0 * precision + 1e-3, "{name}: {row:?}");
        }
    }
}

/// So many seconds that about four thousand customers come.
fn scale(scenario: &crate::Scenario) -> u32 {
    let per_hour = scenario.work[0].arrivals.constant_per_hour().unwrap();
    (4_000.0 * 3_600.0 / per_hour) as u32
}

#[test]
fn a_scenario_without_a_closed_form_has_none() {
    let (_, mut scenario) = samples("erlang").remove(0);
    scenario.replications = 1;
    scenario.check = Check::default();
    scenario.length = heliograph_domain::resources::Period::seconds(3_600);
    assert!(findings(&scenario).closed_form.is_some());
    scenario.agents[0].rejects = crate::Share::new(0.1).unwrap();
    assert!(findings(&scenario).closed_form.is_none());
}
