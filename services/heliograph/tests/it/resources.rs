//! `apply`, `get`, `diff`, `delete`.

use serde_json::Value;

use crate::support::{Bench, Done, SAMPLE};

#[tokio::test]
async fn what_is_applied_is_in_force_and_applying_it_again_changes_nothing() {
    let bench = Bench::provisioned().await;
    let file = bench.file("acme.yaml", SAMPLE);

    let tried = bench.run(&["apply", "-f", &file, "--dry-run"]).await.ok();
    assert!(tried.out.contains("Queue/support (acme) created (dry run)"), "{}", tried.out);
    assert_eq!(bench.run(&["get", "all", "-o", "json"]).await.ok().out.trim(), "[]");

    let applied = bench.run(&["apply", "-f", &file]).await.ok();
    assert_eq!(applied.out.lines().count(), 25, "{}", applied.out);
    assert!(applied.out.lines().all(|line| line.ends_with(" created")), "{}", applied.out);

    let again = bench.run(&["apply", "-f", &file]).await.ok();
    assert!(again.out.lines().all(|line| line.ends_with(" unchanged")), "{}", again.out);

    let queue = bench.run(&["get", "queue", "support", "--tenant", "acme", "-o", "json"]).await.ok();
    let queue: Value = serde_json::from_str(&queue.out).unwrap();
    assert_eq!(queue["spec"]["display_name"], "Support");

    let table = bench.run(&["get", "accounts"]).await.ok();
    assert!(table.out.starts_with("TENANT"), "{}", table.out);
    assert!(table.out.contains("acme-cn") && table.out.contains("tester"), "{}", table.out);
}

#[tokio::test]
async fn a_difference_is_shown_before_and_after_it_is_applied() {
    let bench = Bench::with_sample().await;
    let changed = SAMPLE.replace("ring_timeout: 30s", "ring_timeout: 45s");
    let file = bench.file("changed.yaml", &changed);

    let diff = bench.run(&["diff", "-f", &file, "--exit-code"]).await;
    assert_eq!(diff.code, 1, "{}", diff.err);
    assert!(diff.out.contains("Queue/support (acme) would be updated"), "{}", diff.out);
    assert!(diff.out.contains("spec.ring_timeout"), "{}", diff.out);

    let applied = bench.run(&["apply", "-f", &file, "--json"]).await.ok();
    let applied: Vec<Value> = serde_json::from_str(&applied.out).unwrap();
    let updated: Vec<&Value> = applied.iter().filter(|change| change["action"] == "updated").collect();
    assert_eq!(updated.len(), 1);
    assert_eq!((&updated[0]["name"], &updated[0]["version"]), (&"support".into(), &2.into()));

    let same = bench.run(&["diff", "-f", &file, "--exit-code"]).await.ok();
    assert_eq!(same.out, "");
}

#[tokio::test]
async fn a_bad_file_names_file_line_and_field_and_nothing_of_it_is_applied() {
    let bench = Bench::provisioned().await;
    let bad = SAMPLE
        .replace("countries: [US, CA]", "countries: [US, XX]")
        .replace("ring_timeout: 20s", "ring_timeot: 20s");
    let file = bench.file("bad.yaml", &bad);
    let refused = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    let line = bad.lines().position(|line| line.contains("ring_timeot")).unwrap() + 1;
    assert!(refused.err.contains(&format!("bad.yaml:{line}:")), "{}", refused.err);
    assert!(
        refused.err.contains("spec.ring_timeot") && refused.err.contains("ring_timeout"),
        "{}",
        refused.err
    );
    assert_eq!(bench.run(&["get", "all", "-o", "json"]).await.ok().out.trim(), "[]");

    let file = bench.file("bad.yaml", &SAMPLE.replace("countries: [US, CA]", "countries: [US, XX]"));
    let refused = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(refused.code, 65);
    assert!(refused.err.contains("spec.regions[0].countries[1]"), "{}", refused.err);
}

#[tokio::test]
async fn an_account_is_checked_by_its_channel() {
    let bench = Bench::provisioned().await;
    let file = bench.file(
        "bad.yaml",
        &SAMPLE.replace("    service_plan_id: made-up-plan\n", "    service_plan_id: \"\"\n"),
    );
    let refused = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("ChannelAccount/acme-us: spec.settings.service_plan_id"), "{}", refused.err);

    // A secret that is elsewhere is no reason to refuse; a setting nobody knows is.
    let elsewhere = SAMPLE.replace("{ value: made-up-sinch-token }", "{ env: NOT_SET_ON_THIS_MACHINE }");
    let file = bench.file("elsewhere.yaml", &elsewhere);
    bench.run(&["apply", "-f", &file]).await.ok();
    let unknown =
        elsewhere.replace("    sender: \"+12025550123\"", "    sender: \"+12025550123\"\n    colour: red");
    let refused = bench.run(&["apply", "-f", &bench.file("unknown.yaml", &unknown)]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("colour"), "{}", refused.err);
}

