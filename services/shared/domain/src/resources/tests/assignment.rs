//! What queues, agents, rules and tenants say of how work is assigned.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::problems::{file, problems, refused};
use crate::resources::{
    AgentKind, AgentSpec, AgentsBy, ChoiceWeights, Closed, ClosedThen, Context, Level, OverflowWhen,
    QueueSpec, RoutingRuleSpec, Serves, SkillDemand, SkillName, SkillTree, TenantSpec, WaitEnd, Work, parse,
    validate,
};

fn queue(value: Value) -> QueueSpec {
    serde_json::from_value(value).unwrap()
}

#[test]
fn what_older_manifests_say_means_what_it_meant() {
    let spec = queue(
        json!({ "display_name": "Support", "priority": 3, "skills": { "required": [{ "skill": "a" }] } }),
    );
    assert_eq!(
        (spec.agents_by, spec.sticky, spec.closed.clone()),
        (AgentsBy::LongestIdle, None, Closed::default())
    );
    assert!(spec.relax.is_empty() && spec.overflow.is_empty() && spec.hours.is_none() && !spec.callback);
    assert!(spec.max_wait.is_none() && spec.announce.is_none());
    assert_eq!((spec.service_level.target.to_string(), spec.service_level.share), ("20s".to_owned(), 0.8));
    assert_eq!(spec.aging().to_string(), "3m20s");

    let agent: AgentSpec =
        serde_json::from_value(json!({ "display_name": "Ann", "queues": ["a", "b"] })).unwrap();
    assert_eq!(agent.queue_names().collect::<Vec<_>>(), ["a", "b"]);
    assert!(agent.queues.iter().all(|serves| serves.ring == Serves::FIRST_RING));
    assert!(!agent.auto_accept && agent.kind == AgentKind::Person);
    // And is written as it was.
    assert_eq!(serde_json::to_value(&agent).unwrap()["queues"], json!(["a", "b"]));

    let rule: RoutingRuleSpec = serde_json::from_value(json!({ "queue": "a" })).unwrap();
    assert!(rule.sticky && rule.when.is_none());
    let tenant: TenantSpec = serde_json::from_value(json!({ "display_name": "Acme" })).unwrap();
    assert_eq!(tenant.work, Work::default());
    let work = |name: &str| serde_json::to_value(&tenant.work).unwrap()[name].clone();
    assert_eq!((work("inactivity"), work("liveness")), (json!("1d"), json!("1m")));
}

#[test]
fn a_queue_says_how_work_waits() {
    let spec = queue(json!({
        "display_name": "Support",
        "service_level": { "target": "30s" },
        "aging": "5m",
        "agents_by": { "idle": 1, "level": 3 },
        "sticky": {},
        "relax": [{ "after": "30s", "lower": 2 }, { "after": "1m", "drop": ["selling"] }, { "after": "2m", "ring": 2 }],
        "overflow": [
            { "after": "2m", "to": "a" }, { "waiting": 50, "to": "a" }, { "estimated": "10m", "to": "b" },
            { "nobody_online": true, "to": "c" },
        ],
        "hours": "office",
        "closed": { "then": "overflow", "to": "a" },
        "max_wait": { "after": "30m", "then": "callback" },
        "announce": { "every": "1m" },
        "callback": true,
    }));
    assert_eq!(spec.aging().to_string(), "5m");
    assert_eq!(spec.agents_by, AgentsBy::Mix(ChoiceWeights { idle: 1, occupancy: 0, level: 3 }));
    let sticky = spec.sticky.unwrap();
    assert_eq!((sticky.remember.to_string(), sticky.wait.to_string()), ("7d".to_owned(), "30s".to_owned()));
    let when: Vec<OverflowWhen> = spec.overflow.iter().map(|overflow| overflow.when).collect();
    assert!(matches!(
        when[..],
        [
            OverflowWhen::After(_),
            OverflowWhen::Waiting(50),
            OverflowWhen::Estimated(_),
            OverflowWhen::NobodyOnline
        ]
    ));
    assert_eq!(spec.closed.then, ClosedThen::Overflow);
    assert_eq!(spec.max_wait.as_ref().unwrap().then, WaitEnd::Callback);
    assert_eq!(serde_json::from_value::<QueueSpec>(serde_json::to_value(&spec).unwrap()).unwrap(), spec);
    for (word, choice) in [
        ("longest_idle", AgentsBy::LongestIdle),
        ("least_occupied", AgentsBy::LeastOccupied),
        ("best_level", AgentsBy::BestLevel),
    ] {
        let spec = queue(json!({ "display_name": "Q", "agents_by": word }));
        assert_eq!(spec.agents_by, choice);
        assert_eq!(queue(serde_json::to_value(&spec).unwrap()), spec);
    }
}

