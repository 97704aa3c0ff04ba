//! Deliveries reach visitors wherever and whenever they are connected, once.

use std::time::Duration;

use heliograph_channel::{Carrier as _, Outcome};
use heliograph_channel_webchat::Options;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, CallSignal, Content, SignalRequest, Typing, content::Kind, signal_request::Signal,
};
use serde_json::{Value, json};

use crate::{
    client::Client,
    fleet::{Fleet, SHOP},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_socket_of_a_visitor_sees_every_message() {
    let fleet = Fleet::start().await;
    let other = fleet.replica().await;
    let (mut here, welcome) = fleet.visitor().await;
    let (mut tab, welcome) = fleet.resume(&welcome["resume"], 0).await;
    let mut there = Client::connect(other.addr, Some(SHOP)).await.unwrap();
    there.hello(&json!({ "resume": welcome["resume"], "last_seq": 0 })).await;

    assert_eq!(fleet.deliver(&welcome["visitor"], "d1", "Hello").await, Outcome::delivered("msg_d1"));
    for client in [&mut here, &mut tab, &mut there] {
        let frame = client.expect("msg").await;
        assert_eq!(
            (&frame["seq"], &frame["id"], &frame["text"]),
            (&json!(1), &json!("msg_d1"), &json!("Hello"))
        );
        assert_eq!(frame["from"], json!({ "kind": "agent", "name": "Ann" }));
    }
    // What one of them says shows on the others, with its cid.
    there.say("c1", "Hi").await;
    for client in [&mut here, &mut tab] {
        let frame = client.expect("msg").await;
        assert_eq!(
            (&frame["seq"], &frame["cid"], &frame["from"]["kind"]),
            (&json!(2), &json!("c1"), &json!("customer"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_is_away_finds_everything_on_coming_back() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    client.say("c1", "Anybody there?").await;
    drop(client);
    for id in 0..30 {
        fleet.deliver(&welcome["visitor"], &format!("d{id}"), &format!("answer {id}")).await;
    }
    let (mut client, again) = fleet.resume(&welcome["resume"], 1).await;
    assert_eq!((&again["visitor"], &again["seq"]), (&welcome["visitor"], &json!(31)));
    let texts: Vec<Value> = client.messages(2, 31).await.iter().map(|frame| frame["text"].clone()).collect();
    assert_eq!(texts, (0..30).map(|id| json!(format!("answer {id}"))).collect::<Vec<_>>());
    client.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_while_the_line_breaks_are_neither_lost_nor_doubled() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    let visitor = welcome["visitor"].clone();
    let speaking = async {
        for id in 0..100 {
            fleet.deliver(&visitor, &format!("d{id}"), &format!("{id}")).await;
        }
    };
    let listening = async {
        let (mut seen, mut token) = (0, welcome["resume"].clone());
        while seen < 100 {
            for _ in 0..(7.min(100 - seen)) {
                seen += 1;
                let frame = client.expect("msg").await;
                assert_eq!((&frame["seq"], &frame["text"]), (&json!(seen), &json!((seen - 1).to_string())));
            }
            drop(client);
            let welcome;
            (client, welcome) = fleet.resume(&token, seen).await;
            token = welcome["resume"].clone();
        }
        client.is_quiet().await;
    };
    tokio::join!(speaking, listening);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_is_repeated_is_absorbed() {
    let options = Options { duplicate_window: Duration::from_millis(100), ..Options::default() };
    let fleet = Fleet::start_with(json!({}), options).await;
    let (mut client, welcome) = fleet.visitor().await;
    let visitor = &welcome["visitor"];
    let old = Duration::from_hours(3);
    let delivered = Outcome::delivered("msg_d1");
    assert_eq!(fleet.deliver(visitor, "d1", "one").await, delivered);
    assert_eq!(fleet.deliver_by(&fleet.one, visitor, "d1", content::text("one"), old).await, delivered);
    // When the broker has forgotten it, with and without the visitor's log at hand.
    fleet.broker_forgets().await;
    assert_eq!(fleet.deliver_by(&fleet.one, visitor, "d1", content::text("one"), old).await, delivered);
    let other = fleet.replica().await;
    assert_eq!(fleet.deliver_by(&other, visitor, "d1", content::text("one"), old).await, delivered);
    assert_eq!(
        fleet.deliver_by(&other, visitor, "d2", content::text("two"), old).await,
        Outcome::delivered("msg_d2")
    );
    client.messages(1, 2).await;
    client.is_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_shown_fails_for_good() {
    let fleet = Fleet::start().await;
    let call = Content { kind: Some(Kind::CallSignal(CallSignal::default())) };
    let outcome = fleet.deliver_by(&fleet.one, &json!("v_1"), "d1", call, Duration::ZERO).await;
    assert!(
        matches!(outcome, Outcome::Permanent { ref code, .. } if code == "unsupported_content"),
        "{outcome:?}"
    );
    for stranger in ["", "x", "v_>", "v_*", "v_a.b", "V_A"] {
        let outcome = fleet.deliver(&json!(stranger), "d1", "x").await;
        assert!(
            matches!(outcome, Outcome::Permanent { ref code, .. } if code == "unknown_visitor"),
            "{stranger}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_who_types_is_shown_on_every_replica_and_not_stored() {
    let fleet = Fleet::start().await;
    let other = fleet.replica().await;
    let (mut client, welcome) = fleet.visitor().await;
    let signal = SignalRequest {
        tenant: "acme".to_owned(),
        account: "shop".to_owned(),
        address: Some(Address {
            user_id: welcome["visitor"].as_str().unwrap().to_owned(),
            ..Address::default()
        }),
        signal: Some(Signal::Typing(Typing { on: true })),
    };
    assert!(other.chat.signal(&fleet.account(), signal).await);
    let frame = client.expect("typing").await;
    assert_eq!(
        (&frame["from"], &frame["on"], &frame["ttl_ms"]),
        (&json!("agent"), &json!(true), &json!(6000))
    );
    let (mut client, _) = fleet.resume(&welcome["resume"], 0).await;
    client.is_quiet().await;
}
