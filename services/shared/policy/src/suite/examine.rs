//! Asking a policy what its tests ask.

use std::collections::BTreeSet;

use heliograph_domain::resources::Trigger;

use super::{Case, Coverage, Failure, Report, Subject, TestFile, facts::Known};
use crate::{CompiledPolicy, FallbackAsk, Reason, RegionFinding, Verdict};

/// What a test expects where there is to be nothing.
const NONE: &str = "none";

/// Runs every case of the files.
pub fn run(subject: &Subject, files: &[TestFile]) -> Report {
    let mut report = Report { cases: 0, failures: Vec::new(), coverage: Coverage::default() };
    let (mut rules, mut regions) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        for case in &file.cases {
            report.cases += 1;
            let (verdict, faults) = ask(subject.policy(), case);
            regions.insert(verdict.region.region.to_string());
            rules.extend(verdict.rules_fired.iter().filter_map(Reason::rule).map(ToString::to_string));
            if !faults.is_empty() {
                report.failures.push(Failure {
                    file: file.file.clone(),
                    line: case.line,
                    name: case.name.clone(),
                    given: case.given.clone(),
                    expect: case.expect.clone(),
                    faults,
                    verdict,
                });
            }
        }
    }
    let spec = subject.spec();
    let names = spec.rules.iter().map(|rule| &rule.name);
    report.coverage.rules = spec.rules.len();
    report.coverage.idle_rules = names.filter(|name| !rules.contains(*name)).cloned().collect();
    let names = spec.regions.iter().map(|region| &region.name);
    report.coverage.regions = spec.regions.len();
    report.coverage.idle_regions = names.filter(|name| !regions.contains(*name)).cloned().collect();
    report
}

/// Whether every case is as expected. Stops at the first that is not.
pub(super) fn passes(policy: &CompiledPolicy, files: &[TestFile]) -> bool {
    files.iter().flat_map(|file| &file.cases).all(|case| ask(policy, case).1.is_empty())
}

fn ask(policy: &CompiledPolicy, case: &Case) -> (Verdict, Vec<String>) {
    let known = Known::of(&case.given).expect("cases are checked when they are read");
    let region = known.region(policy);
    let verdict = known.judge(policy, &region);
    let mut faults = case.expect.faults(&verdict);
    faults.extend(detours(policy, case, &known, &region));
    faults.extend(words(policy, case));
    (verdict, faults)
}

/// What is not as expected of fallbacks and templates.
fn detours(policy: &CompiledPolicy, case: &Case, known: &Known<'_>, region: &RegionFinding) -> Vec<String> {
    let (given, expect) = (&case.given, &case.expect);
    let mut faults = Vec::new();
    let channel = known.channel().unwrap_or_default();
    if expect.fallback.is_some() || expect.fallback_to.is_some() || expect.fallback_after.is_some() {
        let tried: Vec<&str> = given.tried.iter().flatten().map(String::as_str).collect();
        let trigger = given.trigger.unwrap_or(Trigger::Failed);
        let plan =
            policy.fallback(&FallbackAsk { trigger, region, channel, class: known.class, tried: &tried });
        let rule = plan.as_ref().map_or(NONE, |plan| &plan.rule);
        if expect.fallback.as_ref().is_some_and(|expected| expected != rule) {
            faults.push(format!("the fallback is {rule}"));
        }
        let to: Vec<&str> = plan.iter().flat_map(|plan| &plan.to).map(|channel| &**channel).collect();
        if expect.fallback_to.as_ref().is_some_and(|expected| *expected != to) {
            faults.push(format!("it falls back to [{}]", to.join(", ")));
        }
        let after = plan.as_ref().and_then(|plan| plan.after);
        if expect.fallback_after.is_some_and(|expected| Some(expected.duration()) != after) {
            faults.push(format!("it falls back after {after:?}"));
        }
    }
    if let Some(expected) = &expect.template {
        let name = policy.template(&region.region, channel).map_or(NONE, |template| &template.name);
        if expected != name {
            faults.push(format!("the template is {name}"));
        }
    }
    faults
}

/// What is not as expected of the customer's words.
fn words(policy: &CompiledPolicy, case: &Case) -> Option<String> {
    let expected = case.expect.keyword.as_ref()?;
    let given = &case.given;
    let (channel, says) =
        (given.channel.one().unwrap_or_default(), given.says.as_deref().unwrap_or_default());
    let locale = given.contact.locale.as_deref().unwrap_or_default();
    let kind = policy.keyword(channel, says, locale).map_or(NONE, |keyword| keyword.kind.as_str());
    (expected != kind).then(|| format!("{says:?} means {kind}"))
}
