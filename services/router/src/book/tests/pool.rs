//! What the machine is told of a tenant.

use std::collections::BTreeMap;

use heliograph_assignment::{
    AgentChoice, Closed, MaxWait, Need, Overflow, OverflowWhen, PoolConfig, QueueSpec, Relax, Skill, Sticky,
    Text, Timestamp, WaitEnd,
};
use heliograph_store::resources::Snapshot;
use serde_json::json;

use super::{book, resources, setting, stored, today};
use crate::book::{Book, Day};

#[test]
fn the_pool_holds_agents_queues_and_classes() {
    let book = book();
    let (name, pool) = book.pools().next().unwrap();
    assert_eq!(name, "acme");
    let config: PoolConfig = serde_json::from_str(&pool.configuration.json).unwrap();
    assert_eq!(config.queues["support"].ring_seconds, 2);
    assert_eq!(config.agents.keys().map(|name| &**name).collect::<Vec<_>>(), ["ann", "sue"]);
    assert_eq!(config.agents["ann"].skills["lang-pt"], 9);
    assert!(config.agents["sue"].supervisor && config.agents["sue"].queues.is_empty());
    assert_eq!(&*config.classes["wechat"], "chat");
    // Queues that say nothing more wait as they did.
    let usual = QueueSpec { ring_seconds: 2, wrap_up_seconds: 30, ..QueueSpec::default() };
    assert_eq!(config.queues["support"], usual);
    assert_eq!(config.weights, BTreeMap::new());
    let times =
        (config.inactivity_seconds, config.liveness_seconds, config.grace_seconds, config.cool_off_seconds);
    assert_eq!(times, (86_400, 60, 30, 30));
}

#[test]
fn the_pool_holds_everything_that_resources_say() {
    let queue = json!({
        "display_name": "Orders", "priority": 3, "service_level": { "target": "30s", "share": 0.9 }, "aging": "5m",
        "ring_timeout": "20s", "wrap_up": "1m",
        "skills": {
            "required": [{ "any": [{ "language": "pt", "level": 4 }, { "not": { "skill": "trainee" } }] }],
            "preferred": [{ "skill": "tact", "level": 2 }],
        },
        "agents_by": { "idle": 1, "occupancy": 2, "level": 3 },
        "sticky": { "remember": "2d", "wait": "10s" },
        "relax": [{ "after": "30s", "lower": 2 }, { "after": "1m", "drop": ["tact"], "ring": 3 }],
        "overflow": [
            { "after": "2m", "to": "support" }, { "waiting": 50, "to": "support" },
            { "estimated": "10m", "to": "support" }, { "nobody_online": true, "to": "support" },
        ],
        "hours": "office", "closed": { "then": "overflow", "to": "sales" },
        "max_wait": { "after": "30m", "then": "overflow", "to": "sales" },
        "announce": { "every": "500ms" }, "callback": true,
    });
    let hours = json!([{ "days": ["mon"], "from": "09:00", "to": "17:00" }]);
    let office = json!({ "time_zone": "Europe/Lisbon", "hours": hours });
    let mut resources = resources();
    resources.extend([
        stored("Queue", "orders", 1, &queue),
        stored("Calendar", "office", 1, &office),
        stored(
            "Tenant",
            "acme",
            1,
            &json!({ "display_name": "Acme", "work": {
                "weights": { "voice": 5 }, "interrupts": { "voice": ["chat"] }, "inactivity": "1h", "grace": "0s",
                "cool_off": "5s", "liveness": "90s",
            } }),
        ),
        stored(
            "Agent",
            "bot",
            1,
            &json!({
                "display_name": "Bot", "kind": "bot", "auto_accept": true, "capacity": { "chat": 100 }, "total": 200,
                "queues": ["support", { "queue": "orders", "ring": 3 }],
            }),
        ),
    ]);
    let snapshot = Snapshot::of(resources);
    let build = |day| Book::build(&snapshot, &setting(None), day, &Book::default());
    let config = |book: &Book| -> PoolConfig {
        serde_json::from_str(&book.pools().next().unwrap().1.configuration.json).unwrap()
    };
    let book = build(today());
    let pool = config(&book);
    let orders = &pool.queues["orders"];
    let monday = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let open = orders.open.clone().unwrap();
    assert_eq!(open.len(), 5);
    assert_eq!(open[0], (monday("2026-11-23T09:00:00Z"), monday("2026-11-23T17:00:00Z")));
    let to = || -> Text { "support".into() };
    let overflow = |when| Overflow { when, to: to() };
    let expected = QueueSpec {
        priority: 3,
        target_seconds: 30,
        aging_seconds: 300,
        ring_seconds: 20,
        wrap_up_seconds: 60,
        required: vec![Need::Any {
            any: vec![
                Skill::new("lang-pt", 4).into(),
                Need::Not { not: Box::new(Skill::new("trainee", 1).into()) },
            ],
        }],
        preferred: vec![Skill::new("tact", 2)],
        choice: AgentChoice::Mix { idle: 1, occupancy: 2, level: 3 },
        sticky: Some(Sticky { remember_seconds: 172_800, wait_seconds: 10 }),
        relax: vec![
            Relax { after_seconds: 30, lower: 2, ..Relax::default() },
            Relax { after_seconds: 60, lower: 0, drop: ["tact".into()].into(), ring: 3 },
        ],
        overflow: vec![
            overflow(OverflowWhen::After(120)),
            overflow(OverflowWhen::Waiting(50)),
            overflow(OverflowWhen::Estimated(600)),
            overflow(OverflowWhen::NobodyOnline),
        ],
        open: Some(open),
        closed: Closed::Overflow("sales".into()),
        max_wait: Some(MaxWait { after_seconds: 1_800, then: WaitEnd::Overflow("sales".into()) }),
        announce_seconds: 1,
        callback: true,
    };
    assert_eq!(*orders, expected);
    let bot = &pool.agents["bot"];
    assert!(bot.auto_accept && !bot.supervisor);
    assert_eq!(bot.queues, BTreeMap::from([("support".into(), 1), ("orders".into(), 3)]));
    assert_eq!((pool.weights["voice"], pool.interrupts["voice"].contains("chat")), (5, true));
    let times = (pool.inactivity_seconds, pool.liveness_seconds, pool.grace_seconds, pool.cool_off_seconds);
    assert_eq!(times, (3_600, 90, 0, 5));

    // The same on every replica for a day, and told anew on the next.
    assert_eq!(build(today()).pools().next().unwrap().1.digest, book.pools().next().unwrap().1.digest);
    let tomorrow = config(&build(Day::of(1_795_392_000_000 + 86_400_000)));
    assert_eq!(tomorrow.queues["orders"].open.as_ref().unwrap()[0].0, monday("2026-11-30T09:00:00Z"));
}