#[test]
fn an_agent_stands_in_rings() {
    let written =
        json!({ "display_name": "Ann", "queues": ["a", { "queue": "b", "ring": 2 }, { "queue": "c" }] });
    let agent: AgentSpec = serde_json::from_value(written).unwrap();
    let rings: Vec<(&str, u8)> =
        agent.queues.iter().map(|serves| (serves.queue.as_str(), serves.ring)).collect();
    assert_eq!(rings, [("a", 1), ("b", 2), ("c", 1)]);
    assert_eq!(
        serde_json::to_value(&agent).unwrap()["queues"],
        json!(["a", { "queue": "b", "ring": 2 }, "c"])
    );
}

#[test]
fn a_demand_is_a_tree() {
    let tree: SkillTree = serde_json::from_value(json!({ "all": [
        { "skill": "billing", "level": 3 },
        { "any": [{ "language": "pt-BR", "level": 4 }, { "language": "es" }] },
        { "not": { "skill": "trainee" } },
    ] }))
    .unwrap();
    assert_eq!(tree.to_string(), "all(billing:3, any(lang-pt-br:4, lang-es:1), not(trainee:1))");
    let leaves: Vec<String> = tree.leaves().into_iter().map(|leaf| leaf.skill().into_owned()).collect();
    assert_eq!(leaves, ["billing", "lang-pt-br", "lang-es", "trainee"]);
    assert_eq!(
        serde_json::to_value(&tree).unwrap()["all"][1]["any"][0],
        json!({ "language": "pt-BR", "level": 4 })
    );
}

#[test]
fn a_demand_that_says_too_much_or_nothing_is_refused() {
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  required:\n    - { skill: a, any: [] }",
        &[
            "f.yaml:13:9: Queue/q: spec.skills.required[0]: name exactly one of skill, language, any, all, not",
        ],
    );
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  required:\n    - any: [{ skill: a }, { level: 3 }]",
        &[
            "f.yaml:13:29: Queue/q: spec.skills.required[0].any[1]: name exactly one of skill, language, any, all, not",
        ],
    );
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  preferred:\n    - { any: [{ skill: a }] }",
        &[
            "f.yaml:13:9: Queue/q: spec.skills.preferred[0]: any, all and not stand under required only; preferred is a list of skills and languages",
        ],
    );
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  required:\n    - { not: { skill: a }, level: 3 }",
        &[
            "f.yaml:13:9: Queue/q: spec.skills.required[0]: level belongs to a skill or a language, not to any, all or not",
        ],
    );
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  required:\n    - { skil: a }",
        &[
            "f.yaml:13:11: Queue/q: spec.skills.required[0].skil: unknown field `skil`, expected one of `skill`, `language`, `level`, `any`, `all`, `not`; did you mean \"skill\"?",
        ],
    );
    refused(
        "Queue",
        "q",
        "display_name: Q\nskills:\n  required: [{ any: [] }, { all: [{ skill: A }, { language: portuguese }] }, { skill: b, level: 11 }]",
        &[
            "f.yaml:12:99: Queue/q: spec.skills.required[2].level: skill level 11 is out of range; levels go from 1 to 10",
        ],
    );
    let mut deep = "{ skill: a }".to_owned();
    for _ in 0..8 {
        deep = format!("{{ not: {deep} }}");
    }
    let spec = format!(
        "display_name: Q\nskills:\n  required: [{{ any: [] }}, {{ all: [{{ skill: A }}, {{ language: portuguese }}] }}, {deep}]"
    );
    let found = problems(&file("Queue", "q", &spec));
    let said: Vec<&str> = found.iter().map(|line| line.split_once("Queue/q: ").unwrap().1).collect();
    assert_eq!(
        said,
        [
            "spec.skills.required[0].any: names nothing; list skills, or leave it out",
            "spec.skills.required[1].all[0].skill: \"A\" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean \"a\"?",
            "spec.skills.required[1].all[1].language: \"portuguese\" is no language tag; write it like pt or pt-BR",
            "spec.skills.required[2].not.not.not.not.not.not.not.not: combinations stand in each other deeper than 8",
        ]
    );
}

