#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fallback;
mod faults;
mod properties;
mod regions;
mod rules;
mod sample;
mod shelf;
mod tables;
mod times;
mod wire;

use heliograph_domain::resources::{ChannelPolicySpec, Spec, parse};
use jiff::Timestamp;
use serde_json::Value;

use crate::{Calendars, CompileError, CompiledPolicy, Direction, Facts, RegionFinding, Verdict, decide};

/// The policy of the sample tenant that is shipped.
fn sample_spec() -> (ChannelPolicySpec, Calendars) {
    let (mut policy, mut calendars) = (None, Calendars::new());
    for document in parse("acme.yaml", include_str!("../../../../deploy/samples/acme.yaml")).unwrap() {
        match document.resource.spec {
            Spec::ChannelPolicy(spec) => policy = Some(spec),
            Spec::Calendar(spec) => drop(calendars.insert(document.resource.metadata.name, spec)),
            _ => {}
        }
    }
    (policy.unwrap(), calendars)
}

fn sample() -> CompiledPolicy {
    let (spec, calendars) = sample_spec();
    CompiledPolicy::compile("default", 7, &spec, &calendars).unwrap()
}

fn now() -> Timestamp {
    "2026-11-22T18:00:00Z".parse().unwrap()
}

/// A service message to or from a customer of whom nothing speaks against it.
fn facts<'a>(direction: Direction, channel: &'a str, region: &'a RegionFinding) -> Facts<'a> {
    Facts { direction, channel: Some(channel), ..Facts::about(region) }
}

fn judge(policy: &CompiledPolicy, facts: &Facts<'_>) -> Verdict {
    decide(policy, facts, now())
}

fn compile(spec: Value) -> Result<CompiledPolicy, CompileError> {
    compile_with(spec, serde_json::json!({}))
}

/// Compiles a policy with calendars, by name.
fn compile_with(spec: Value, calendars: Value) -> Result<CompiledPolicy, CompileError> {
    let spec: ChannelPolicySpec = serde_json::from_value(spec).unwrap();
    CompiledPolicy::compile("default", 1, &spec, &serde_json::from_value(calendars).unwrap())
}

/// Codes of the rules that fired.
fn fired(verdict: &Verdict) -> Vec<&'static str> {
    verdict.rules_fired.iter().map(crate::Reason::code).collect()
}

fn names(channels: &[std::sync::Arc<str>]) -> Vec<&str> {
    channels.iter().map(|channel| &**channel).collect()
}
