//! Durable before answered; once; never a 4xx for a fault of ours.

use futures::future::join_all;
use heliograph_fabric::{
    Plan, Stream,
    provision::{ProvisionOptions, provision},
};
use heliograph_proto::{Message as _, v1::InboundEvent};
use serde_json::json;

use crate::fleet::{Fleet, eventually};

fn said(id: &str, user: &str, text: &str) -> String {
    json!([{ "id": id, "user": user, "text": text }]).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_copies_are_one_event_on_the_right_subject() {
    let fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    let body = said("1", "ann", "hi");
    let answers = join_all((0..100).map(|_| fleet.post("main", "k", &body))).await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert!(answers.iter().any(|(_, body)| body == "taken"), "{answers:?}");
    assert_eq!(fleet.stored().await, 1);
    assert_eq!(fleet.post("main", "k", &body).await, (200, "known".to_owned()));

    let stream = fleet.fabric.jetstream().get_stream(Stream::Inbound.name()).await.unwrap();
    let message = stream.get_raw_message(1).await.unwrap();
    let event = InboundEvent::decode(message.payload).unwrap();
    assert_eq!((event.tenant.as_str(), event.provider_event_id.as_str()), ("acme", "1"));
    assert!(message.subject.ends_with(".acme.probe"), "{}", message.subject);
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!(header("Nats-Msg-Id"), Some(event.id));
    assert_eq!(header("ce-type").as_deref(), Some("inbound.message"));
    assert_eq!(header("ce-source").as_deref(), Some("heliograph/probe"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_request_keep_their_order() {
    let fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    let batch: Vec<_> = (0..40)
        .map(|n| json!({ "id": n.to_string(), "user": format!("user-{}", n % 4), "text": "" }))
        .collect();
    assert_eq!(fleet.post("main", "k", &json!(batch).to_string()).await.0, 200);
    let stream = fleet.fabric.jetstream().get_stream(Stream::Inbound.name()).await.unwrap();
    let mut last = [-1_i64; 4];
    for sequence in 1..=40 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        let event = InboundEvent::decode(message.payload).unwrap();
        let number: i64 = event.provider_event_id.parse().unwrap();
        let before = std::mem::replace(&mut last[usize::try_from(number % 4).unwrap()], number);
        assert!(before < number, "{before} came before {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_redis_remembers_outlives_the_brokers_window_and_its_loss_loses_nothing() {
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    let body = said("1", "ann", "hi");
    assert_eq!(fleet.post("main", "k", &body).await, (200, "taken".to_owned()));
    // A stream made anew knows no duplicates, as one whose window has passed.
    fleet.fabric.jetstream().delete_stream(Stream::Inbound.name()).await.unwrap();
    provision(&fleet.fabric, &Plan::default(), ProvisionOptions::default()).await.unwrap();
    eventually("it is remembered", async || fleet.post("main", "k", &body).await.1 == "known").await;
    let conflict = fleet.post("main", "k", &said("1", "ann", "something else")).await;
    assert_eq!(conflict.0, 409, "{}", conflict.1);
    assert!(conflict.1.contains(r#""code":"conflict""#), "{}", conflict.1);

    fleet.redis.kill9();
    assert_eq!(fleet.post("main", "k", &said("2", "ann", "hi")).await, (200, "taken".to_owned()));
    assert_eq!(fleet.post("main", "k", &said("2", "ann", "hi")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_503_and_what_was_answered_200_is_there() {
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    assert_eq!(fleet.post("main", "k", &said("1", "ann", "hi")).await.0, 200);
    fleet.nats.kill9();
    let away = fleet.request("main", "k", &said("2", "ann", "hi")).send().await.unwrap();
    assert_eq!(away.status(), 503);
    assert!(away.headers().contains_key("retry-after"));
    assert!(away.text().await.unwrap().contains("broker_away"));
    eventually("readiness fails", async || !fleet.health.is_ready()).await;

    fleet.nats.restart().await.unwrap();
    eventually("the broker is back", async || {
        fleet.post("main", "k", &said("2", "ann", "hi")).await.0 == 200
    })
    .await;
    assert_eq!(fleet.stored().await, 2);
    eventually("readiness holds", async || fleet.health.is_ready()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_are_told_what_is_wrong() {
    let fleet = Fleet::start().await;
    fleet.with_account(json!({}), None).await;
    for (account, key, body, status, code) in [
        ("main", "wrong", "[]".to_owned(), 401, "forged"),
        ("main", "k", "{".to_owned(), 400, "malformed"),
        ("main", "k", "x".repeat(5000), 413, "too_large"),
        ("other", "k", "[]".to_owned(), 404, "unknown_account"),
    ] {
        let (found, text) = fleet.post(account, key, &body).await;
        assert_eq!(found, status, "{text}");
        assert!(text.contains(&format!(r#""code":"{code}""#)), "{text}");
    }
    assert_eq!(fleet.stored().await, 0);
}