#[test]
fn what_a_queue_cannot_mean_is_refused() {
    let said = |spec: &str| -> Vec<String> {
        let found = problems(&file("Queue", "q", &format!("display_name: Q\n{spec}")));
        found.iter().map(|line| line.split_once("Queue/q: ").unwrap().1.to_owned()).collect()
    };
    let table: &[(&str, &[&str])] = &[
        ("aging: 0s", &["spec.aging: must be more than 0s, or old work of low priority would never win"]),
        (
            "service_level: { target: 0s, share: 80 }",
            &[
                "spec.service_level.target: must be more than 0s",
                "spec.service_level.share: must be more than 0 and at most 1; 80 % is 0.8",
            ],
        ),
        (
            "agents_by: { idle: 0 }",
            &["spec.agents_by: all weights are 0; give at least one of idle, occupancy and level"],
        ),
        ("agents_by: { idle: 101 }", &["spec.agents_by.idle: 101 is out of range; weights go from 0 to 100"]),
        (
            "agents_by: bestlevel",
            &[
                "spec.agents_by: unknown variant `bestlevel`, expected one of `longest_idle`, `least_occupied`, `best_level`; did you mean \"best_level\"?",
            ],
        ),
        (
            "agents_by: { idel: 1 }",
            &[
                "spec.agents_by.idel: unknown field `idel`, expected one of `idle`, `occupancy`, `level`; did you mean \"idle\"?",
            ],
        ),
        (
            "sticky: { remember: 30d }",
            &["spec.sticky.remember: 30d is out of range; it is more than 0s and at most 8d"],
        ),
        (
            "relax: [{ after: 1m, lower: 1 }, { after: 1m, ring: 2 }, { after: 30s }]",
            &[
                "spec.relax[1].after: must be later than the step before; every step counts from the arrival",
                "spec.relax[2].after: must be later than the step before; every step counts from the arrival",
                "spec.relax[2]: asks for nothing less: name lower, drop or ring",
            ],
        ),
        (
            "relax: [{ after: 1m, lower: 10, ring: 1, drop: [A] }]",
            &[
                "spec.relax[0].lower: 10 is out of range; a step lowers by 1 to 9 levels",
                "spec.relax[0].ring: 1 is out of range; ring 1 is asked at once, and a step opens one of 2 to 9",
                "spec.relax[0].drop[0]: \"A\" is no name: lower-case letters, digits and inner hyphens, at most 63; did you mean \"a\"?",
            ],
        ),
        (
            "overflow: [{ after: 1m, waiting: 3, to: r }]",
            &["spec.overflow[0]: name exactly one of after, waiting, estimated, nobody_online: true"],
        ),
        (
            "overflow: [{ nobody_online: false, to: r }]",
            &["spec.overflow[0]: name exactly one of after, waiting, estimated, nobody_online: true"],
        ),
        ("overflow: [{ after: 1m, to: returns }]", &["spec.overflow[0].to: there is no Queue \"returns\""]),
        (
            "overflow: [{ waiting: 0, to: q }]",
            &[
                "spec.overflow[0].waiting: must be more than 0, or nothing would ever stay",
                "spec.overflow[0].to: conversations would go to the queue they are in; name another one",
            ],
        ),
        (
            "closed: { then: close }",
            &["spec.closed: a queue without hours is never closed; name a Calendar in hours"],
        ),
        (
            "max_wait: { after: 0s, then: overflow }",
            &[
                "spec.max_wait.after: must be more than 0s",
                "spec.max_wait: then: overflow needs to: the queue they go to",
            ],
        ),
        (
            "max_wait: { after: 1m, then: close, to: q }",
            &[
                "spec.max_wait.to: belongs to then: overflow; leave it out",
                "spec.max_wait.to: conversations would go to the queue they are in; name another one",
            ],
        ),
        (
            "max_wait: { after: 1m, then: wait }",
            &["spec.max_wait.then: unknown variant `wait`, expected one of `callback`, `close`, `overflow`"],
        ),
        ("hours: office", &["spec.hours: there is no Calendar \"office\""]),
        (
            "announce: { every: 0s }",
            &["spec.announce.every: must be more than 0s; leave announce out to tell once"],
        ),
    ];
    for (spec, expected) in table {
        assert_eq!(said(spec), *expected, "{spec}");
    }
}

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: heliograph.dev/v1\nkind: {kind}\nmetadata: {{ tenant: acme, name: {name} }}\nspec: {{ {spec} }}\n"
    )
}

