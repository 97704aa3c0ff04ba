//! Policy's verdicts on the wire.

use heliograph_domain::resources;
use heliograph_policy::{Outcome, Reason, RegionSource, Verdict};
use heliograph_proto::v1::{self, MessageClass, OutboundMessage, verdict};

use crate::time::timestamp;

/// A verdict as events and answers carry it.
pub(crate) fn on_wire(verdict: &Verdict) -> v1::Verdict {
    let region = &verdict.region;
    let source = match region.source {
        RegionSource::Nothing => "none",
        known => known.as_str(),
    };
    let until = match &verdict.outcome {
        Outcome::Defer(until) => Some(timestamp(until.as_millisecond())),
        _ => None,
    };
    v1::Verdict {
        outcome: outcome(&verdict.outcome).into(),
        policy: verdict.policy.to_string(),
        policy_version: i64::try_from(verdict.policy_version).unwrap_or(i64::MAX),
        region: Some(v1::Region {
            name: region.region.to_string(),
            country: region.country.map_or_else(String::new, |country| country.code().to_owned()),
            source: source.to_owned(),
            confidence: f64::from(region.confidence) / 100.0,
        }),
        fired: verdict.rules_fired.iter().map(reason).collect(),
        tried: verdict.rules_tried.iter().map(reason).collect(),
        channels: verdict.alternatives.iter().map(ToString::to_string).collect(),
        until,
    }
}

fn outcome(outcome: &Outcome) -> verdict::Outcome {
    match outcome {
        Outcome::Allow => verdict::Outcome::Allow,
        Outcome::Deny => verdict::Outcome::Deny,
        Outcome::UseChannel(_) => verdict::Outcome::UseChannel,
        Outcome::Defer(_) => verdict::Outcome::Defer,
        Outcome::NeedsTemplate => verdict::Outcome::NeedsTemplate,
        Outcome::NeedsConsent => verdict::Outcome::NeedsConsent,
    }
}

fn reason(reason: &Reason) -> v1::Reason {
    v1::Reason { code: format!("policy.{}", reason.code()), text: reason.to_string(), detail: None }
}

/// What is said of a message that was allowed when it was accepted, and may not leave now.
pub(crate) fn refusal(
    out: &OutboundMessage,
    outcome: verdict::Outcome,
    why: &Reason,
    more: &str,
) -> v1::Verdict {
    let mut fired = reason(why);
    if !more.is_empty() {
        fired.text = format!("{} ({more})", fired.text);
    }
    let before = out.verdict.clone().unwrap_or_default();
    v1::Verdict { outcome: outcome.into(), fired: vec![fired], tried: Vec::new(), until: None, ..before }
}

/// What a message is for; nothing said means service.
pub(crate) fn class(class: MessageClass) -> resources::MessageClass {
    match class {
        MessageClass::Unspecified | MessageClass::Service => resources::MessageClass::Service,
        MessageClass::Utility => resources::MessageClass::Utility,
        MessageClass::Marketing => resources::MessageClass::Marketing,
        MessageClass::Authentication => resources::MessageClass::Authentication,
        MessageClass::Emergency => resources::MessageClass::Emergency,
    }
}
