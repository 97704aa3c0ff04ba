//! Batches of anything: siblings are kept, and what is kept does not outgrow what came.

use heliograph_channel::{Account, Webhook as _, WebhookRequest};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};
use http::HeaderMap;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::conformance::{PAGE, raw};

fn receive(body: &Value) -> Vec<InboundEvent> {
    let account: Account<MessengerSettings> = raw(json!({ "page_id": PAGE })).load().unwrap();
    let body = body.to_string();
    let signature = heliograph_graph::sign(&"made-up-app-secret".into(), body.as_bytes()).parse().unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(heliograph_graph::SIGNATURE, signature);
    let request = WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: body.into(),
        now_ms: 1_762_800_001_000,
    };
    Messenger.receive(&account, &request).unwrap().events
}

fn batch(items: &[Value]) -> Value {
    json!({ "object": "page", "entry": [{ "id": PAGE, "time": 1, "messaging": items }] })
}

fn said(mid: &str) -> Value {
    item("message", &json!({ "mid": mid, "text": "hi" }))
}

fn item(kind: &str, value: &Value) -> Value {
    json!({ "sender": { "id": "7" }, "recipient": { "id": PAGE }, "timestamp": 1, kind: value })
}

fn kept(events: &[InboundEvent]) -> usize {
    events.iter().filter_map(|event| event.raw.as_ref()).map(|raw| raw.body.len()).sum()
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("mid".to_owned()),
        Just("text".to_owned()),
        Just("payload".to_owned()),
        Just("attachments".to_owned()),
        Just("type".to_owned()),
        Just("url".to_owned()),
        Just("watermark".to_owned()),
        Just("mids".to_owned()),
        Just("action".to_owned()),
        Just("is_deleted".to_owned()),
        Just("reply_to".to_owned()),
        "[a-z]{1,5}",
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map(names.clone(), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

const KINDS: [&str; 9] =
    ["message", "postback", "reaction", "message_edit", "read", "delivery", "optin", "referral", "new"];

proptest! {
    #[test]
    fn whatever_stands_between_them_both_messages_arrive(kind in 0..KINDS.len(), odd in anything(), bare in any::<bool>()) {
        let between = if bare { odd } else { item(KINDS[kind], &odd) };
        let events = receive(&batch(&[said("m_1"), between, said("m_2")]));
        for mid in ["m_1", "m_2"] {
            let found = events.iter().any(|event| {
                matches!(&event.kind, Some(Kind::Message(message)) if message.provider_message_id == mid)
            });
            prop_assert!(found, "{} is lost", mid);
        }
        prop_assert!(events.len() >= 3);
        prop_assert!(events.iter().all(|event| event.kind.is_some() && !event.provider_event_id.is_empty()));
    }
}

#[test]
fn what_is_around_items_and_receipts_is_kept_once() {
    let large = "x".repeat(10_000);
    let items: Vec<Value> = (0..200).map(|n| said(&format!("m_{n}"))).collect();
    let mut body = batch(&items);
    body["new"] = large.as_str().into();
    body["entry"][0]["also_new"] = large.as_str().into();
    let events = receive(&body);
    assert_eq!(events.len(), 200);
    assert!((20_000..25_000).contains(&kept(&events)), "{}", kept(&events));

    let mids: Vec<String> = (0..200).map(|n| format!("m_{n}")).collect();
    let mut delivery = item("delivery", &json!({ "mids": mids, "watermark": 1 }));
    delivery["new"] = large.as_str().into();
    let events = receive(&batch(&[delivery]));
    assert_eq!(events.len(), 200);
    assert!((10_000..20_000).contains(&kept(&events)), "{}", kept(&events));
}

#[test]
fn what_is_no_id_is_taken_for_none() {
    let events = receive(&batch(&[said(&"m".repeat(10_000)), said("m_1")]));
    let Some(Kind::Unknown(unknown)) = &events[0].kind else { panic!("not unknown") };
    assert_eq!(unknown.kind, "unreadable.message");
    assert!(matches!(&events[1].kind, Some(Kind::Message(_))));
}