#[tokio::test]
async fn secrets_in_resources_are_refused_outside_of_development_and_never_shown() {
    let bench = Bench::with_sample().await;
    let file = bench.file("acme.yaml", SAMPLE);
    let mut command = bench.command(&["apply", "-f", &file]);
    let refused: crate::support::Done =
        command.env("HELIOGRAPH__CHANNEL__INLINE_SECRETS", "false").output().await.unwrap().into();
    assert_eq!(refused.code, 65);
    assert!(refused.err.contains("in development only"), "{}", refused.err);

    let everything = bench.run(&["get", "all", "-o", "yaml"]).await.ok();
    assert!(!everything.out.contains("made-up-twilio-auth-token") && !everything.out.contains("whsec_"));
    let shown = bench.run(&["get", "account", "acme-ca", "-o", "yaml", "--show-secrets"]).await.ok();
    assert!(shown.out.contains("made-up-twilio-auth-token"));
}

#[tokio::test]
async fn what_others_refer_to_is_not_deleted() {
    let bench = Bench::with_sample().await;
    let refused = bench.run(&["delete", "queue", "sales", "--tenant", "acme"]).await;
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("RoutingRule/buyers") && refused.err.contains("Agent/ann"),
        "{}",
        refused.err
    );

    let deleted = bench.run(&["delete", "rule", "buyers"]).await.ok();
    assert_eq!(deleted.out.trim(), "RoutingRule/buyers (acme) deleted");
    let gone = bench.run(&["get", "rule", "buyers", "--tenant", "acme"]).await;
    assert_eq!(gone.code, 1);
    assert!(gone.err.contains("heliograph get RoutingRule --tenant acme"), "{}", gone.err);
}

#[tokio::test]
async fn mistakes_have_exit_codes_of_their_own() {
    let bench = Bench::bare().await;
    let file = bench.file("acme.yaml", SAMPLE);
    let unprovisioned = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(unprovisioned.code, 78, "{}", unprovisioned.err);
    assert!(unprovisioned.err.contains("heliograph provision"), "{}", unprovisioned.err);
    assert_eq!(bench.run(&["get", "quests"]).await.code, 2);
    assert_eq!(bench.run(&["apply", "-f", "no-such-file.yaml"]).await.code, 2);

    let mut command = bench.command(&["get", "queues"]);
    let away: crate::support::Done =
        command.env("HELIOGRAPH__NATS__URL", "nats://127.0.0.1:9").output().await.unwrap().into();
    assert_eq!(away.code, 69, "{}", away.err);
    assert!(away.err.contains("127.0.0.1:9"), "{}", away.err);

    let mut command = bench.command(&["config"]);
    let unknown: crate::support::Done =
        command.env("HELIOGRAPH__NATS__ULR", "x").output().await.unwrap().into();
    assert_eq!(unknown.code, 78, "{}", unknown.err);
    assert!(unknown.err.contains("nats.url"), "{}", unknown.err);
}

#[tokio::test]
async fn a_channel_of_somebody_elses_making_may_have_accounts_where_egress_can_reach_it() {
    let bench = Bench::with_sample().await;
    let account = "apiVersion: heliograph.dev/v1
kind: ChannelAccount
metadata: { tenant: acme, name: ships }
spec: { channel: radio, settings: { frequency: 14300 } }
";
    let file = bench.file("radio.yaml", account);

    let refused = bench.run(&["apply", "-f", &file]).await;
    assert_eq!(refused.code, 65, "{}", refused.err);
    assert!(refused.err.contains("unknown channel \"radio\""), "{}", refused.err);

    let mut command = bench.command(&["apply", "-f", &file]);
    command.env("HELIOGRAPH__CHANNELS__RADIO__ENDPOINT", "http://127.0.0.1:9090");
    let applied = Done::from(command.output().await.unwrap()).ok();
    assert!(applied.out.contains("ChannelAccount/ships (acme) created"), "{}", applied.out);
}
