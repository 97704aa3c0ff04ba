#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod properties;
mod sample;
mod tables;

use heliograph_domain::resources::{ChannelPolicySpec, Spec, parse};
use jiff::Timestamp;

use crate::{
    CompiledPolicy, Consent, Direction, Facts, MessageClass, RegionFinding, Verdict, Window, decide,
};

/// The policy of the sample tenant that is shipped.
fn sample_spec() -> ChannelPolicySpec {
    let documents = parse("acme.yaml", include_str!("../../../../deploy/samples/acme.yaml")).unwrap();
    let policy = documents.into_iter().find_map(|document| match document.resource.spec {
        Spec::ChannelPolicy(spec) => Some(spec),
        _ => None,
    });
    policy.unwrap()
}

fn sample() -> CompiledPolicy {
    CompiledPolicy::compile("default", 7, &sample_spec()).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T18:00:00Z".parse().unwrap()
}

/// A service message to or from a customer of whom nothing speaks against it.
fn facts<'a>(direction: Direction, channel: &'a str, region: &'a RegionFinding) -> Facts<'a> {
    Facts {
        direction,
        channel: Some(channel),
        class: MessageClass::Service,
        region,
        consent: Consent::Unknown,
        window: Window::Unlimited,
        available: None,
    }
}

fn judge(policy: &CompiledPolicy, facts: &Facts<'_>) -> Verdict {
    decide(policy, facts, now())
}

/// Codes of the rules that fired.
fn fired(verdict: &Verdict) -> Vec<&'static str> {
    verdict.rules_fired.iter().map(crate::Reason::code).collect()
}

fn names(channels: &[std::sync::Arc<str>]) -> Vec<&str> {
    channels.iter().map(|channel| &**channel).collect()
}
