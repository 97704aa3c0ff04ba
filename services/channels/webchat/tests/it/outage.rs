//! What happens while the broker or this process goes away.

use serde_json::json;

use crate::fleet::{DEADLINE, Fleet, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_nothing_is_acknowledged_and_nothing_is_lost() {
    let mut fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    client.say("c1", "before").await;
    client.is_quiet_after_echo().await;
    fleet.nats.kill9();
    client.send(&json!({ "t": "msg", "cid": "c2", "text": "meanwhile" })).await;
    let error = client.expect("error").await;
    assert_eq!((&error["code"], &error["cid"]), (&json!("unavailable"), &json!("c2")));
    assert!(error["retry_ms"].is_u64(), "the widget tries again");
    let outcome = tokio::time::timeout(DEADLINE, fleet.deliver(&welcome["visitor"], "d1", "later")).await;
    assert!(matches!(outcome.unwrap(), heliograph_channel::Outcome::Retry { .. }));

    fleet.nats.restart().await.unwrap();
    let ack = loop {
        client.send(&json!({ "t": "msg", "cid": "c2", "text": "meanwhile" })).await;
        let frame = loop {
            let frame = client.next().await.unwrap();
            if frame["t"] != "msg" {
                break frame;
            }
        };
        if frame["t"] == "ack" {
            break frame;
        }
    };
    assert_eq!(ack["cid"], "c2");
    eventually("both are there once", async || fleet.texts().await == ["before", "meanwhile"]).await;
    fleet.deliver(&welcome["visitor"], "d1", "later").await;
    let (mut again, _) = fleet.resume(&welcome["resume"], 0).await;
    let texts: Vec<_> = again.messages(1, 3).await.iter().map(|frame| frame["text"].clone()).collect();
    assert_eq!(texts, ["before", "meanwhile", "later"]);
    again.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_on_another_replica_during_an_outage_is_pushed_afterwards() {
    let mut fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    fleet.nats.kill9();
    fleet.nats.restart().await.unwrap();
    let other = fleet.replica().await;
    let text = heliograph_domain::content::text("after the restart");
    fleet.deliver_by(&other, &welcome["visitor"], "d1", text, std::time::Duration::ZERO).await;
    assert_eq!(client.messages(1, 1).await[0]["text"], "after the restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_says_so() {
    let fleet = Fleet::start().await;
    let (mut client, _) = fleet.visitor().await;
    let mut silent = fleet.connect().await;
    fleet.one.shutdown.drain();
    assert_eq!(client.closed().await, 1012);
    assert_eq!(silent.closed().await, 1012);
}
