//! The time zones of prefixes of numbers.

use std::collections::BTreeMap;

use super::zones_of;
use crate::{
    phone,
    region::{Prefix, prefix::PrefixTable},
};

/// Calling codes have one to three digits.
const CALLING_CODES: std::ops::Range<u16> = 1..1_000;

/// Zones by prefix: every calling code with the zones of all its countries.
pub(super) fn table() -> PrefixTable<Vec<&'static str>> {
    let mut zones: BTreeMap<Prefix, Vec<&'static str>> = BTreeMap::new();
    for code in CALLING_CODES {
        let digits = code.to_string();
        let Some((_, countries)) = phone::calling_code(&digits).filter(|(code, _)| *code == digits) else {
            continue;
        };
        let mut all: Vec<&'static str> = Vec::new();
        for zone in countries.into_iter().flat_map(zones_of) {
            if !all.contains(zone) {
                all.push(zone);
            }
        }
        if let Some(prefix) = Prefix::of_digits(&digits).filter(|_| !all.is_empty()) {
            zones.insert(prefix, all);
        }
    }
    PrefixTable::new(zones)
}
