#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pool;

use std::{collections::BTreeMap, sync::Arc};

use heliograph_domain::resources::{Resource, Stored};
use heliograph_proto::v1::{Address, Capabilities, Wanted, WindowRule, verdict::Outcome};
use heliograph_store::{contacts::Contact, resources::Snapshot};
use serde_json::json;

use super::{Asked, Book, Day, Saying, Setting, judge, wanted};

fn stored(kind: &str, name: &str, version: u64, spec: &serde_json::Value) -> Stored {
    let value = json!({
        "apiVersion": "heliograph.dev/v1", "kind": kind,
        "metadata": { "tenant": "acme", "name": name }, "spec": spec,
    });
    Stored {
        resource: Resource::from_json(&value).unwrap(),
        version,
        applied_by: "test".to_owned(),
        applied_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn setting(site: Option<&str>) -> Setting {
    let rule = |kind: &str, seconds, messages| WindowRule { kind: kind.to_owned(), seconds, messages };
    let windows = vec![rule("message", 172_800, 5), rule("ad", 604_800, 0), rule("menu", 60, 3)];
    let wechat = Capabilities { work_class: "chat".to_owned(), windows, ..Capabilities::default() };
    let channels = Arc::new(BTreeMap::from([("wechat".to_owned(), wechat)]));
    Setting { channels, site: site.map(Arc::from) }
}

/// The twenty-third of November 2026, a Monday.
fn today() -> Day {
    Day::of(1_795_392_000_000)
}

fn book() -> Book {
    Book::build(&Snapshot::of(resources()), &setting(None), today(), &Book::default())
}

fn resources() -> Vec<Stored> {
    vec![
        stored(
            "ChannelPolicy",
            "default",
            3,
            &json!({
                "regions": [
                    { "name": "north-america", "countries": ["US", "CA"], "channels": ["sms"] },
                    { "name": "greater-china", "countries": ["CN"], "channels": ["wechat"] },
                ],
                "default": { "channels": ["webchat"] },
            }),
        ),
        stored("ChannelAccount", "line", 1, &json!({ "channel": "sms", "region": "CA" })),
        stored(
            "ChannelAccount",
            "official",
            1,
            &json!({ "channel": "wechat", "region": "greater-china", "windows": [{ "open": "1h", "messages": 2 }] }),
        ),
        stored("Queue", "support", 1, &json!({ "display_name": "Support", "ring_timeout": "1500ms" })),
        stored("Queue", "sales", 1, &json!({ "display_name": "Sales", "priority": 2 })),
        stored(
            "RoutingRule",
            "buyers",
            1,
            &json!({ "order": 1, "match": { "keywords": ["buy", "价格"] }, "queue": "sales", "priority": 7, "sticky": false }),
        ),
        stored(
            "RoutingRule",
            "portuguese",
            1,
            &json!({
                "order": 2, "match": { "languages": ["pt"] }, "queue": "support",
                "skills": { "required": [{ "skill": "lang-pt", "level": 5 }] },
            }),
        ),
        stored(
            "Agent",
            "ann",
            1,
            &json!({ "display_name": "Ann", "queues": ["support"], "languages": { "pt": 9 } }),
        ),
        stored("Agent", "sue", 1, &json!({ "display_name": "Sue", "roles": ["supervisor"] })),
    ]
}

fn say(book: &Book, text: &str, language: &str) -> Wanted {
    let address = Address { channel: "sms".into(), account: "line".into(), ..Address::default() };
    wanted(&asked(book, &address), &Saying { language, text })
}

#[test]
fn the_first_rule_that_matches_decides_and_says_so() {
    let book = book();
    let found = say(&book, "Can I BUY this?", "pt-BR");
    // The queue's own priority is added where the queue is known.
    assert_eq!((found.queue.as_str(), found.priority, found.no_sticky), ("sales", 7, true));
    assert_eq!(found.reasons[0].code, "routing.rule");
    assert!(found.reasons[0].text.contains("buyers"), "{:?}", found.reasons);
    let names: Vec<_> = found.skills.iter().map(|skill| skill.name.as_str()).collect();
    assert_eq!(names, ["lang-pt-br", "lang-pt"]);

    let found = say(&book, "oi", "pt-BR");
    assert_eq!((found.queue.as_str(), found.no_sticky), ("support", false));
    let pt = found.skills.iter().find(|skill| skill.name == "lang-pt").unwrap();
    assert!(pt.required && pt.level == 5, "the rule's own demand stands");

    assert_eq!(say(&book, "这个价格是多少", "").queue, "sales");
    for other in ["buyer", "outbuy", ""] {
        let found = say(&book, other, "ptx");
        assert_eq!(
            (found.queue.as_str(), found.reasons[0].code.as_str()),
            ("sales", "routing.no_rule"),
            "{other}"
        );
    }
    let address = Address::default();
    let nobody = Asked { tenant: None, ..asked(&book, &address) };
    assert_eq!(wanted(&nobody, &Saying { language: "", text: "x" }).queue, "default");
}

#[test]
fn rules_know_the_customer_as_policy_does_and_the_language_by_the_text() {
    let mut resources = resources();
    resources.push(stored(
        "RoutingRule",
        "vip",
        1,
        &json!({
            "order": -1, "queue": "support",
            "when": "contact.attributes.vip == 'yes' && region.country == 'CA' && message.language == 'pt'",
            "skills": { "required": [{ "any": [{ "language": "pt" }, { "not": { "skill": "trainee" } }] }] },
        }),
    ));
    resources.push(stored("RoutingRule", "broken", 4, &json!({ "queue": "sales", "when": "contact.vip" })));
    let book = Book::build(&Snapshot::of(resources), &setting(None), today(), &Book::default());
    assert_eq!(book.unusable, [("acme".to_owned(), "broken".to_owned(), 4)].into());
    let address = Address { channel: "sms".into(), account: "line".into(), ..Address::default() };
    let contact: Contact = serde_json::from_value(json!({
        "id": "con_1", "tenant": "acme", "locale": "en-US", "country": null, "addresses": [],
        "attributes": { "vip": { "value": "yes" } }, "first_seen_ms": 0, "last_seen_ms": 0,
    }))
    .unwrap();
    let text = "Estou esperando o reembolso desde terça-feira, vocês podem me ajudar por favor?";
    let asked = Asked { contact: Some(&contact), ..asked(&book, &address) };
    let found = wanted(&asked, &Saying { language: "", text });
    assert_eq!((found.queue.as_str(), found.language.as_str()), ("support", "pt"));
    let codes: Vec<&str> = found.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["routing.rule", "routing.language_detected"]);
    assert!(found.reasons[1].text.contains("en-US"), "{:?}", found.reasons);
    let [tree] = &found.skills[..] else { panic!("{:?}", found.skills) };
    assert!(tree.required && tree.name.is_empty() && tree.any[0].name == "lang-pt");
    assert_eq!(tree.any[1].none.as_ref().unwrap().name, "trainee");
}

#[test]
fn policy_places_and_judges_by_the_best_source() {
    let book = book();
    let judged = |address: &Address| judge(&asked(&book, address));
    let sms = Address { channel: "sms".into(), account: "line".into(), ..Address::default() };
    let verdict = judged(&Address { phone: "+12025550123".into(), ..sms.clone() });
    let region = verdict.region.clone().unwrap();
    assert_eq!(
        (region.name.as_str(), region.country.as_str(), region.source.as_str()),
        ("north-america", "US", "number")
    );
    assert_eq!(
        (verdict.outcome(), verdict.policy.as_str(), verdict.policy_version),
        (Outcome::Allow, "default", 3)
    );
    assert_eq!(verdict.fired[0].code, "policy.region.allows");

    let verdict = judged(&sms);
    assert_eq!(verdict.region.unwrap().source, "account");

    let verdict = judged(&Address { phone: "+8613800138000".into(), ..sms });
    assert_eq!(verdict.outcome(), Outcome::Deny);
    assert_eq!(verdict.channels, ["wechat"]);

    let nobody = judge(&Asked { tenant: None, ..asked(&book, &Address::default()) });
    assert_eq!(nobody.outcome(), Outcome::Deny);
}

fn asked<'a>(book: &'a Book, address: &'a Address) -> Asked<'a> {
    let tenant = book.tenant("acme").map(|tenant| &**tenant);
    Asked { tenant, address, contact: None, kind: "text", site: book.site(), now_ms: 0 }
}

#[test]
fn a_contact_that_moves_is_placed_anew() {
    let book = book();
    let contact = |country: Option<&str>| -> Contact {
        serde_json::from_value(json!({
            "id": "con_1", "tenant": "acme", "locale": "en-US", "country": country,
            "addresses": [{ "channel": "sms", "account": "line", "user_id": "+12025550123" }],
            "first_seen_ms": 0, "last_seen_ms": 0,
        }))
        .unwrap()
    };
    let region = |phone: &str, contact: &Contact| {
        let address = Address { channel: "wechat".into(), phone: phone.to_owned(), ..Address::default() };
        judge(&Asked { contact: Some(contact), ..asked(&book, &address) }).region.unwrap().name
    };
    let free = contact(None);
    assert_eq!(region("+12025550123", &free), "north-america");
    assert_eq!(region("+8613800138000", &free), "greater-china", "the new number counts");
    assert_eq!(region("", &free), "north-america", "their locale is what is left");
    assert_eq!(region("+12025550123", &contact(Some("CN"))), "greater-china", "somebody vouched for it");
}

#[test]
fn a_region_that_may_not_be_held_here_is_denied() {
    let mut resources = resources();
    resources[0] = stored(
        "ChannelPolicy",
        "default",
        4,
        &json!({
            "regions": [{
                "name": "north-america", "countries": ["US", "CA"], "channels": ["sms"],
                "residency": ["us-east"],
            }],
            "default": { "channels": ["webchat"] },
        }),
    );
    let address = Address {
        channel: "sms".into(),
        account: "line".into(),
        phone: "+12025550123".into(),
        ..Address::default()
    };
    for (site, outcome) in
        [(None, Outcome::Allow), (Some("us-east"), Outcome::Allow), (Some("eu-west"), Outcome::Deny)]
    {
        let book = Book::build(&Snapshot::of(resources.clone()), &setting(site), today(), &Book::default());
        assert_eq!(judge(&asked(&book, &address)).outcome(), outcome, "{site:?}");
    }
}

#[test]
fn a_policy_that_cannot_be_used_leaves_the_last_good_one_in_force() {
    let good = book();
    let mut changed = resources();
    changed[0] = stored(
        "ChannelPolicy",
        "default",
        4,
        &json!({
            "default": { "channels": ["webchat"] },
            "rules": [{ "name": "by-day", "then": { "hours": "no-such-calendar" } }],
        }),
    );
    let book = Book::build(&Snapshot::of(changed.clone()), &setting(None), today(), &good);
    let tenant = book.tenant("acme").unwrap();
    assert_eq!(tenant.policy().version(), 3);
    changed[0] = stored("ChannelPolicy", "default", 5, &json!({ "default": { "channels": ["webchat"] } }));
    let book = Book::build(&Snapshot::of(changed), &setting(None), today(), &book);
    assert_eq!(book.tenant("acme").unwrap().policy().version(), 5);
}

#[test]
fn windows_follow_the_channel_and_the_accounts_own_length() {
    let book = book();
    let tenant = book.tenant("acme").map(|tenant| &**tenant);
    let opened = |tenant, channel, account, named, message, led_by| {
        let rules = book.windows(tenant, (channel, account), named, message, led_by);
        rules.into_iter().map(|rule| (rule.kind, rule.seconds, rule.messages)).collect::<Vec<_>>()
    };
    let rule = |kind: &str, seconds, messages| (kind.to_owned(), seconds, messages);
    let (long, own) = (rule("message", 172_800, 5), rule("message", 3_600, 2));
    let (ad, menu) = (rule("ad", 604_800, 0), rule("menu", 60, 3));
    assert_eq!(opened(tenant, "wechat", "official", "", true, ""), std::slice::from_ref(&own));
    assert_eq!(opened(None, "wechat", "official", "message", false, ""), [long]);
    assert_eq!(opened(tenant, "wechat", "official", "menu", true, ""), [menu], "a tap is no message");
    assert_eq!(opened(tenant, "wechat", "official", "message, ad", true, ""), [own.clone(), ad.clone()]);
    assert_eq!(opened(tenant, "wechat", "official", "", true, "ad"), [own, ad]);
    for (channel, account, named, message) in
        [("wechat", "official", "", false), ("wechat", "official", "scan", true), ("sms", "line", "", true)]
    {
        assert!(opened(tenant, channel, account, named, message, "qr").is_empty(), "{channel} {named}");
    }
}
