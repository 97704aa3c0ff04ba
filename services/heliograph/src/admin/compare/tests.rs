#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_policy::{Calendars, CompiledPolicy};
use serde_json::json;

use heliograph_domain::resources::RegionPlan;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "it reads as JSON")]
fn spec(rules: Value, europe: Value) -> ChannelPolicySpec {
    serde_json::from_value(json!({
        "regions": [
            { "name": "europe", "countries": ["region:150"], "channels": europe },
            { "name": "america", "countries": ["US"], "channels": ["sms"] },
        ],
        "default": { "channels": ["email"] },
        "rules": rules,
    }))
    .unwrap()
}

fn told(old: &ChannelPolicySpec, new: &ChannelPolicySpec) -> Vec<String> {
    let compile = |spec| CompiledPolicy::compile("default", 1, spec, &Calendars::new()).unwrap();
    let shifts = shifts(&compile(old), &compile(new), "2026-01-14T12:00:00Z".parse().unwrap());
    shifts.iter().map(ToString::to_string).collect()
}

#[test]
fn what_changes_is_told_by_country_channel_class_and_direction() {
    let old = spec(json!([]), json!(["sms", "email"]));
    let ban = json!([{ "name": "no-ads", "match": { "direction": "outbound", "countries": ["region:150"], "channels": ["sms"], "classes": ["marketing"] }, "then": "deny" }]);
    let new = spec(ban, json!(["sms", "email"]));
    assert_eq!(told(&old, &new), ["sms marketing to AD, AL, AT and 48 others: allow → deny, rule no-ads"]);
    assert_eq!(told(&old, &old), Vec::<String>::new());
    assert_eq!(summary(&old, &new), "+ rule no-ads");

    let america = ChannelPolicySpec {
        default: RegionPlan { channels: vec!["sms".to_owned()], ..RegionPlan::default() },
        ..old.clone()
    };
    let told = told(&old, &america);
    assert!(
        told.iter().any(|line| line.starts_with("email to and from AE, AF, AG and ")
            && line.ends_with("allow → deny, region.default_forbids")),
        "{told:?}"
    );
    assert_eq!(summary(&old, &america), "~ default");
}

#[test]
fn fields_are_told_by_name_whatever_their_order() {
    let one = json!({ "name": "one", "then": "deny", "match": { "countries": ["FR"] } });
    let two = json!({ "name": "two", "then": "deny", "match": { "countries": ["DE"] } });
    let old = spec(json!([one, two]), json!(["sms"]));
    assert_eq!(fields(&old, &spec(json!([two, one]), json!(["sms"]))), []);
    let other = json!({ "name": "two", "then": "needs_consent", "match": { "countries": ["DE"] } });
    let new = spec(json!([other, { "name": "three", "then": "deny" }]), json!(["sms", "email"]));
    let paths: Vec<String> = fields(&old, &new).into_iter().map(|change| change.path).collect();
    assert_eq!(paths, ["regions.europe.channels", "rules.one", "rules.three", "rules.two.then"]);
    assert_eq!(summary(&old, &new), "+ rule three; ~ region europe; ~ rule two; - rule one");
}
