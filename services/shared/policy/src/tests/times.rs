//! Rules that ask for the time of day, in the customer's time zones.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{compile_with, facts};
use crate::{CompiledPolicy, ContactFacts, Direction, Facts, Hints, Outcome, decide, find_region};

fn policy(then: &Value, time_zone: Option<&str>) -> CompiledPolicy {
    let mut region = json!({ "name": "here", "countries": ["DE", "US", "PT"], "channels": ["sms"] });
    if let Some(zone) = time_zone {
        region["time_zone"] = json!(zone);
    }
    let office = json!([
        { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "12:00" },
        { "days": ["mon", "tue", "wed", "thu", "fri"], "from": "13:00", "to": "17:00" },
    ]);
    let calendars = json!({
        "office": { "hours": office, "holidays": [{ "date": "2026-12-25" }] },
        "berlin": { "time_zone": "Europe/Berlin", "hours": office },
        "never": { "hours": [] },
    });
    let spec = json!({
        "regions": [region], "default": { "channels": ["sms"] }, "rules": [{ "name": "r", "then": then }],
    });
    compile_with(spec, calendars).unwrap()
}

/// What becomes of a message at a moment: nothing said means that it may go.
fn until(
    policy: &CompiledPolicy,
    contact: ContactFacts<'_>,
    country: Option<&str>,
    now: &str,
) -> Option<Timestamp> {
    let declared = country.map(|country| country.parse().unwrap());
    let region = find_region(policy, &Hints { number: contact.number, declared, ..Hints::default() });
    let facts = Facts { contact, ..facts(Direction::Outbound, "sms", &region) };
    match decide(policy, &facts, now.parse().unwrap()).outcome {
        Outcome::Allow => None,
        Outcome::Defer(until) => Some(until),
        other => panic!("{other:?}"),
    }
}

fn zone(name: &str) -> ContactFacts<'_> {
    ContactFacts { time_zone: Some(name), ..ContactFacts::default() }
}

fn number(number: &str) -> ContactFacts<'_> {
    ContactFacts { number: Some(number), ..ContactFacts::default() }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn hours_are_those_of_the_customers_clock() {
    let office = policy(&json!({ "hours": "office" }), None);
    let berlin = zone("Europe/Berlin");
    for (now, expected) in [
        // A Monday in winter: one hour ahead of UTC.
        ("2026-11-23T08:00:00Z", None),
        ("2026-11-23T07:59:59Z", Some(at("2026-11-23T08:00:00Z"))),
        // The break, the evening, the weekend, a holiday.
        ("2026-11-23T11:00:00Z", Some(at("2026-11-23T12:00:00Z"))),
        ("2026-11-23T16:00:00Z", Some(at("2026-11-24T08:00:00Z"))),
        ("2026-11-27T20:00:00Z", Some(at("2026-11-30T08:00:00Z"))),
        ("2026-12-24T18:00:00Z", Some(at("2026-12-28T08:00:00Z"))),
        // Clocks go back on 25 October and forward on 28 March: the same time on the wall is another in UTC.
        ("2026-10-23T18:00:00Z", Some(at("2026-10-26T08:00:00Z"))),
        ("2027-03-26T18:00:00Z", Some(at("2027-03-29T07:00:00Z"))),
    ] {
        assert_eq!(until(&office, berlin, None, now), expected, "{now}");
    }
}

#[test]
fn the_best_source_of_a_time_zone_counts() {
    let office = policy(&json!({ "hours": "office" }), Some("America/Denver"));
    let now = "2026-11-23T04:00:00Z";
    let berlin = Some(at("2026-11-23T08:00:00Z"));
    let new_york = Some(at("2026-11-23T14:00:00Z"));
    let denver = Some(at("2026-11-23T16:00:00Z"));
    // Their own, even where their number says another; then the number's; then the region's.
    let moved = ContactFacts { time_zone: Some("Europe/Berlin"), ..number("+12125550123") };
    assert_eq!(until(&office, moved, None, now), berlin);
    assert_eq!(until(&office, number("+12125550123"), None, now), new_york);
    assert_eq!(until(&office, ContactFacts::default(), Some("DE"), now), denver);
    // A zone that nobody knows says nothing.
    let lost = ContactFacts { time_zone: Some("Mars/Base"), ..number("+12125550123") };
    assert_eq!(until(&office, lost, None, now), new_york);
    // A calendar that has its own is not the customer's.
    let own = policy(&json!({ "hours": "berlin" }), Some("America/Denver"));
    assert_eq!(until(&own, number("+12125550123"), None, now), berlin);
    // Nothing is known: UTC.
    let office = policy(&json!({ "hours": "office" }), None);
    assert_eq!(until(&office, ContactFacts::default(), None, now), Some(at("2026-11-23T09:00:00Z")));
}

#[test]
fn a_country_of_several_zones_waits_for_all_of_them() {
    // Lisbon, Madeira and the Azores: open in all from ten to noon on Lisbon's clock, and again from two.
    let office = policy(&json!({ "hours": "office" }), None);
    let portugal = |now| until(&office, ContactFacts::default(), Some("PT"), now);
    assert_eq!(portugal("2026-11-23T09:30:00Z"), Some(at("2026-11-23T10:00:00Z")));
    assert_eq!(portugal("2026-11-23T10:30:00Z"), None);
    assert_eq!(portugal("2026-11-23T12:30:00Z"), Some(at("2026-11-23T14:00:00Z")));

    let quiet = policy(&json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } }), None);
    let portugal = |now| until(&quiet, ContactFacts::default(), Some("PT"), now);
    assert_eq!(portugal("2026-11-23T08:30:00Z"), Some(at("2026-11-23T09:00:00Z")));
    assert_eq!(portugal("2026-11-23T20:59:00Z"), None);
    assert_eq!(portugal("2026-11-23T21:00:00Z"), Some(at("2026-11-24T09:00:00Z")));
    // One with a number of New York is not asked for California.
    let york = |now| until(&quiet, number("+12125550123"), None, now);
    assert_eq!(york("2026-11-23T13:00:00Z"), None);
    assert_eq!(york("2026-11-23T12:59:00Z"), Some(at("2026-11-23T13:00:00Z")));
}

#[test]
fn quiet_hours_keep_to_the_clock_when_it_is_moved() {
    let quiet = policy(&json!({ "quiet_hours": { "from": "21:00", "to": "08:00" } }), None);
    let berlin = |now| until(&quiet, zone("Europe/Berlin"), None, now);
    // The nights in which clocks are put back and forward.
    assert_eq!(berlin("2026-10-24T20:00:00Z"), Some(at("2026-10-25T07:00:00Z")));
    assert_eq!(berlin("2027-03-27T21:00:00Z"), Some(at("2027-03-28T06:00:00Z")));
}

#[test]
fn a_calendar_that_never_opens_is_a_refusal() {
    let never = policy(&json!({ "hours": "never" }), None);
    let region = find_region(&never, &Hints::default());
    let verdict = decide(&never, &facts(Direction::Outbound, "sms", &region), super::now());
    assert_eq!((&verdict.outcome, verdict.reason().code()), (&Outcome::Deny, "rule.hours"));
    assert_eq!(
        verdict.reason().to_string(),
        "rule r lets it go in opening hours only, and there are none any more"
    );
}
