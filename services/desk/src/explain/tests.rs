#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use heliograph_domain::resources::ChannelPolicySpec;
use serde_json::{Value, json};

use super::*;

fn spec() -> ChannelPolicySpec {
    serde_json::from_value(json!({
        "regions": [
            { "name": "north-america", "countries": ["US", "CA"], "channels": ["sms", "email"] },
            { "name": "latam", "countries": ["region:419"], "channels": ["whatsapp", "email"], "residency": ["sa-1"] },
        ],
        "default": { "channels": ["email"] },
        "rules": [{ "name": "no-mail-to-cuba", "match": { "countries": ["CU"], "channels": ["email"] }, "then": "deny", "reason": "an embargo" }],
    }))
    .unwrap()
}

fn policy() -> CompiledPolicy {
    CompiledPolicy::compile("default", 3, &spec(), &BTreeMap::new()).unwrap()
}

fn in_use() -> Vec<String> {
    ["email", "sms", "whatsapp"].map(str::to_owned).to_vec()
}

fn ask(question: &Question) -> Value {
    serde_json::to_value(explain(&policy(), &in_use(), question, Timestamp::UNIX_EPOCH).unwrap()).unwrap()
}

#[test]
fn every_country_stands_in_one_region_with_the_term_that_named_it() {
    let declared = Declared {
        spec: spec(),
        version: 3,
        applied_by: "ops".to_owned(),
        applied_at: Timestamp::UNIX_EPOCH,
    };
    let shown = serde_json::to_value(overview(&policy(), Some(&declared), &in_use())).unwrap();
    let regions = shown["regions"].as_array().unwrap();
    let names: Vec<_> = regions.iter().map(|region| region["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["north-america", "latam", "default"]);
    let countries = |at: usize| regions[at]["countries"].as_array().unwrap();
    assert_eq!((0..3).map(|at| countries(at).len()).sum::<usize>(), Country::COUNT);
    assert!(countries(1).contains(&json!({ "code": "BR", "term": "region:419" })));
    assert!(countries(2).contains(&json!({ "code": "DE" })), "the default region names nobody");
    assert_eq!(regions[1]["residency"], json!(["sa-1"]));
    assert_eq!((&regions[1]["terms"], &regions[2]["isDefault"]), (&json!(["region:419"]), &json!(true)));
    assert_eq!((&shown["version"], &shown["appliedBy"]), (&json!(3), &json!("ops")));
}

#[test]
fn a_version_that_is_not_in_force_is_said_and_not_shown() {
    let declared = Declared {
        spec: ChannelPolicySpec::default(),
        version: 4,
        applied_by: "ops".to_owned(),
        applied_at: Timestamp::UNIX_EPOCH,
    };
    let shown = serde_json::to_value(overview(&policy(), Some(&declared), &[])).unwrap();
    assert_eq!((&shown["version"], &shown["unusableVersion"]), (&json!(3), &json!(4)));
    assert_eq!(shown.get("appliedBy"), None);
}

#[test]
fn every_channel_has_a_verdict_the_regions_own_first() {
    let answer = ask(&Question { country: "br".to_owned(), ..Question::default() });
    assert_eq!(
        (&answer["country"], &answer["region"], &answer["term"]),
        (&json!("BR"), &json!("latam"), &json!("region:419"))
    );
    let verdicts = answer["verdicts"].as_array().unwrap();
    let outcomes: Vec<_> = verdicts
        .iter()
        .map(|judged| (judged["channel"].as_str().unwrap(), judged["verdict"]["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes[..2], [("whatsapp", "OUTCOME_ALLOW"), ("email", "OUTCOME_ALLOW")]);
    assert_eq!(outcomes[2].0, "sms");
    assert_ne!(outcomes[2].1, "OUTCOME_ALLOW");
    for judged in verdicts {
        assert!(!judged["verdict"]["fired"].as_array().unwrap().is_empty(), "{judged}");
    }
}

#[test]
fn one_channel_is_answered_for_by_the_rule_that_decides() {
    let question = Question {
        country: "CU".to_owned(),
        channel: Some("email".to_owned()),
        class: Some("utility".to_owned()),
        direction: Some("outbound".to_owned()),
    };
    let answer = ask(&question);
    let verdicts = answer["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 1);
    assert_eq!(verdicts[0]["verdict"]["outcome"], json!("OUTCOME_DENY"));
    assert!(verdicts[0]["verdict"]["fired"][0]["text"].as_str().unwrap().contains("an embargo"), "{answer}");
}

#[test]
fn questions_that_mean_nothing_are_refused() {
    let policy = policy();
    let ask = |country: &str, class: &str, direction: &str| {
        let question = Question {
            country: country.to_owned(),
            channel: None,
            class: Some(class.to_owned()),
            direction: Some(direction.to_owned()),
        };
        explain(&policy, &[], &question, Timestamp::UNIX_EPOCH).map(|_| ())
    };
    assert_eq!(ask("QQ", "service", "inbound"), Err(BadQuestion::Country));
    assert_eq!(ask("DE", "gossip", "inbound"), Err(BadQuestion::Class));
    assert_eq!(ask("DE", "", "sideways"), Err(BadQuestion::Direction));
    assert_eq!(ask("DE", "", ""), Ok(()));
}

#[test]
fn a_conversations_region_is_read_in_terms_of_the_policy_in_force() {
    let policy = policy();
    let region = |name: &str, country: &str| {
        let region =
            v1::Region { name: name.to_owned(), country: country.to_owned(), ..v1::Region::default() };
        place(&policy, Some(&region)).region.to_string()
    };
    assert_eq!(region("elsewhere", "BR"), "latam");
    assert_eq!(region("north-america", ""), "north-america");
    assert_eq!(region("gone", ""), "default");
    assert_eq!(&*place(&policy, None).region, "default");
}
