//! Policies that cannot be compiled: every fault, and where it is.

use serde_json::{Value, json};

use super::{compile, compile_with};

/// Paths, messages and suggestions of everything that is wrong.
fn faults(spec: Value) -> Vec<(String, String, Option<String>)> {
    let faults = compile(spec).unwrap_err().0;
    faults.into_iter().map(|fault| (fault.path, fault.message, fault.suggestion)).collect()
}

fn paths(spec: Value) -> Vec<String> {
    faults(spec).into_iter().map(|(path, ..)| path).collect()
}

#[test]
fn every_fault_is_found_and_placed() {
    let found = faults(json!({
        "regions": [
            { "name": "isles", "countries": ["GB", "UK"], "channels": [], "time_zone": "Europe/Lundon" },
            { "name": "isles", "countries": ["!FRR"], "channels": [] },
            { "name": "default", "countries": ["IE"], "channels": [] },
        ],
        "default": { "channels": [] },
        "rules": [
            { "name": "one", "match": { "regions": ["isle"], "countries": ["union:ue"] }, "then": "deny" },
            { "name": "one", "match": { "countries": ["!DE"] }, "then": { "hours": "offise" } },
            { "name": "two", "match": { "direction": "inbound" }, "then": "needs_consent" },
        ],
    }));
    let listed: Vec<(&str, &str, Option<&str>)> = found
        .iter()
        .map(|(path, message, meant)| (path.as_str(), message.as_str(), meant.as_deref()))
        .collect();
    assert_eq!(
        listed,
        [
            ("spec.regions[0].countries[1]", "unknown country \"UK\"", Some("GB")),
            ("spec.regions[1].countries[0]", "unknown country \"FRR\"", Some("!FR")),
            ("spec.regions[0].time_zone", "there is no time zone \"Europe/Lundon\"", None),
            ("spec.regions[1].name", "region \"isles\" is declared twice", None),
            ("spec.regions[2].name", "\"default\" is reserved", None),
            ("spec.rules[0].match.regions[0]", "the policy has no region \"isle\"", Some("isles")),
            ("spec.rules[0].match.countries[0]", "unknown union \"union:ue\"", Some("union:eu")),
            ("spec.rules[1].name", "rule \"one\" is declared twice", None),
            ("spec.rules[1].match.countries", "names no country", None),
            ("spec.rules[1].then.hours", "there is no Calendar \"offise\"", None),
            (
                "spec.rules[2].match.direction",
                "only `deny` looks at what the customer sends: this rule would never hold",
                None
            ),
        ]
    );
}

#[test]
fn measures_have_bounds() {
    let rule = |then: Value| {
        paths(json!({ "default": { "channels": [] }, "rules": [{ "name": "r", "then": then }] }))
    };
    let none: [&str; 0] = [];
    for (then, expected) in [
        (json!({ "at_most": { "messages": 0, "per": "1h" } }), &["spec.rules[0].then.at_most.messages"][..]),
        (json!({ "at_most": { "messages": 51, "per": "1h" } }), &["spec.rules[0].then.at_most.messages"]),
        (json!({ "at_most": { "messages": 1, "per": "32d" } }), &["spec.rules[0].then.at_most.per"]),
        (json!({ "at_most": { "messages": 1, "per": "0s" } }), &["spec.rules[0].then.at_most.per"]),
        (json!({ "use_channel": [] }), &["spec.rules[0].then.use_channel"]),
        (json!({ "sender": [] }), &["spec.rules[0].then.sender"]),
        (json!({ "quiet_hours": { "from": "08:00", "to": "08:00" } }), &["spec.rules[0].then.quiet_hours"]),
    ] {
        assert_eq!(rule(then.clone()), expected, "{then}");
    }
    for then in [
        json!({ "at_most": { "messages": 50, "per": "31d" } }),
        json!({ "at_most": { "messages": 1, "per": "1s" } }),
    ] {
        let compiled =
            compile(json!({ "default": { "channels": [] }, "rules": [{ "name": "r", "then": then }] }));
        assert_eq!(compiled.map_or_else(|error| error.0.len(), |_| 0), none.len(), "{then}");
    }
}

#[test]
fn fallbacks_templates_and_unions_are_looked_at() {
    assert_eq!(
        paths(json!({
            "default": { "channels": [] },
            "unions": { "friends": ["DE", "XX"] },
            "fallback": [
                { "name": "f", "on": ["no_receipt"] },
                { "name": "f", "on": ["failed"], "after": "1h" },
                { "name": "g", "on": [] },
                { "name": "h", "on": ["no_receipt"], "after": "0s", "match": { "direction": "inbound" } },
                { "name": "i", "on": ["failed"], "match": { "countries": ["US", "!number:+1212"] } },
            ],
            "templates": [
                { "channel": "sms", "name": "a" },
                { "channel": "sms", "name": "b" },
                { "channel": "sms", "name": "c", "regions": ["default", "nowhere"] },
                { "channel": "sms", "name": "d", "regions": ["default"] },
            ],
        })),
        [
            "spec.unions.friends[1]",
            "spec.fallback[0].after",
            "spec.fallback[1].name",
            "spec.fallback[1].after",
            "spec.fallback[2].on",
            "spec.fallback[3].after",
            "spec.fallback[3].match.direction",
            "spec.fallback[4].match.countries",
            "spec.templates[1]",
            "spec.templates[2].regions[1]",
            "spec.templates[3].regions[0]",
        ]
    );
}

#[test]
fn what_two_regions_name_alike_is_said_once() {
    let found = faults(json!({
        "regions": [
            { "name": "one", "countries": ["union:dach"], "channels": [] },
            { "name": "two", "countries": ["DE", "union:dach"], "channels": [] },
        ],
        "default": { "channels": [] },
    }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "spec.regions[1].countries[1]");
    assert_eq!(
        found[0].1,
        "ambiguous for AT, CH: region \"one\" names them as specifically with union:dach; except them in one of the two"
    );
}

#[test]
fn a_calendar_that_cannot_be_used_is_a_fault_of_the_rule() {
    let calendars = json!({ "office": { "time_zone": "Nowhere/City", "hours": [] } });
    let spec =
        json!({ "default": { "channels": [] }, "rules": [{ "name": "r", "then": { "hours": "office" } }] });
    let error = compile_with(spec, calendars).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spec.rules[0].then.hours: Calendar \"office\" cannot be used: there is no time zone \"Nowhere/City\""
    );
}
