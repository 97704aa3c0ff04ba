//! What is not as it should be is refused, with the code that says why.

use std::time::Duration;

use heliograph_channel_webchat::Options;
use serde_json::json;

use crate::{
    client::Client,
    fleet::{Fleet, SHOP},
};

#[tokio::test(flavor = "multi_thread")]
async fn origins_are_checked_before_the_upgrade() {
    let fleet = Fleet::start().await;
    for bad in [Some("https://evil.test"), Some("null"), Some("http://shop.test"), None] {
        assert_eq!(Client::connect(fleet.one.addr, bad).await.err(), Some(403), "{bad:?}");
    }
    for good in [SHOP, "https://chat.test"] {
        assert!(Client::connect(fleet.one.addr, Some(good)).await.is_ok(), "{good}");
    }
    let own = format!("http://{}", fleet.one.addr);
    assert!(Client::connect(fleet.one.addr, Some(&own)).await.is_ok());
    let answer = fleet.http.get(fleet.url("ws")).header("origin", SHOP).send().await.unwrap();
    assert!(answer.status().is_client_error());
    let url = fleet.url("ws").replace("/shop/", "/none/");
    assert_eq!(fleet.http.get(url).send().await.unwrap().status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_cannot_be_read_end_the_connection() {
    let fleet = Fleet::start().await;
    let huge = json!({ "t": "msg", "cid": "c", "text": "x".repeat(70_000) }).to_string();
    for bad in ["not json", "[]", "{\"t\":1}", "{\"t\":\"msg\"}", "{\"t\":\"hello\",\"v\":1}", &huge] {
        let (mut client, _) = fleet.visitor().await;
        client.send_text(bad.to_owned()).await;
        assert_eq!(client.closed().await, 4400, "{}", &bad[..bad.len().min(40)]);
    }
    for bad in ["not json", "{\"t\":\"ping\"}", "{\"t\":\"hello\",\"v\":2}", "{\"t\":\"hello\"}", &huge] {
        let mut client = fleet.connect().await;
        client.send_text(bad.to_owned()).await;
        assert_eq!(client.closed().await, 4400, "{}", &bad[..bad.len().min(40)]);
    }
    let (mut client, _) = fleet.visitor().await;
    client.send_text("{\"t\":\"from the future\",\"x\":[1]}".to_owned()).await;
    client.is_quiet().await;
    assert!(fleet.inbound().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_cannot_be_taken_are_told_so() {
    let fleet = Fleet::start().await;
    let (mut client, _) = fleet.visitor().await;
    let long = "x".repeat(10_001);
    for (msg, code) in [
        (json!({ "t": "msg", "cid": "c1", "text": long }), "text_too_long"),
        (json!({ "t": "msg", "cid": "c2", "text": "  " }), "bad_frame"),
        (json!({ "t": "msg", "cid": "c3", "attachments": ["med_0.00"] }), "bad_frame"),
    ] {
        client.send(&msg).await;
        let error = client.expect("error").await;
        assert_eq!((&error["cid"], &error["code"]), (&msg["cid"], &json!(code)));
        assert!(error.get("retry_ms").is_none(), "trying again is of no use");
    }
    assert_eq!(client.say("c4", &"ü".repeat(10_000)).await["seq"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_has_to_come_in_time() {
    let options = Options { hello_within: Duration::from_millis(100), ..Options::default() };
    let fleet = Fleet::start_with(json!({}), options).await;
    assert_eq!(fleet.connect().await.closed().await, 4408);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_silent_for_too_long_is_gone() {
    let (ping_every, idle_after) = (Duration::from_millis(50), Duration::ZERO);
    let fleet = Fleet::start_with(json!({}), Options { ping_every, idle_after, ..Options::default() }).await;
    let (mut client, _) = fleet.visitor().await;
    assert_eq!(client.closed().await, 1001);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_too_fast_has_to_wait_and_loses_nothing() {
    let fleet = Fleet::start_with(json!({ "msg_per_10s": 2 }), Options::default()).await;
    let (mut client, _) = fleet.visitor().await;
    client.say("c1", "1").await;
    client.say("c2", "2").await;
    client.is_quiet_after_echo().await;
    client.send(&json!({ "t": "msg", "cid": "c3", "text": "3" })).await;
    let error = client.expect("error").await;
    assert_eq!((&error["code"], &error["cid"]), (&json!("rate_limited"), &json!("c3")));
    assert!(error["retry_ms"].as_u64().unwrap() <= 5_000);
    // A repetition of what was taken costs nothing.
    client.say("c2", "2").await;
    assert_eq!(fleet.texts().await, ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_sessions_of_one_network_are_limited() {
    let fleet = Fleet::start_with(json!({ "sessions_per_minute": 2 }), Options::default()).await;
    let (_, welcome) = fleet.visitor().await;
    let _second = fleet.visitor().await;
    let mut third = fleet.connect().await;
    third.say_hello(&json!({})).await;
    assert_eq!(third.closed().await, 4429);
    // Who was here before is not new.
    fleet.resume(&welcome["resume"], 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_small_frames_is_ended() {
    let fleet = Fleet::start_with(json!({ "msg_per_10s": 1 }), Options::default()).await;
    let (mut client, _) = fleet.visitor().await;
    for _ in 0..101 {
        client.send(&json!({ "t": "read", "up_to": 1 })).await;
    }
    assert_eq!(client.closed().await, 4429);
}
