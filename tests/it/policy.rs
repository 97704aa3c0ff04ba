//! The sample policy, at the edge: where a channel is not the region's, the verdict says so and why.

use std::sync::Arc;

use heliograph_proto::v1::{event::Payload, verdict::Outcome};
use heliograph_tests::{agent::Agent, fleet::Fleet};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_region_has_its_channels_and_a_denial_has_its_reason() {
    let fleet = Fleet::start(&["sms", "bottle", "router", "egress", "desk"]).await;
    let agent =
        Agent::start(&fleet.grpc("desk"), "ann", "ann", Arc::new(|_, text| Some(format!("{text} yourself"))))
            .await;

    // +55 is Brazil: WhatsApp first, web chat and e-mail else; never SMS.
    fleet.sandbox.customer("acme-us", "+5511987654321", "Bia").say("oi").await;
    fleet.sandbox.customer("acme-us", "+12125550100", "Amy").say("hi").await;
    fleet.sandbox.customer("acme-islands", "pitcairn-1", "Fletcher").say("ahoy").await;
    agent.wait("all of them", |seen| (seen.count() >= 3).then_some(())).await;

    let lines = fleet.cli(&["tail", "--json", "--from", "start", "--no-follow"]).await;
    let denied =
        lines.lines().find(|line| line.contains("+5511987654321") && line.contains("message.received"));
    let denied: serde_json::Value =
        serde_json::from_str(denied.expect("the denied message is kept")).unwrap();
    let event = if denied.get("event").is_some() { &denied["event"] } else { &denied };
    assert_eq!(event["region"], "latam-europe");
    let verdict = &event["messageReceived"]["verdict"];
    assert_eq!(verdict["outcome"], "OUTCOME_DENY", "{verdict}");
    let codes = verdict["fired"].to_string();
    assert!(codes.contains("policy.region.forbids"), "{codes}");

    // She is offered to the agent, who sees why she cannot be answered: she has no address on a channel she may have.
    let refused = agent
        .wait("the refusal", |seen| {
            seen.newest(|event| match &event.payload {
                Some(Payload::MessageRefused(it)) => it.verdict.clone(),
                _ => None,
            })
        })
        .await;
    assert_eq!(refused.outcome(), Outcome::Deny);
    assert!(refused.fired.iter().any(|reason| reason.code == "policy.region.forbids"), "{refused:?}");
    let sent = fleet.sandbox.wait_for(|sent| (sent.len() >= 2).then(|| sent.to_vec())).await;
    assert!(sent.iter().all(|sent| sent.user_id != "+5511987654321"), "{sent:?}");

    let explained = fleet
        .cli(&["policy", "explain", "--tenant", "acme", "--from", "+5511987654321", "--channel", "sms"])
        .await;
    assert!(explained.to_lowercase().contains("deny"), "{explained}");
    assert!(explained.contains("latam-europe"), "{explained}");
}