#[test]
fn a_queue_opens_by_one_clock() {
    let hours = r#"hours: [{ days: [mon], from: "09:00", to: "17:00" }]"#;
    let zoned = format!("time_zone: Europe/Lisbon, {hours}");
    let text = |calendar: &str| {
        file("Queue", "q", "display_name: Q\nhours: office") + &document("Calendar", "office", calendar)
    };
    assert_eq!(problems(&text(&zoned)), Vec::<String>::new());
    assert_eq!(
        problems(&text(hours)),
        [
            "f.yaml:11:10: Queue/q: spec.hours: Calendar \"office\" has no time_zone; a queue opens by one clock, not by each customer's: name the zone in the calendar"
        ]
    );
    // The zone cannot be taken from a calendar that a queue in force opens by.
    let stored = parse("old.yaml", &text(&zoned)).unwrap();
    let stored: Vec<_> = stored.into_iter().map(|document| document.resource).collect();
    let context = Context { channels: &["sms"], stored: &stored, dev: false };
    let changed = parse("f.yaml", &document("Calendar", "office", hours)).unwrap();
    assert_eq!(
        validate(&changed, &context).unwrap_err().to_string(),
        "f.yaml:5:1: Calendar/office: spec.time_zone: Queue/q opens by it, and needs one clock: name a time_zone"
    );
}

#[test]
fn conversations_do_not_go_round_for_ever() {
    let hours = r#"hours: [{ days: [mon], from: "09:00", to: "17:00" }]"#;
    let calendar = document("Calendar", "office", &format!("time_zone: Europe/Lisbon, {hours}"));
    let queue = |name: &str, rest: &str| document("Queue", name, &format!("display_name: Q, {rest}"));
    let circles = |a: &str, b: &str, c: &str| -> Vec<String> {
        let start = file("Queue", "other", "display_name: Other");
        let found =
            problems(&format!("{start}{calendar}{}{}{}", queue("a", a), queue("b", b), queue("c", c)));
        let said = |line: &String| line.split_once(": ").unwrap().1.to_owned();
        found.iter().map(said).collect()
    };
    let closed = |to: &str| format!("hours: office, closed: {{ then: overflow, to: {to} }}");
    let round = "let one of these queues keep or close them";
    assert_eq!(
        circles(&closed("b"), &closed("c"), &closed("a")),
        [
            format!("Queue/a: spec.closed.to: conversations would go round for ever: a → b → c → a; {round}"),
            format!("Queue/b: spec.closed.to: conversations would go round for ever: b → c → a → b; {round}"),
            format!("Queue/c: spec.closed.to: conversations would go round for ever: c → a → b → c; {round}"),
        ]
    );
    let late = "max_wait: { after: 1m, then: overflow, to: a }";
    let nobody = "overflow: [{ nobody_online: true, to: b }]";
    assert_eq!(circles(nobody, late, "callback: true").len(), 2);
    // What takes time, or hangs on how many wait, comes to rest.
    for rest in [
        "overflow: [{ after: 1m, to: a }]",
        "overflow: [{ waiting: 9, to: a }]",
        "overflow: [{ estimated: 9m, to: a }]",
    ] {
        assert_eq!(circles(nobody, rest, "callback: true"), Vec::<String>::new(), "{rest}");
    }
    // It is enough that one of them keeps what it gets.
    assert_eq!(circles(&closed("b"), &closed("c"), "hours: office"), Vec::<String>::new());
}

