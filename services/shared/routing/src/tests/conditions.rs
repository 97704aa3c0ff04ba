//! The variables of conditions, and what is refused.

use heliograph_policy::condition::{Condition, World};
use serde_json::json;

use super::{Customer, rule};
use crate::{Routing, RoutingFacts, Unmet, check, facts::Case};

#[test]
fn everything_that_is_known_can_be_asked_for() {
    let customer = Customer::brazilian("Quero DEVOLVER o pedido 4711");
    let yes = [
        "message.text.contains('devolver') && message.text.startsWith('quero') && message.text.endsWith('4711')",
        "message.text.matches('pedido [0-9]+')",
        "message.language == 'pt' && contact.language == 'pt' && contact.locale == 'pt-BR'",
        "message.language in ['es', 'pt'] && message.kind == 'text'",
        "channel == 'sms' && account == 'acme-br'",
        "region.name == 'brazil' && region.country == 'BR' && contact.country == 'BR'",
        "region.source == 'number' && region.confidence > 50",
        "contact.number.startsWith('+55') && contact.time_zone == ''",
        "'whatsapp' in contact.channels && contact.attributes['vip'] == 'yes'",
        "!has(contact.attributes.plan) && now - contact.first_seen > duration('24h')",
        // Nine in the morning there, noon in London; a Monday.
        "now.getHours() == 12 && local.getHours() == 9 && local.getDayOfWeek() == 1",
    ];
    for text in yes {
        let condition =
            Condition::<RoutingFacts>::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = customer.ask(|facts| Case::new(facts).test(&condition));
        assert_eq!(found, Some(true), "{text}");
        let opposite = Condition::<RoutingFacts>::parse(&format!("!({text})")).unwrap();
        assert_eq!(customer.ask(|facts| Case::new(facts).test(&opposite)), Some(false), "{text}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_was_meant() {
    let table = [
        ("consent == 'opted_in'", "there is no consent", ""),
        ("window.open", "there is no window.open", ""),
        ("message.class == 'marketing'", "there is no message.class; message has text, language, kind", ""),
        ("message.txt == 'x'", "there is no message.txt; message has text, language, kind", "message.text"),
        ("contact.sent > 3", "there is no contact.sent", ""),
        ("queue == 'support'", "there is no queue", ""),
        (
            "message.language == 'pt-BR'",
            "message.language is never \"pt-BR\"; it is a language without its region, such as pt",
            "pt",
        ),
        (
            "'PT' == contact.language",
            "contact.language is never \"PT\"; it is a language without its region, such as pt",
            "pt",
        ),
        (
            "message.text.contains('Refund')",
            "message.text is in lower case, and never has \"Refund\"",
            "refund",
        ),
        ("message.text == 'STOP'", "message.text is in lower case, and never has \"STOP\"", "stop"),
        ("message.text in ['yes', 'No']", "message.text is in lower case, and never has \"No\"", "no"),
        ("message.kind == 'txt'", "message.kind is never \"txt\"", "text"),
        ("channel", "a condition is a bool, and this is a string", ""),
    ];
    for (when, message, meant) in table {
        let spec = serde_json::from_value(json!({ "queue": "q", "when": when })).unwrap();
        let [fault] = &check(&spec)[..] else { panic!("{when} is taken") };
        assert_eq!(fault.path, "spec.when");
        assert!(fault.message.starts_with(message), "{when}: {}", fault.message);
        if !meant.is_empty() {
            assert_eq!(fault.suggestion.as_deref(), Some(meant), "{when}");
        }
    }
    let fine = serde_json::from_value(json!({ "queue": "q", "when": "message.text.matches('(?i)Refund')" }))
        .unwrap();
    assert_eq!(check(&fine), []);
}

#[test]
fn a_rule_that_cannot_be_used_matches_nothing_and_is_said() {
    let broken = rule("broken", &json!({ "queue": "q", "when": "chanel == 'sms'" }));
    let (routing, unusable) = Routing::build([&broken]);
    assert_eq!(
        unusable[0].to_string(),
        "version 7 of routing rule broken cannot be used; nothing goes by it: spec.when: there is no chanel; did you mean \"channel\"?"
    );
    let decision = Customer::brazilian("oi").ask(|facts| routing.decide(facts));
    assert_eq!((decision.rule, decision.queue.as_str()), (None, "default"));
}

#[test]
fn what_is_not_known_does_not_match_and_says_so() {
    let mut customer = Customer::brazilian("oi");
    customer.attributes.clear();
    let matching = |when: &str| {
        let spec = serde_json::from_value(json!({ "queue": "q", "when": when })).unwrap();
        crate::matching::Matching::compile(&spec).unwrap()
    };
    let unmet = |when: &str| customer.ask(|facts| matching(when).unmet(&Case::new(facts)));
    assert_eq!(unmet("contact.attributes.vip == 'yes'"), Some(Unmet::WhenUnknown));
    assert_eq!(unmet("has(contact.attributes.vip)"), Some(Unmet::When));
    assert_eq!(unmet("!has(contact.attributes.vip)"), None);
}

#[test]
fn every_variable_is_in_the_documentation() {
    let documented = include_str!("../facts.rs");
    let guide = include_str!("../../../../../docs/how-to/routing.md");
    for variable in RoutingFacts::VARIABLES {
        let name = format!("`{}`", variable.name);
        assert!(documented.lines().any(|line| line.starts_with("//! |") && line.contains(&name)), "{name}");
        assert!(
            guide.lines().any(|line| line.starts_with('|') && line.contains(&name)),
            "{name} in the guide"
        );
    }
}
