//! Verdicts on the wire.

use heliograph_proto::v1::verdict::Outcome as Wire;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{compile, facts, judge, now};
use crate::{ContactFacts, Direction, Facts, Hints, MessageClass, Sent, find_region, wire};

#[test]
fn a_verdict_carries_its_reasons_rules_and_time() {
    let policy = compile(json!({
        "default": { "channels": ["sms", "email"] },
        "rules": [
            { "name": "cap", "then": { "at_most": { "messages": 1, "per": "1h" } } },
            { "name": "quiet", "then": { "quiet_hours": { "from": "21:00", "to": "08:00" } } },
        ],
    }))
    .unwrap();
    let region = find_region(&policy, &Hints { number: Some("+254712123456"), ..Hints::default() });
    // A time within a millisecond is rounded up, or else whoever asks again then would have to wait once more.
    let at = now() - SignedDuration::from_mins(10) + SignedDuration::from_nanos(1_000_001);
    let sent = [Sent { at, channel: "sms", class: MessageClass::Service }];
    let contact = ContactFacts { sent: &sent, time_zone: Some("UTC"), ..ContactFacts::default() };
    let written =
        wire::verdict(&judge(&policy, &Facts { contact, ..facts(Direction::Outbound, "sms", &region) }));

    assert_eq!(
        (written.outcome(), written.policy.as_str(), written.policy_version),
        (Wire::Defer, "default", 1)
    );
    let until: Timestamp = "2026-11-22T18:50:00.002Z".parse().unwrap();
    assert_eq!(written.until.unwrap().millis(), until.as_millisecond());
    assert_eq!(written.channels, ["email"]);
    let reasons = |reasons: &[heliograph_proto::v1::Reason]| {
        let rule = |reason: &heliograph_proto::v1::Reason| {
            let detail = serde_json::to_value(&reason.detail).unwrap();
            detail["rule"].as_str().map(str::to_owned)
        };
        reasons.iter().map(|reason| (reason.code.clone(), rule(reason))).collect::<Vec<_>>()
    };
    let row = |code: &str, rule: Option<&str>| (code.to_owned(), rule.map(str::to_owned));
    assert_eq!(
        reasons(&written.fired),
        [row("policy.rule.at_most", Some("cap")), row("policy.region.allows", None)]
    );
    assert_eq!(
        reasons(&written.tried),
        [
            row("policy.rule.passes", Some("quiet")),
            row("policy.consent.suffices", None),
            row("policy.window.open", None)
        ]
    );
    let found = written.region.unwrap();
    assert_eq!(
        (found.name.as_str(), found.country.as_str(), found.source.as_str()),
        ("default", "KE", "number")
    );
}
