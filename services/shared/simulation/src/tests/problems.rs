//! What is wrong with a scenario is said with its place.

use crate::Scenario;

const GOOD: &str = "\
name: small
length: 1h
queues:
  chat: { wrap_up: 30s }
work:
  - name: chats
    queue: chat
    arrivals: { poisson: { per_hour: 60 } }
    service: { exponential: 2m }
agents:
  - { name: team, count: 3, queues: [chat] }
";

/// The problems of [`GOOD`] with one thing changed.
#[track_caller]
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from}");
    let outcome = Scenario::read("s.yaml", &GOOD.replacen(from, to, 1));
    outcome.err().map(|problems| problems.0.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

#[test]
fn a_scenario_that_makes_sense_is_taken() {
    let scenario = Scenario::read("s.yaml", GOOD).unwrap();
    assert_eq!((scenario.replications, scenario.seed, scenario.agents[0].capacity["chat"]), (20, 1, 3));
    assert_eq!(changed("exponential: 2m", "lognormal: { mean: 2m, sd: 1m }"), Vec::<String>::new());
    assert_eq!(changed("[chat]", "[{ queue: chat, ring: 2 }]"), Vec::<String>::new());
}

#[test]
fn unknown_fields_and_names_are_pointed_at() {
    assert_eq!(
        changed("wrap_up: 30s", "wrapup: 20s"),
        [
            r#"s.yaml:4:11: queues.chat.wrapup: unknown field `wrapup`, expected one of `display_name`, `ring_timeout`, `wrap_up`, `skills`, `priority`, `service_level`, `aging`, `agents_by`, `sticky`, `relax`, `overflow`, `hours`, `closed`, `max_wait`, `announce`, `callback`; did you mean "wrap_up"?"#
        ]
    );
    assert_eq!(
        changed("queue: chat", "queue: chats"),
        [r#"s.yaml:7:12: work[0].queue: unknown queue "chats"; did you mean "chat"?"#]
    );
    assert_eq!(
        changed("exponential: 2m", "exponental: 2m"),
        [
            r#"s.yaml:9:5: work[0].service: unknown variant `exponental`, expected one of `fixed`, `exponential`, `uniform`, `lognormal`, `gamma`, `erlang`, `empirical`; did you mean "exponential"?"#
        ]
    );
    assert_eq!(
        changed("wrap_up: 30s", "overflow: [{ after: 5s, to: chit }]"),
        [r#"s.yaml:4:39: queues.chat.overflow[0].to: unknown queue "chit"; did you mean "chat"?"#]
    );
}

#[test]
fn numbers_that_make_no_sense_are_pointed_at() {
    for (from, to, problem) in [
        (
            "length: 1h",
            "length: 1 hour",
            r#"s.yaml:2:9: length: "1 hour" is no length of time; write it like 30s, 5m, 1h30m or 2d"#,
        ),
        ("wrap_up: 30s", "ring_timeout: 0s", "s.yaml:4:25: queues.chat.ring_timeout: must be more than 0s"),
        (
            "exponential: 2m",
            "exponential: 0s",
            "s.yaml:9:29: work[0].service.exponential: the mean must be longer than 0s",
        ),
        (
            "per_hour: 60",
            "per_hour: -1",
            "s.yaml:8:38: work[0].arrivals.poisson.per_hour: a rate is 0 or more",
        ),
        ("count: 3", "count: 0", "s.yaml:10:1: agents: 1 to 100000 agents, not 0"),
        (
            "count: 3",
            "count: 3, misses: 120%",
            r#"s.yaml:11:37: agents[0].misses: "120%" is no share; write it like 2% or 0.02"#,
        ),
        (
            "[chat]",
            "[{ queue: chat, ring: 10 }]",
            "s.yaml:11:59: agents[0].queues[0].ring: rings go from 1 to 9",
        ),
        (
            "wrap_up: 30s",
            "overflow: [{ to: chat }]",
            "s.yaml:4:22: queues.chat.overflow[0]: name exactly one of after, waiting, estimated, nobody_online: true",
        ),
        (
            "wrap_up: 30s",
            "skills: { required: [{ skill: a, any: [] }] }",
            "s.yaml:4:32: queues.chat.skills.required[0]: name exactly one of skill, language, any, all, not",
        ),
        ("wrap_up: 30s", "hours: office", r#"s.yaml:4:18: queues.chat.hours: unknown calendar "office""#),
        (
            "wrap_up: 30s",
            "closed: { then: overflow }",
            "s.yaml:4:11: queues.chat.closed: say where to: to: QUEUE",
        ),
        (
            "count: 3",
            "count: 3, shifts: [{ from: \"22:00\", to: \"06:00\" }]",
            "s.yaml:11:38: agents[0].shifts[0]: a stretch ends after it begins; one over midnight is two stretches",
        ),
    ] {
        assert_eq!(changed(from, to), [problem], "{to}");
    }
}

#[test]
fn checks_that_have_no_answer_are_refused() {
    let closed_form = changed("length: 1h", "length: 1h\ncheck: { closed_form: 2% }");
    let wrap_up = "s.yaml:3:23: check.closed_form: no closed form is known for this: agents wrap up";
    assert_eq!(closed_form, [wrap_up]);
    let text =
        GOOD.replacen("length: 1h", "length: 1h\ncheck: { closed_form: 2%, optimum: { within: 5% } }", 1);
    let text = text.replacen("exponential: 2m", "fixed: 2m", 1).replacen("[chat]", "[chat], rejects: 1%", 1);
    let text = text.replacen("wrap_up: 30s", "wrap_up: 0s", 1);
    let problems = Scenario::read("s.yaml", &text).unwrap_err().to_string();
    assert_eq!(
        problems,
        "s.yaml:3:23: check.closed_form: no closed form is known for this: service is not exponential\n\
         s.yaml:3:27: check.optimum: static policies cannot be compared here: agents do not answer at once"
    );
}
