//! The engine beside static policies, in short.

use heliograph_domain::resources::Period;

use super::{files::samples, findings, same};
use crate::Scenario;

fn short(name: &str) -> Scenario {
    let (_, mut scenario) =
        samples("optimum").into_iter().find(|(file, _)| file == name).unwrap_or_else(|| panic!("{name}"));
    scenario.length = Period::seconds(100 * 3_600);
    scenario.replications = 4;
    scenario
}

/// First come, first served is the same in the engine and in the simulator that it is compared with, to the millisecond:
/// neither can be wrong alone.
#[test]
fn two_simulators_that_share_nothing_but_the_customers_agree() {
    let mut scenario = short("shared-pool.yaml");
    for queue in scenario.queues.values_mut() {
        (queue.priority, queue.aging) = (0, None);
    }
    let optimum = findings(&scenario).optimum.unwrap();
    assert!((optimum.engine.mean - optimum.by_lot.mean).abs() < 1e-3, "{optimum:?}");
    // With priority for the short work, it is the best static policy.
    let optimum = findings(&short("shared-pool.yaml")).optimum.unwrap();
    assert!(optimum.gap.mean.abs() < 1e-3 && optimum.against_lot.mean < -0.2, "{optimum:?}");
    assert_eq!(optimum.best, "everybody takes orders, then claims");
}

#[test]
fn the_engine_is_near_the_best_static_policy_and_ahead_of_lots() {
    for name in ["n.yaml", "w-unequal.yaml", "m-unequal.yaml"] {
        let mut scenario = short(name);
        if let Some(optimum) = &mut scenario.check.optimum {
            optimum.reserve = 0;
        }
        let found = findings(&scenario);
        let optimum = found.optimum.as_ref().unwrap();
        // Both serve the same customers, so little is left to chance.
        assert!(optimum.gap.mean < 0.05, "{name}: {optimum:?}");
        assert!(optimum.against_lot.mean < 0.0, "{name}: {optimum:?}");
        assert!(found.passed());
        assert_eq!(found.summary.queues.len(), scenario.queues.len());
    }
}

#[test]
fn by_lot_is_worse_where_lots_are_worse() {
    let mut scenario = short("n.yaml");
    scenario.check.optimum.as_mut().unwrap().within = crate::Share::new(0.0).unwrap();
    // All claims behind all orders: nothing an operator would do.
    scenario.queues.get_mut("orders").unwrap().priority = 5;
    let found = findings(&scenario);
    assert!(!found.passed(), "{:?}", found.optimum);
    same(found.optimum.unwrap().within.unwrap(), 0.0);
}
