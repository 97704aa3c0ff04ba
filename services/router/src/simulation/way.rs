//! Whether every tenant is somewhere in the end, and whether what was written for it came there in order.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::Expected;
use super::town::{Ledger, TENANTS};

/// Every tenant is in one partition.
pub(super) fn homes(expected: &Expected, wrong: &mut Vec<String>) {
    for tenant in TENANTS {
        match expected.homes.get(tenant).map(Vec::as_slice) {
            Some([_]) => {}
            homes => wrong.push(format!("{tenant} is in partitions {homes:?}")),
        }
    }
}

/// What was written in a lane one after the other was applied in that order.
pub(super) fn lanes(ledger: &Ledger, expected: &Expected, wrong: &mut Vec<String>) {
    let mut first: BTreeMap<&str, u64> = BTreeMap::new();
    for (at, id) in &expected.applied {
        first.entry(id).or_insert(*at);
    }
    for (lane, written) in &ledger.lanes {
        let mut seen = BTreeSet::new();
        let mut before = 0;
        for id in written.iter().filter(|id| seen.insert(id.as_str())) {
            match first.get(&**id) {
                None => wrong.push(format!("never applied: {id} of lane {lane}")),
                Some(at) if *at < before => {
                    wrong.push(format!("applied out of order: {id} of lane {lane} at {at}, behind {before}"));
                }
                Some(at) => before = *at,
            }
        }
    }
}
