//! Whatever the rules and whoever writes: there is an answer, and its explanation is of that answer.

use std::collections::BTreeMap;

use heliograph_domain::resources::Stored;
use heliograph_policy::{ContactFacts, Facts as About, RegionFinding, RegionSource};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{policy, queue, rule};
use crate::{Facts, Heard, Language, Routing, Said, wire};

const WHEN: [&str; 8] = [
    "message.text.contains('a') || message.language == ''",
    "contact.attributes.a == contact.attributes.b",
    "local.getHours() * region.confidence / (region.confidence - 50) > 3",
    "contact.channels.exists(c, c == channel)",
    "now - contact.first_seen < duration('2562047h')",
    "message.text.matches('^[a-z ]*$') ? account == 'a' : region.name == 'b'",
    "size(message.text) > 3 && contact.language in ['pt', 'es']",
    "has(contact.number) && contact.country != 'BR'",
];

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "pt", "pt-BR"]).prop_map(str::to_owned)
}

fn list() -> impl Strategy<Value = Vec<String>> {
    prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(name(), 1..3)]
}

prop_compose! {
    fn any_rule()(
        order in -2_i32..3,
        lists in prop::collection::vec(list(), 5),
        when in prop::option::of(prop::sample::select(&WHEN[..])),
        (queue, skill, tag) in (name(), name(), name()),
        priority in any::<u8>(),
        sticky in any::<bool>(),
    ) -> Value {
        let mut spec = json!({
            "order": order, "queue": queue, "priority": priority, "sticky": sticky,
            "match": { "channels": lists[0], "regions": lists[1], "languages": lists[2], "accounts": lists[3], "keywords": lists[4] },
            "skills": { "required": [{ "any": [{ "skill": skill }, { "not": { "language": tag } }] }], "preferred": [{ "skill": "x" }] },
        });
        if let Some(when) = when {
            spec["when"] = when.into();
        }
        spec
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn an_explanation_is_of_the_decision(
        rules in prop::collection::vec(any_rule(), 0..6),
        queues in prop::collection::btree_set(name().prop_map(|name| name.to_lowercase()), 0..4),
        texts in prop::collection::vec(prop_oneof![name(), ".{0,20}"], 6),
        attributes in prop::collection::btree_map("[ab]", "[ab]", 0..3),
        (country, second, confidence) in (any::<bool>(), -9_000_000_000_i64..9_000_000_000, 0_u8..=100),
        channels in prop::collection::vec("[ab]", 0..3),
    ) {
        let rules = rules.iter().enumerate().map(|(at, spec)| rule(&format!("r{at}"), spec));
        let queues = queues.iter().map(|name| queue(name, json!({ "priority": 3, "relax": [{ "after": "1m", "drop": ["a"] }] })));
        let resources: Vec<Stored> = rules.chain(queues).collect();
        let (routing, unusable) = Routing::build(&resources);
        prop_assert_eq!(unusable, []);
        let policy = policy();
        let region = RegionFinding {
            region: texts[0].as_str().into(),
            country: country.then(|| "BR".parse().unwrap()),
            source: RegionSource::Locale,
            confidence,
            term: None,
        };
        let attributes: BTreeMap<String, String> = attributes;
        let channels: Vec<&str> = channels.iter().map(String::as_str).collect();
        let now = Timestamp::from_second(second).unwrap();
        let about = About {
            channel: country.then_some(&*texts[1]),
            account: Some(&texts[2]),
            kind: &texts[3],
            contact: ContactFacts {
                number: Some(&texts[4]),
                locale: Some(&texts[5]),
                channels: &channels,
                attributes: Some(&attributes),
                first_seen: country.then_some(now),
                ..ContactFacts::default()
            },
            ..About::about(&region)
        };
        let language = Language::of(&Heard { contact: &texts[5], text: &texts[3], ..Heard::default() });
        let facts = Facts { policy: &policy, about: &about, text: &texts[3], language: &language, now };

        let decision = routing.decide(&facts);
        let explained = routing.explain(&facts);
        prop_assert_eq!(&explained.decision, &decision);
        prop_assert_eq!(&routing.explain(&facts), &explained);
        let deciding: Vec<_> =
            explained.rules.iter().filter(|asked| asked.said == Said::Decides).map(|asked| &asked.rule).collect();
        prop_assert_eq!(deciding, decision.rule.iter().collect::<Vec<_>>());
        // Nothing before it is about the message, and nothing after it decides.
        let place = explained.rules.iter().position(|asked| asked.said == Said::Decides);
        for (at, asked) in explained.rules.iter().enumerate() {
            let before = place.is_none_or(|place| at < place);
            prop_assert!(!before || matches!(asked.said, Said::Misses(_)), "{:?}", explained.rules);
        }
        prop_assert!(!decision.queue.is_empty() && !explained.to_string().is_empty());
        let wanted = wire::wanted(&decision);
        prop_assert_eq!(wanted.skills.len(), decision.skills.required.len() + decision.skills.preferred.len() + decision.speaking.len());
        prop_assert!(wanted.skills.iter().filter(|skill| skill.required).count() == decision.skills.required.len());
    }
}
