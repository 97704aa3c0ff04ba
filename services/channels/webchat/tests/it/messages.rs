//! What visitors say becomes durable once, and is acknowledged then.

use std::time::Duration;

use heliograph_channel_webchat::Options;
use heliograph_proto::v1::{ReceiptState, content::Kind as ContentKind, inbound_event::Kind};
use serde_json::json;

use crate::fleet::{Fleet, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_an_event_and_then_acknowledged() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    assert_eq!((&welcome["seq"], &welcome["verified"]), (&json!(0), &json!(false)));
    assert_eq!(welcome["limits"]["upload_bytes"], 20_971_520);
    client.send(&json!({ "t": "msg", "cid": "c1", "text": "Grüß Gott", "attachments": [] })).await;
    // Its own message comes by way of the log as well, in either order.
    let frames = [client.next().await.unwrap(), client.next().await.unwrap()];
    let ack = frames.iter().find(|frame| frame["t"] == "ack").unwrap();
    let echo = frames.iter().find(|frame| frame["t"] == "msg").unwrap();
    assert_eq!((&ack["cid"], &ack["seq"]), (&json!("c1"), &json!(1)));
    assert_eq!((&echo["cid"], &echo["id"], &echo["at"]), (&json!("c1"), &ack["id"], &ack["at"]));

    let events = fleet.inbound().await;
    let [event] = &events[..] else { panic!("one event: {events:?}") };
    let address = event.address.as_ref().unwrap();
    assert_eq!(address.user_id, welcome["visitor"].as_str().unwrap());
    assert_eq!((address.locale.as_str(), address.verified), ("de-AT", false));
    let Some(Kind::Message(message)) = &event.kind else { panic!("a message") };
    assert_eq!(message.id, ack["id"].as_str().unwrap());
    assert_eq!(message.metadata["page_url"], "https://shop.test/cart");
    assert_eq!(fleet.texts().await, ["Grüß Gott"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_repeated_is_one_message() {
    let options = Options { duplicate_window: Duration::from_millis(100), ..Options::default() };
    let fleet = Fleet::start_with(json!({}), options).await;
    let (mut client, welcome) = fleet.visitor().await;
    let first = client.say("c1", "once").await;
    assert_eq!(client.say("c1", "once").await, first);
    drop(client);
    fleet.broker_forgets().await;
    let (mut client, welcome) = fleet.resume(&welcome["resume"], 0).await;
    assert_eq!(client.say("c1", "once").await, first);
    // On another replica that has never heard of it, too.
    let other = fleet.replica().await;
    let mut elsewhere = crate::client::Client::connect(other.addr, Some(crate::fleet::SHOP)).await.unwrap();
    elsewhere.hello(&json!({ "resume": welcome["resume"], "last_seq": 1 })).await;
    assert_eq!(elsewhere.say("c1", "once").await, first);
    assert_eq!(fleet.texts().await, ["once"]);
    assert_eq!(client.say("c2", "twice").await["seq"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_number_one_log_without_gaps() {
    let fleet = Fleet::start().await;
    let other = fleet.replica().await;
    let (mut here, welcome) = fleet.visitor().await;
    let mut there = crate::client::Client::connect(other.addr, Some(crate::fleet::SHOP)).await.unwrap();
    there.hello(&json!({ "resume": welcome["resume"], "last_seq": 0 })).await;
    let talk = async |client: &mut crate::client::Client, name: &str| {
        let mut numbers = Vec::new();
        for index in 0..20 {
            let ack = client.say(&format!("{name}-{index}"), &format!("{name} {index}")).await;
            numbers.push(ack["seq"].as_u64().unwrap());
        }
        numbers
    };
    let (mut numbers, more) = tokio::join!(talk(&mut here, "here"), talk(&mut there, "there"));
    assert!(numbers.is_sorted() && more.is_sorted());
    numbers.extend(more);
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    // A third sees all of it in order.
    let (mut third, _) = fleet.resume(&welcome["resume"], 0).await;
    third.messages(1, 40).await;
    assert_eq!(fleet.texts().await.len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_comes_back_with_what_its_button_carries() {
    use heliograph_proto::v1::{Answer, Choice, Content, Option as Button, option::Action};
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    let option = |id: &str, title: &str, action| Button {
        id: id.to_owned(),
        title: title.to_owned(),
        action: Some(action),
        ..Button::default()
    };
    let choice = Choice {
        body: "Which one?".to_owned(),
        options: vec![
            option("a", "Lamp", Action::Answer(Answer { payload: "sku-1".to_owned() })),
            option("b", "Our shop", Action::Url("https://shop.test".to_owned())),
        ],
        ..Choice::default()
    };
    let content = Content { kind: Some(ContentKind::Choice(choice)) };
    fleet.deliver_by(&fleet.one, &welcome["visitor"], "d1", content, std::time::Duration::ZERO).await;
    let asked = client.expect("msg").await;
    assert_eq!(asked["choices"], json!([{ "id": "a", "title": "Lamp" }]));
    assert_eq!(asked["text"], "Which one?\nOur shop: https://shop.test");
    client
        .send(&json!({
            "t": "msg", "cid": "c1", "text": "Lamp", "choice": { "id": "a", "title": "Lamp" },
            "reply_to": asked["id"],
        }))
        .await;
    eventually("the selection is an event", async || !fleet.inbound().await.is_empty()).await;
    let events = fleet.inbound().await;
    let Some(Kind::Message(message)) = &events[0].kind else { panic!("a message") };
    let Some(ContentKind::Selection(selection)) = &message.content.as_ref().unwrap().kind else {
        panic!("a selection")
    };
    assert_eq!((selection.option_id.as_str(), selection.payload.as_str()), ("a", "sku-1"));
    assert_eq!(selection.question.as_ref().unwrap().message_id, "msg_d1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrived_and_was_read_is_reported_once() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    for id in ["d1", "d2"] {
        fleet.deliver(&welcome["visitor"], id, id).await;
    }
    client.messages(1, 2).await;
    for frame in [
        json!({ "t": "got", "up_to": 1 }),
        json!({ "t": "got", "up_to": 2 }),
        json!({ "t": "got", "up_to": 1 }),
        json!({ "t": "read", "up_to": 2 }),
        json!({ "t": "read", "up_to": 2 }),
        // More than there is counts as what there is.
        json!({ "t": "got", "up_to": 99 }),
    ] {
        client.send(&frame).await;
    }
    client.is_quiet().await;
    drop(client);
    // After a reconnect the widget says it again.
    let (mut client, _) = fleet.resume(&welcome["resume"], 2).await;
    client.send(&json!({ "t": "got", "up_to": 2 })).await;
    client.is_quiet().await;
    let events = fleet.inbound().await;
    let receipts: Vec<(ReceiptState, String, String)> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Some(Kind::Receipt(receipt)) => {
                Some((receipt.state(), receipt.message_id.clone(), receipt.correlation.clone()))
            }
            _ => None,
        })
        .collect();
    let expected = [
        (ReceiptState::Delivered, "d1"),
        (ReceiptState::Delivered, "d2"),
        (ReceiptState::Read, "d1"),
        (ReceiptState::Read, "d2"),
    ]
    .map(|(state, id)| (state, format!("msg_{id}"), format!("cor-{id}")));
    assert_eq!(receipts, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_goes_on_at_most_every_few_seconds() {
    let fleet = Fleet::start().await;
    let (mut client, _) = fleet.visitor().await;
    for _ in 0..5 {
        client.send(&json!({ "t": "typing", "on": true })).await;
    }
    client.send(&json!({ "t": "typing", "on": false })).await;
    eventually("both are events", async || fleet.inbound().await.len() >= 2).await;
    client.say("c1", "done").await;
    let events = fleet.inbound().await;
    let mut typing: Vec<bool> = events
        .iter()
        .filter_map(|event| match &event.kind {
            Some(Kind::Typing(typing)) => Some(typing.on),
            _ => None,
        })
        .collect();
    typing.sort_unstable();
    assert_eq!(typing, [false, true]);
}
