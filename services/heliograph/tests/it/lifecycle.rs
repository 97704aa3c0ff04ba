//! A policy's life: tested, tried on real conversations, applied, compared, brought back.

use serde_json::Value;

use crate::support::{Bench, SAMPLE};

const WORLD: &str = include_str!("../../../../deploy/samples/world.yaml");
const WORLD_TESTS: &str = include_str!("../../../../deploy/samples/world.tests.yaml");

const POLICY: &str = "apiVersion: heliograph.dev/v1
kind: ChannelPolicy
metadata: { tenant: acme, name: default }
spec:
  regions:
    - { name: north-america, countries: [US, CA], channels: [sms, webchat] }
    - { name: greater-china, countries: [CN, HK, MO, SG], channels: [wechat] }
  default: { channels: [webchat] }
";

/// The same without SMS in the United States.
fn without_sms() -> String {
    format!(
        "{POLICY}  rules:
    - name: no-sms-in-the-states
      match: {{ countries: [US], channels: [sms] }}
      then: deny
"
    )
}

#[tokio::test]
async fn tests_beside_a_policy_are_run_without_a_broker() {
    let bench = Bench::bare().await;
    let policy = bench.file("world.yaml", WORLD);
    let tests = bench.file("world.tests.yaml", WORLD_TESTS);
    let passed = bench.run(&["policy", "test", "-f", &policy]).await.ok();
    assert!(passed.out.contains(" 0 failed"), "{}", passed.out);
    assert!(passed.out.contains("60 of 60 rules and 12 of 12 regions decided a test"), "{}", passed.out);

    // A rule less, and a test tells.
    let poorer = WORLD.replace("{ sender: [alphanumeric] }", "{ sender: [alphanumeric, long_code] }");
    assert_ne!(poorer, WORLD);
    bench.file("world.yaml", &poorer);
    let failed = bench.run(&["policy", "test", "-f", &policy, &tests]).await;
    assert_eq!(failed.code, 1, "{}", failed.err);
    assert!(failed.out.contains("India wants a header"), "{}", failed.out);
    assert!(failed.out.contains("rule india-headers has no say"), "{}", failed.out);
    let json = bench.run(&["policy", "test", "-f", &policy, "--json"]).await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["report"]["failures"][0]["faults"][1], "rule india-headers has no say");

    // A file of tests, or a condition, that cannot be read is wrong input, and shown with its place.
    let wrong = bench.file("wrong.tests.yaml", "tests:\n  - name: a\n    expect: { outcom: allow }\n");
    let refused = bench.run(&["policy", "test", "-f", &policy, &wrong]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("wrong.tests.yaml:3:"), "{}", refused.err);
    let broken = bench.file("broken.yaml", &WORLD.replace("account == \"cellar\"", "acount == \"cellar\""));
    let refused = bench.run(&["policy", "test", "-f", &broken, &tests]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    let line = WORLD.lines().position(|line| line.contains("account == \"cellar\"")).unwrap() + 1;
    assert!(refused.err.contains(&format!("broken.yaml:{line}:")), "{}", refused.err);
}

#[tokio::test]
async fn the_sample_tenant_is_as_its_tests_say() {
    let bench = Bench::bare().await;
    let policy = bench.file("acme.yaml", SAMPLE);
    bench.file("acme.tests.yaml", include_str!("../../../../deploy/samples/acme.tests.yaml"));
    // Tests that bear another file's name are about another policy.
    bench.file("world.tests.yaml", WORLD_TESTS);
    let passed = bench.run(&["policy", "test", "-f", &policy, "--mutate"]).await.ok();
    assert!(passed.out.contains(" 0 failed") && passed.out.contains(", 0 were not"), "{}", passed.out);

    // So are the tests that the documents show.
    let page = include_str!("../../../../docs/how-to/policy.md");
    let shown = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let shown = bench.file("shown.yaml", shown);
    let passed = bench.run(&["policy", "test", "-f", &policy, &shown]).await.ok();
    assert!(passed.out.contains(" 0 failed"), "{}", passed.out);
}

#[tokio::test]
async fn mistakes_that_no_test_notices_are_listed() {
    let bench = Bench::bare().await;
    let policy = bench.file("policy.yaml", &without_sms());
    bench.file(
        "policy.tests.yaml",
        "tests:\n  - name: no SMS to the United States\n    given: { to: '+12125550100', channel: sms }\n    expect: { outcome: deny, rule: no-sms-in-the-states }\n",
    );
    bench.run(&["policy", "test", "-f", &policy]).await.ok();
    let mutated = bench.run(&["policy", "test", "-f", &policy, "--mutate"]).await;
    assert_eq!(mutated.code, 1, "{}", mutated.err);
    assert!(!mutated.out.contains("no-sms-in-the-states: removed"), "{}", mutated.out);
    assert!(
        mutated.out.contains("unnoticed: rule no-sms-in-the-states: without its channels"),
        "{}",
        mutated.out
    );
}

#[tokio::test]
async fn a_policy_is_tried_on_real_conversations_before_it_is_in_force() {
    let bench = Bench::with_sample().await;
    let fabric = bench.fabric().await;
    bench.event(&fabric, 1).await;
    let file = bench.file("policy.yaml", &without_sms());

    let tried = bench.run(&["apply", "-f", &file, "--dry-run"]).await.ok();
    assert!(tried.out.contains("1 of the last 1 conversations of acme"), "{}", tried.out);
    let row = tried.out.lines().find(|line| line.starts_with("cnv_1")).unwrap();
    for part in ["from", "+121…00", "US", "sms", "allow → deny, rule no-sms-in-the-states"] {
        assert!(row.contains(part), "{part} is not in {row}");
    }
    assert!(!tried.out.contains("2125550100"), "{}", tried.out);

    let json = bench.run(&["apply", "-f", &file, "--dry-run", "--json"]).await.ok();
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json[0]["replay"]["turned"][0]["new"]["outcome"], "deny");

    let applied = bench.run(&["apply", "-f", &file]).await.ok();
    assert!(applied.err.contains("1 of the last 1 conversations of acme"), "{}", applied.err);
    let again = bench.run(&["apply", "-f", &file]).await.ok();
    assert!(!again.err.contains("conversations"), "{}", again.err);
}

