#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use heliograph_assignment::PoolConfig;
use heliograph_domain::resources::{Resource, Stored};
use heliograph_proto::v1::{Address, Capabilities, WindowRule, verdict::Outcome};
use heliograph_store::resources::Snapshot;
use serde_json::json;

use super::{Asked, Book, Channels, Saying, judge, wanted};

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

fn channels() -> Channels {
    let windows = vec![WindowRule { kind: "message".to_owned(), seconds: 172_800, messages: 5 }];
    let wechat = Capabilities { work_class: "chat".to_owned(), windows, ..Capabilities::default() };
    Arc::new(BTreeMap::from([("wechat".to_owned(), wechat)]))
}

fn book() -> Book {
    let resources = [
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
            &json!({ "order": 1, "match": { "keywords": ["buy", "价格"] }, "queue": "sales", "priority": 7 }),
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
    ];
    Book::build(&Snapshot::of(resources), &channels(), &Book::default())
}

fn say<'a>(text: &'a str, language: &'a str) -> Saying<'a> {
    Saying { channel: "sms", account: "line", region: "north-america", language, text }
}

#[test]
fn the_first_rule_that_matches_decides_and_says_so() {
    let book = book();
    let tenant = book.tenant("acme").unwrap();
    let found = wanted(Some(tenant), &say("Can I BUY this?", "pt-BR"));
    assert_eq!((found.queue.as_str(), found.priority), ("sales", 2 * 256 + 7));
    assert_eq!(found.reasons[0].code, "routing.rule");
    assert!(found.reasons[0].text.contains("buyers"), "{:?}", found.reasons);
    let names: Vec<_> = found.skills.iter().map(|skill| skill.name.as_str()).collect();
    assert_eq!(names, ["lang-pt-br", "lang-pt"]);

    let found = wanted(Some(tenant), &say("oi", "pt-BR"));
    assert_eq!(found.queue, "support");
    let pt = found.skills.iter().find(|skill| skill.name == "lang-pt").unwrap();
    assert!(pt.required && pt.level == 5, "the rule's own demand stands");

    assert_eq!(wanted(Some(tenant), &say("这个价格是多少", "")).queue, "sales");
    for other in ["buyer", "outbuy", ""] {
        let found = wanted(Some(tenant), &say(other, "ptx"));
        assert_eq!(
            (found.queue.as_str(), found.reasons[0].code.as_str()),
            ("sales", "routing.no_rule"),
            "{other}"
        );
    }
    assert_eq!(wanted(None, &say("x", "")).queue, "default");
}

#[test]
fn policy_places_and_judges_by_the_best_source() {
    let book = book();
    let judged = |address: &Address| {
        judge(&Asked { tenant: book.tenant("acme").map(|t| &**t), address, contact: None, now_ms: 0 })
    };
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

    let nobody = judge(&Asked { tenant: None, address: &Address::default(), contact: None, now_ms: 0 });
    assert_eq!(nobody.outcome(), Outcome::Deny);
}

#[test]
fn windows_follow_the_channel_and_the_accounts_own_length() {
    let book = book();
    let tenant = book.tenant("acme").map(|tenant| &**tenant);
    let rule = book.window(tenant, "wechat", "official", "", true).unwrap();
    assert_eq!((rule.seconds, rule.messages), (3_600, 2));
    let rule = book.window(None, "wechat", "official", "message", false).unwrap();
    assert_eq!((rule.seconds, rule.messages), (172_800, 5));
    assert!(book.window(tenant, "wechat", "official", "", false).is_none());
    assert!(book.window(tenant, "wechat", "official", "menu", true).is_none());
    assert!(book.window(tenant, "sms", "line", "", true).is_none());
}

#[test]
fn the_pool_holds_agents_queues_and_classes() {
    let book = book();
    let (name, pool) = book.pools().next().unwrap();
    assert_eq!(name, "acme");
    let config: PoolConfig = serde_json::from_str(&pool.json).unwrap();
    assert_eq!(config.queues["support"].ring_seconds, 2);
    assert_eq!(config.agents.keys().map(|name| &**name).collect::<Vec<_>>(), ["ann"]);
    assert_eq!(config.agents["ann"].skills["lang-pt"], 9);
    assert_eq!(&*config.classes["wechat"], "chat");
}
