//! The world's sample policy: every country has its place, every test holds, and no mistake in it goes unnoticed.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use heliograph_domain::{
    region::Country,
    resources::{ChannelPolicySpec, Spec, parse},
};
use heliograph_policy::{
    Calendars, CompiledPolicy, Direction, Facts, RegionSource, decide,
    suite::{self, Subject, TestFile},
};

const WORLD: &str = include_str!("../../../../deploy/samples/world.yaml");
const TESTS: &str = include_str!("../../../../deploy/samples/world.tests.yaml");

fn world() -> (ChannelPolicySpec, Calendars) {
    let mut policy = None;
    let mut calendars = Calendars::new();
    for document in parse("world.yaml", WORLD).unwrap() {
        match document.resource.spec {
            Spec::ChannelPolicy(spec) => policy = Some(spec),
            Spec::Calendar(spec) => drop(calendars.insert(document.resource.metadata.name, spec)),
            _ => {}
        }
    }
    (policy.unwrap(), calendars)
}

fn tests() -> Vec<TestFile> {
    vec![suite::parse("world.tests.yaml", TESTS).unwrap()]
}

#[test]
fn the_sample_is_as_large_as_it_says_and_uses_everything() {
    let (spec, _) = world();
    assert_eq!((spec.regions.len(), spec.rules.len()), (12, 60));
    let effects: BTreeSet<String> = spec
        .rules
        .iter()
        .map(|rule| match serde_json::to_value(&rule.then).unwrap() {
            serde_json::Value::String(effect) => effect,
            other => other.as_object().unwrap().keys().next().unwrap().clone(),
        })
        .collect();
    assert_eq!(effects.len(), 8, "{effects:?}");
    assert!(spec.rules.iter().all(|rule| rule.reason.is_some()));
    assert!(spec.rules.iter().any(|rule| rule.when.is_some()));
}

#[test]
fn the_sample_is_as_its_tests_say() {
    let (spec, calendars) = world();
    let subject = Subject::new("default", 1, spec, &calendars).unwrap();
    let report = suite::run(&subject, &tests());
    let told: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(report.passed(), "{} of {} failed:\n{}", told.len(), report.cases, told.join("\n\n"));
    assert!(report.cases > 400, "{}", report.cases);
    assert_eq!(report.coverage.idle_rules, Vec::<String>::new());
    assert_eq!(report.coverage.idle_regions, Vec::<String>::new());
}

#[test]
fn every_country_of_the_world_has_one_place() {
    let (spec, calendars) = world();
    let policy = CompiledPolicy::compile("default", 1, &spec, &calendars).unwrap();
    let known: BTreeSet<String> = policy.region_names().map(|name| name.to_string()).collect();
    let mut found = BTreeSet::new();
    let countries: Vec<Country> = Country::all().filter(|country| country.is_assigned()).collect();
    assert_eq!(countries.len(), 249);
    for country in countries {
        let place = policy.place(country, RegionSource::Explicit);
        assert!(known.contains(&*place.region), "{country}");
        assert_eq!(place.term.is_some(), &*place.region != "default", "{country}");
        found.insert(place.region.to_string());
        // Every country gets a verdict in both directions, with its reason.
        for direction in [Direction::Inbound, Direction::Outbound] {
            let facts = Facts { direction, channel: Some("email"), ..Facts::about(&place) };
            let verdict = decide(&policy, &facts, "2026-01-14T12:00:00Z".parse().unwrap());
            assert!(!verdict.rules_fired.is_empty(), "{country}");
        }
    }
    assert_eq!(found, known, "a region that no country is in");
}

#[test]
fn no_mistake_goes_unnoticed() {
    let (spec, calendars) = world();
    let count = suite::mutants(&spec, &calendars).count();
    assert!(count > 300, "{count}");
    let living = suite::survivors("default", &spec, &calendars, &tests());
    assert!(living.is_empty(), "{} of {count} mistakes live:\n{}", living.len(), living.join("\n"));
}
