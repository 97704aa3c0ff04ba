//! `policy explain`.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::Bench;

#[tokio::test]
async fn each_region_is_explained() {
    let bench = Bench::with_sample().await;
    let mut told = String::new();
    for (from, channel) in [
        ("+12125550100", "sms"),
        ("+5511987654321", "sms"),
        ("oCustomerOfAcme", "wechat"),
        ("fletcher", "bottle"),
    ] {
        let args = ["policy", "explain", "--tenant", "acme", "--from", from, "--channel", channel];
        let explained = bench.run(&args).await.ok();
        writeln!(told, "{from} by {channel}: {}", explained.out).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[tokio::test]
async fn a_verdict_is_json_too_and_needs_no_broker_for_a_file() {
    let bench = Bench::bare().await;
    let file = bench.file("acme.yaml", crate::support::SAMPLE);
    let args = [
        "policy",
        "explain",
        "--tenant",
        "acme",
        "--from",
        "+5511987654321",
        "--channel",
        "sms",
        "--json",
        "-f",
        &file,
    ];
    let mut command = bench.command(&args);
    let explained: crate::support::Done =
        command.env("HELIOGRAPH__NATS__URL", "nats://127.0.0.1:9").output().await.unwrap().into();
    let verdict: Value = serde_json::from_str(&explained.ok().out).unwrap();
    assert_eq!(verdict["outcome"], "OUTCOME_DENY");
    assert_eq!(verdict["region"]["name"], "latam-europe");
    assert_eq!(verdict["fired"][0]["code"], "policy.region.forbids");

    let unknown = ["policy", "explain", "--tenant", "nobody", "--from", "x", "-f", &file];
    assert_eq!(bench.run(&unknown).await.code, 65);
}
