//! Verdicts as events and answers carry them.

use std::{collections::HashMap, sync::Arc};

use heliograph_proto::{Struct, Timestamp, Value, v1};

use crate::{Outcome, Reason, RegionFinding, RegionSource, Verdict};

/// A verdict on the wire.
pub fn verdict(verdict: &Verdict) -> v1::Verdict {
    let until = match &verdict.outcome {
        // Rounded up: whoever asks again at this time is not told to wait for the rest of a millisecond.
        Outcome::Defer(until) => {
            let begun = i64::from(until.as_nanosecond().rem_euclid(1_000_000) > 0);
            Some(Timestamp::from_millis(until.as_millisecond().saturating_add(begun)))
        }
        _ => None,
    };
    v1::Verdict {
        outcome: outcome(&verdict.outcome).into(),
        policy: verdict.policy.to_string(),
        policy_version: i64::try_from(verdict.policy_version).unwrap_or(i64::MAX),
        region: Some(region(&verdict.region)),
        fired: verdict.rules_fired.iter().map(reason).collect(),
        tried: verdict.rules_tried.iter().map(reason).collect(),
        channels: verdict.alternatives.iter().map(ToString::to_string).collect(),
        until,
    }
}

/// A reason on the wire, its code below `policy.`. One of a rule has its name in `detail.rule`.
pub fn reason(reason: &Reason) -> v1::Reason {
    let named =
        |rule: &Arc<str>| Struct::from(HashMap::from([("rule".to_owned(), Value::from(rule.to_string()))]));
    v1::Reason {
        code: format!("policy.{}", reason.code()),
        text: reason.to_string(),
        detail: reason.rule().map(named),
    }
}

/// Where a customer is, on the wire.
pub fn region(found: &RegionFinding) -> v1::Region {
    let source = match found.source {
        RegionSource::Nothing => "none",
        known => known.as_str(),
    };
    v1::Region {
        name: found.region.to_string(),
        country: found.country.map_or_else(String::new, |country| country.code().to_owned()),
        source: source.to_owned(),
        confidence: f64::from(found.confidence) / 100.0,
    }
}

fn outcome(outcome: &Outcome) -> v1::verdict::Outcome {
    use v1::verdict::Outcome as Wire;
    match outcome {
        Outcome::Allow => Wire::Allow,
        Outcome::Deny => Wire::Deny,
        Outcome::UseChannel(_) => Wire::UseChannel,
        Outcome::Defer(_) => Wire::Defer,
        Outcome::NeedsTemplate => Wire::NeedsTemplate,
        Outcome::NeedsConsent => Wire::NeedsConsent,
    }
}
