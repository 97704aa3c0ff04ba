//! Which rule decides, and what follows from it.

use heliograph_proto::v1::Wanted;
use serde_json::{Value, json};

use super::{Customer, queue, routing, rule};
use crate::{Decision, Language, LanguageSource, wire};

fn decided(customer: &Customer, rules: &[Value]) -> Decision {
    let rules: Vec<_> = rules.iter().enumerate().map(|(at, spec)| rule(&format!("r{at}"), spec)).collect();
    customer.ask(|facts| routing(&rules).decide(facts))
}

fn by(customer: &Customer, fields: &Value) -> bool {
    decided(customer, &[json!({ "queue": "q", "match": fields })]).rule.is_some()
}

#[test]
fn all_fields_must_hold_and_of_a_list_one_entry() {
    let customer = Customer::brazilian("Can I BUY this? 这个价格是多少");
    let table = [
        (json!({}), true),
        (json!({ "channels": ["webchat", "sms"] }), true),
        (json!({ "channels": ["webchat"] }), false),
        (json!({ "regions": ["brazil"] }), true),
        (json!({ "regions": ["default"] }), false),
        (json!({ "accounts": ["acme-br"] }), true),
        (json!({ "accounts": ["acme-us"] }), false),
        (json!({ "languages": ["es", "pt"] }), true),
        (json!({ "languages": ["PT-br"] }), true),
        (json!({ "languages": ["pt-PT"] }), false),
        (json!({ "keywords": ["sell", "buy"] }), true),
        (json!({ "keywords": ["价格"] }), true),
        (json!({ "keywords": ["bu", "uy"] }), false),
        (json!({ "channels": ["sms"], "keywords": ["sell"] }), false),
        (
            json!({ "channels": ["sms"], "regions": ["brazil"], "languages": ["pt"], "keywords": ["BUY"] }),
            true,
        ),
    ];
    for (fields, holds) in table {
        assert_eq!(by(&customer, &fields), holds, "{fields}");
    }
    let rules = |when: &str| [json!({ "queue": "q", "match": { "channels": ["sms"] }, "when": when })];
    assert!(decided(&customer, &rules("contact.attributes.vip == 'yes'")).rule.is_some());
    assert!(decided(&customer, &rules("contact.attributes.vip == 'no'")).rule.is_none());
}

#[test]
fn the_first_rule_by_order_and_then_by_name_decides() {
    let customer = Customer::brazilian("oi");
    let rules = [
        rule("b", &json!({ "order": 5, "queue": "from-b" })),
        rule("a", &json!({ "order": 5, "queue": "from-a" })),
        rule("c", &json!({ "order": -3, "queue": "from-c", "when": "channel == 'webchat'" })),
        rule("d", &json!({ "queue": "from-d", "match": { "languages": ["de"] } })),
    ];
    let decision = customer.ask(|facts| routing(&rules).decide(facts));
    assert_eq!((decision.queue.as_str(), decision.rule.as_deref()), ("from-a", Some("a")));
}

#[test]
fn what_no_rule_is_about_goes_to_the_default_or_the_first_queue() {
    let customer = Customer::brazilian("oi");
    let queues = [queue("support", json!({})), queue("sales", json!({}))];
    let to = |resources: &[_]| customer.ask(|facts| routing(resources).decide(facts)).queue;
    assert_eq!(to(&queues), "sales");
    assert_eq!(to(&[]), "default");
    let [support, sales] = queues;
    assert_eq!(to(&[support, sales, queue("default", json!({}))]), "default");
}

#[test]
fn a_decision_is_proposed_with_its_reasons() {
    let mut customer = Customer::brazilian("oi");
    let spec = json!({
        "queue": "q", "priority": 9, "sticky": false,
        "skills": {
            "required": [
                { "skill": "billing", "level": 4 },
                { "any": [{ "language": "pt-BR", "level": 5 }, { "all": [{ "skill": "a" }, { "not": { "skill": "b" } }] }] },
            ],
            "preferred": [{ "language": "es" }],
        },
    });
    let decision = decided(&customer, std::slice::from_ref(&spec));
    let wanted: Wanted = wire::wanted(&decision);
    assert_eq!((wanted.queue.as_str(), wanted.priority, wanted.no_sticky), ("q", 9, true));
    assert_eq!(wanted.language, "pt-BR");
    let plain: Vec<(&str, i32, bool)> =
        wanted.skills.iter().map(|skill| (skill.name.as_str(), skill.level, skill.required)).collect();
    assert_eq!(
        plain,
        [("billing", 4, true), ("", 0, true), ("lang-es", 1, false), ("lang-pt", 1, false)],
        "what the rule asks for in its own way is not preferred beside"
    );
    let any = &wanted.skills[1].any;
    assert_eq!((any[0].name.as_str(), any[0].level), ("lang-pt-br", 5));
    assert_eq!((any[1].all[0].name.as_str(), any[1].all[1].none.as_ref().unwrap().name.as_str()), ("a", "b"));
    let codes = |wanted: &Wanted| -> Vec<String> {
        wanted.reasons.iter().map(|reason| reason.code.clone()).collect()
    };
    assert_eq!(codes(&wanted), ["routing.rule", "routing.language"]);

    let source = LanguageSource::Detected { percent: 97, instead_of: "en".to_owned() };
    customer.language = Language { tag: "pt".to_owned(), source };
    let wanted = wire::wanted(&decided(&customer, &[]));
    assert_eq!(codes(&wanted), ["routing.no_rule", "routing.language_detected", "routing.language"]);
    assert_eq!(wanted.reasons[1].text, "the text is in pt (97 %), though en is known of the customer");
    assert!(!wanted.no_sticky);
}
