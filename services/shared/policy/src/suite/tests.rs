#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::resources::ChannelPolicySpec;
use serde_json::json;

use super::{Subject, TestFile, mutants, parse, run, survivors};
use crate::Calendars;

fn spec() -> ChannelPolicySpec {
    serde_json::from_value(json!({
        "regions": [{ "name": "europe", "countries": ["region:150"], "channels": ["sms", "email"] }],
        "default": { "channels": ["email"] },
        "rules": [
            { "name": "no-sms-ads-in-france", "match": { "countries": ["FR"], "channels": ["sms"], "classes": ["marketing"] },
              "then": "deny", "reason": "an example" },
        ],
    }))
    .unwrap()
}

fn subject() -> Subject {
    Subject::new("default", 3, spec(), &Calendars::new()).unwrap()
}

fn file(text: &str) -> TestFile {
    parse("world.tests.yaml", text).unwrap()
}

const TESTS: &str = "
given: { consent: opted_in, channel: sms }
tests:
  - name: no advertising by SMS in France
    given: { to: '+33612345678', class: marketing }
    expect: { outcome: deny, region: europe, rule: no-sms-ads-in-france, channels: [email] }
  - name: what is not that goes
    cases:
      - { to: '+33612345678', class: [service, utility] }
      - { to: '+33612345678', class: marketing, channel: email }
      - { country: [DE, GB], class: marketing }
    expect: { outcome: allow, without: no-sms-ads-in-france }
  - name: elsewhere there is e-mail
    given: { country: [JP, BR] }
    expect: { outcome: deny, region: default, reason: region.default_forbids, channels: [email] }
  - name: the best comes first
    given: { country: DE, channel: [] }
    expect: { region: europe }
";

#[test]
fn tables_are_spread_and_what_is_as_expected_passes() {
    let files = [file(TESTS)];
    let report = run(&subject(), &files);
    assert_eq!(report.cases, 9);
    assert!(report.passed(), "{}", report.failures[0]);
    assert_eq!(report.coverage.to_string(), "1 of 1 rules and 1 of 1 regions decided a test");
}

#[test]
fn what_is_not_as_expected_is_told_with_everything_that_led_to_it() {
    let files = [file(
        "tests:
  - name: wrong in every way
    given: { to: '+33612345678', channel: sms, class: marketing, consent: opted_in, at: 2026-03-07T23:30:00-05:00 }
    expect: { outcome: defer, until: 2026-03-08T08:00:00-04:00, region: elsewhere, rule: [curfew], without: no-sms-ads-in-france, reason: consent.missing, channels: [sms] }",
    )];
    let report = run(&subject(), &files);
    let failure = &report.failures[0];
    assert_eq!(failure.faults.len(), 7, "{failure}");
    let told = failure.to_string();
    for part in [
        "world.tests.yaml:2: wrong in every way",
        "outcome is deny, not defer",
        "rule curfew has no say",
        "an example",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn mistakes_in_a_file_of_tests_are_named_with_their_line() {
    let table = [
        ("tests:\n  - name: a\n    expect: { outcom: allow }", "x.yaml:3:", "outcom"),
        (
            "tests:\n  - name: a\n    given: { class: spam }\n    expect: { outcome: allow }",
            "x.yaml:2:",
            "there is no class \"spam\"",
        ),
        ("tests:\n  - name: a\n    expect: {}", "x.yaml:2:", "cannot fail"),
        (
            "tests:\n  - name: a\n    given: { country: UK }\n    expect: { outcome: allow }",
            "x.yaml:2:",
            "unknown country",
        ),
        (
            "tests:\n  - name: a\n    given: { sent: [{ at: yesterday }] }\n    expect: { outcome: allow }",
            "x.yaml:2:",
            "\"yesterday\" is no time",
        ),
    ];
    for (text, place, problem) in table {
        let error = parse("x.yaml", text).unwrap_err().to_string();
        assert!(error.starts_with(place) && error.contains(problem), "{error}");
    }
}

#[test]
fn tests_that_look_away_let_mistakes_live() {
    let calendars = Calendars::new();
    let all = mutants(&spec(), &calendars).count();
    let lax =
        [file("tests: [{ name: it is somewhere, given: { country: DE }, expect: { region: europe } }]")];
    let living = survivors("default", &spec(), &calendars, &lax);
    assert!(living.len() > 4 && living.len() < all, "{living:?}");
    assert!(living.contains(&"rule no-sms-ads-in-france: removed".to_owned()), "{living:?}");
    // Only what is in nobody's tests is left: the order of channels, which only a question without a channel tells.
    let strict = survivors("default", &spec(), &calendars, &[file(TESTS)]);
    assert_eq!(strict, ["region europe: email before sms"]);
}