#[test]
fn agents_rules_and_tenants_are_checked() {
    let queue = document("Queue", "q", "display_name: Q");
    let agent = |spec: &str| -> Vec<String> {
        let text = file("Agent", "ann", &format!("display_name: Ann\n{spec}")) + &queue;
        problems(&text).iter().map(|line| line.split_once("Agent/ann: ").unwrap().1.to_owned()).collect()
    };
    assert_eq!(agent("queues: [q, { queue: q }]\nauto_accept: true\nkind: bot"), Vec::<String>::new());
    assert_eq!(
        agent("queues: [{ queue: q, ring: 0 }, { queue: q, ring: 10 }, { queue: qq }]"),
        [
            "spec.queues[2]: there is no Queue \"qq\"; did you mean \"q\"?",
            "spec.queues[0].ring: 0 is out of range; rings go from 1 to 9",
            "spec.queues[1].ring: 10 is out of range; rings go from 1 to 9",
            "spec.queues[1]: \"q\" is listed twice, in rings 0 and 10",
        ]
    );
    assert_eq!(
        agent("queues: [{ queue: q, rign: 2 }]"),
        ["spec.queues[0].rign: unknown field `rign`, expected `queue` or `ring`; did you mean \"ring\"?"]
    );
    assert_eq!(
        agent("queues: [3]"),
        [
            "spec.queues[0]: invalid type: integer `3`, expected the name of a queue, or { queue: support, ring: 2 }"
        ]
    );
    assert_eq!(agent("kind: robot"), ["spec.kind: unknown variant `robot`, expected `person` or `bot`"]);
    let rule = problems(&(file("RoutingRule", "r", "queue: q\nwhen: ' '\nsticky: false") + &queue));
    assert_eq!(
        rule,
        ["f.yaml:11:9: RoutingRule/r: spec.when: the condition is empty; leave it out to mean always"]
    );
    let tenant = "apiVersion: heliograph.dev/v1\nkind: Tenant\nmetadata: { name: acme }\nspec:\n  display_name: Acme\n  work:\n    weights: { voice: 0, chat: 1 }\n    interrupts: { voice: [chat, voice] }\n    inactivity: 0s\n    grace: 1m\n";
    assert_eq!(
        problems(tenant),
        [
            "f.yaml:7:23: Tenant/acme: spec.work.weights.voice: 0 is out of range; weights go from 1 to 1000",
            "f.yaml:8:33: Tenant/acme: spec.work.interrupts.voice[1]: a class does not interrupt itself: that is what capacity is for",
            "f.yaml:9:17: Tenant/acme: spec.work.inactivity: must be more than 0s",
        ]
    );
}

fn tree() -> impl Strategy<Value = SkillTree> {
    let leaf = (
        prop_oneof![
            "[a-z]{1,8}".prop_map(SkillName::Skill),
            prop::sample::select(vec!["pt", "pt-BR", "zh-Hant"])
                .prop_map(|tag| SkillName::Language(tag.to_owned())),
        ],
        1_u8..=10,
    )
        .prop_map(|(name, level)| SkillTree::Skill(SkillDemand { name, level: Level::new(level).unwrap() }));
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list.clone().prop_map(SkillTree::Any),
            list.prop_map(SkillTree::All),
            inner.prop_map(|tree| SkillTree::Not(Box::new(tree))),
        ]
    })
}

/// Anything that could stand in a demand's place.
fn junk() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..20).prop_map(Value::from),
        "[a-zA-Z -]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec!["skill", "language", "level", "any", "all", "not", "other"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..3).prop_map(|entries| entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #[test]
    fn trees_round_trip(tree in tree()) {
        let json = serde_json::to_value(&tree).unwrap();
        prop_assert_eq!(serde_json::from_value::<SkillTree>(json).unwrap(), tree);
    }

    #[test]
    fn what_is_read_as_a_demand_is_written_as_one(value in junk()) {
        if let Ok(tree) = serde_json::from_value::<SkillTree>(value.clone()) {
            let again: SkillTree = serde_json::from_value(serde_json::to_value(&tree).unwrap()).unwrap();
            prop_assert_eq!(again, tree);
        } else {
            prop_assert!(serde_json::from_value::<SkillDemand>(value).is_err());
        }
    }

    #[test]
    fn a_queue_of_anything_is_read_or_refused(
        agents_by in junk(), relax in junk(), overflow in junk(), closed in junk(), sticky in junk(),
    ) {
        let spec = json!({
            "display_name": "Q", "agents_by": agents_by, "relax": relax, "overflow": overflow, "closed": closed,
            "sticky": sticky,
        });
        let manifest = json!({
            "apiVersion": "heliograph.dev/v1", "kind": "Queue", "metadata": { "tenant": "acme", "name": "q" }, "spec": spec,
        });
        // Never a panic, and every problem has a place.
        for line in problems(&manifest.to_string()) {
            prop_assert!(line.starts_with("f.yaml:1:"), "{}", line);
        }
    }
}
