//! Visitors are told how they wait, from the public stream.

use std::time::Duration;

use heliograph_domain::content::CALL_BACK;
use heliograph_fabric::{Envelope, subjects};
use heliograph_proto::v1::{
    Address, Answer, Choice, Content, ConversationPosition, Event, Option as Button, QueuePlace, Told,
    content::Kind, event::Payload, inbound_event, option::Action,
};
use serde_json::{Value, json};

use crate::fleet::{Fleet, SHOP};

/// What the router publishes.
fn position(visitor: &Value, id: &str, position: i32) -> Event {
    let address = Address {
        channel: "webchat".to_owned(),
        account: "shop".to_owned(),
        user_id: visitor.as_str().unwrap().to_owned(),
        ..Address::default()
    };
    let option = Button {
        id: CALL_BACK.to_owned(),
        title: "Call me back".to_owned(),
        action: Some(Action::Answer(Answer { payload: "2026-03-02T09:00:00Z".to_owned() })),
        ..Button::default()
    };
    let choice = Choice { body: format!("number {position}"), options: vec![option], ..Choice::default() };
    let told = Told {
        message_id: format!("msg_{id}"),
        address: Some(address),
        content: Some(Content { kind: Some(Kind::Choice(choice)) }),
    };
    let place = QueuePlace { position, estimated_wait_seconds: Some(90), ..QueuePlace::default() };
    Event {
        id: format!("evt_{id}"),
        r#type: "conversation.position".to_owned(),
        tenant: "acme".to_owned(),
        told: Some(told.into()),
        payload: Some(Payload::ConversationPosition(ConversationPosition { place: Some(place) })),
        ..Event::default()
    }
}

async fn publish(fleet: &Fleet, event: &Event) {
    let subject = subjects::event("acme", "", "webchat", "cnv_1", &event.r#type).unwrap();
    let envelope = Envelope::of(&event.id, &event.r#type, "test", heliograph_store::now_ms(), event);
    fleet.one.fabric().publish(&subject, &envelope, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_place_is_in_the_visitors_log_and_its_choice_comes_back() {
    let fleet = Fleet::start().await;
    let (mut client, welcome) = fleet.visitor().await;
    let visitor = &welcome["visitor"];
    // What was decided before anybody tells it is of no use: the first that is heard shows that somebody does.
    let first = async {
        for id in 0.. {
            publish(&fleet, &position(visitor, &format!("first-{id}"), 9)).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        _ = client.expect("msg") => {}
        () = first => unreachable!(),
    }
    publish(&fleet, &position(visitor, "p3", 3)).await;
    let told = loop {
        let frame = client.expect("msg").await;
        if frame["id"] == "msg_p3" {
            break frame;
        }
    };
    assert_eq!((&told["from"]["kind"], &told["text"]), (&json!("system"), &json!("number 3")));
    assert_eq!(told["waiting"], json!({ "state": "queued", "position": 3, "wait_s": 90 }));
    assert_eq!(told["choices"], json!([{ "id": CALL_BACK, "title": "Call me back" }]));
    // Told again, as after a crash, it is there once.
    publish(&fleet, &position(visitor, "p3", 3)).await;
    publish(&fleet, &position(visitor, "p2", 2)).await;
    assert_eq!(client.expect("msg").await["id"], "msg_p2");

    let choice = json!({ "id": CALL_BACK, "title": "Call me back" });
    let msg = json!({ "t": "msg", "cid": "c1", "choice": choice, "reply_to": "msg_p2" });
    client.send(&msg).await;
    while client.next().await.unwrap()["t"] != "ack" {}
    let chosen = fleet.inbound().await.into_iter().find_map(|event| match event.kind {
        Some(inbound_event::Kind::Message(message)) => match message.content?.kind? {
            Kind::Selection(selection) => Some(selection),
            _ => None,
        },
        _ => None,
    });
    let chosen = chosen.unwrap();
    assert_eq!((chosen.option_id.as_str(), chosen.payload.as_str()), (CALL_BACK, "2026-03-02T09:00:00Z"));

    // Nobody asks for a receipt of what was told, and a page that is loaded again shows the last word alone.
    client.send(&json!({ "t": "read", "up_to": told["seq"] })).await;
    let token = welcome["resume"].as_str().unwrap();
    let history = fleet.http.get(fleet.url("history?before=1000")).header("origin", SHOP).bearer_auth(token);
    let body: Value = history.send().await.unwrap().json().await.unwrap();
    let waiting =
        body["messages"].as_array().unwrap().iter().filter(|message| message["waiting"].is_object());
    assert_eq!(waiting.map(|message| message["id"].clone()).collect::<Vec<_>>(), [json!("msg_p2")]);
    let receipts = fleet
        .inbound()
        .await
        .into_iter()
        .filter(|event| matches!(event.kind, Some(inbound_event::Kind::Receipt(_))));
    assert_eq!(receipts.count(), 0);
}