#[tokio::test]
async fn an_invalid_policy_is_refused_whole_and_the_old_one_stays() {
    let bench = Bench::with_sample().await;
    let broken = without_sms() + "      when: message.clas == \"marketing\"\n";
    let file = bench.file("broken.yaml", &broken);
    let refused = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    let line = broken.lines().count();
    assert!(refused.err.contains(&format!("broken.yaml:{line}:")), "{}", refused.err);
    assert!(refused.err.contains("spec.rules[0].when"), "{}", refused.err);
    let history = bench.run(&["policy", "history", "--tenant", "acme"]).await.ok();
    assert_eq!(history.out.lines().count(), 2, "{}", history.out);
    let args = ["policy", "explain", "--tenant", "acme", "--from", "+12125550100", "--channel", "sms"];
    assert!(bench.run(&args).await.ok().out.starts_with("allow"));
}

#[tokio::test]
async fn versions_are_listed_compared_and_brought_back() {
    let bench = Bench::with_sample().await;
    let first = bench.file("first.yaml", POLICY);
    let second = bench.file("second.yaml", &without_sms());
    for file in [&first, &second] {
        bench.run(&["apply", "-f", file]).await.ok();
    }
    let tenant = ["--tenant", "acme"];

    let history = bench.run(&[&["policy", "history"][..], &tenant].concat()).await.ok().out;
    let lines: Vec<&str> = history.lines().collect();
    assert!(lines[1].starts_with('3') && lines[1].ends_with("+ rule no-sms-in-the-states"), "{history}");
    assert!(lines[1].contains("tester"), "{history}");

    let told = "sms to and from US: allow → deny, rule no-sms-in-the-states";
    let diff = bench.run(&[&["policy", "diff", "@2", "@"][..], &tenant].concat()).await.ok().out;
    assert!(diff.contains("+ rules.no-sms-in-the-states") && diff.contains(told), "{diff}");
    // Two files need no broker.
    let mut offline = bench.command(&["policy", "diff", &first, &second, "--tenant", "acme", "--exit-code"]);
    offline.env("HELIOGRAPH__NATS__URL", "nats://127.0.0.1:9");
    let offline: crate::support::Done = offline.output().await.unwrap().into();
    assert_eq!((offline.code, offline.out.contains(told)), (1, true), "{}", offline.err);

    let rollback = ["policy", "rollback", "--tenant", "acme", "--to", "2"];
    let asked = bench.run(&rollback).await;
    assert_eq!(asked.code, 2, "{}", asked.err);
    assert!(asked.err.contains("--yes"), "{}", asked.err);
    let dry = bench.run(&[&rollback[..], &["--dry-run"]].concat()).await.ok().out;
    assert!(dry.contains("sms to and from US: deny → allow"), "{dry}");
    let done = bench.run(&[&rollback[..], &["--yes"]].concat()).await.ok().out;
    assert!(done.contains("as in version 2 again, as version 4"), "{done}");
    let same = bench.run(&[&["policy", "diff", "@2", "@4"][..], &tenant].concat()).await.ok();
    assert!(same.out.is_empty() && same.err.contains("say the same"), "{}{}", same.out, same.err);
    assert_eq!(bench.run(&[&["policy", "diff", "@99", "@"][..], &tenant].concat()).await.code, 1);
}

#[tokio::test]
async fn regions_and_where_they_may_be_held_are_listed() {
    let bench = Bench::provisioned().await;
    let file = bench.file("world.yaml", WORLD);
    bench.run(&["apply", "-f", &file]).await.ok();
    let tenant = ["--tenant", "world"];

    let brazil = bench.run(&[&["policy", "regions", "--country", "br"][..], &tenant].concat()).await.ok();
    assert!(brazil.out.contains("latin-america") && !brazil.out.contains("islands"), "{}", brazil.out);
    assert!(brazil.err.contains("union:latin-trade"), "{}", brazil.err);
    let all = bench.run(&[&["policy", "regions"][..], &tenant].concat()).await.ok().out;
    assert_eq!(all.lines().count(), 14, "{all}");

    let eu = bench.run(&[&["policy", "residency", "--site", "eu"][..], &tenant].concat()).await.ok().out;
    assert!(eu.contains("hg.event.world.european-union.>\n") && !eu.contains("greater-china"), "{eu}");
    let cn = bench.run(&[&["policy", "residency", "--site", "cn"][..], &tenant].concat()).await.ok().out;
    assert!(cn.contains("hg.event.world.greater-china.>\n") && !cn.contains("european-union"), "{cn}");
}

#[tokio::test]
async fn rules_about_other_messages_are_told_when_asked_for() {
    let bench = Bench::bare().await;
    let file = bench.file("policy.yaml", &without_sms());
    let args =
        ["policy", "explain", "--tenant", "acme", "--from", "+14165550100", "--channel", "sms", "-f", &file];
    let told = bench.run(&args).await.ok().out;
    assert!(told.contains("1 rules are about other messages"), "{told}");
    let told = bench.run(&[&args[..], &["--all"]].concat()).await.ok().out;
    assert!(told.contains("out     rule no-sms-in-the-states: it is about other countries"), "{told}");
}
