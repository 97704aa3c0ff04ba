//! What a batch may hold besides what is signed for.

use heliograph_channel::{Received, Webhook as _, WebhookRequest};
use heliograph_channel_whatsapp::WhatsApp;
use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{raw_account, sign};

fn received(change: &Value) -> Vec<InboundEvent> {
    whole(change).events
}

fn whole(change: &Value) -> Received {
    let body =
        json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [change] }] });
    let raw = raw_account(&json!({}));
    let mut request = WebhookRequest {
        method: Method::POST,
        path: String::new(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 1_762_800_001_000,
    };
    sign(&raw, &mut request);
    WhatsApp.receive(&raw.load().unwrap(), &request).unwrap()
}

#[test]
fn of_what_no_event_can_hold_its_size_is_kept() {
    for (length, kept) in [(1000, true), (300 * 1024, false)] {
        let history = "x".repeat(length);
        let events = received(&json!({ "field": "history", "value": { "history": [history] } }));
        let [event] = events.as_slice() else { panic!("not one event") };
        assert!(matches!(&event.kind, Some(Kind::Unknown(unknown)) if unknown.kind == "history"));
        let raw: Value = serde_json::from_slice(&event.raw.as_ref().unwrap().body).unwrap();
        assert_eq!(raw["omitted_bytes"].is_null(), kept, "{length}");
        assert_eq!(raw["entry"][0]["changes"][0]["value"]["history"].is_array(), kept, "{length}");
    }
}

#[test]
fn a_profile_of_somebody_else_is_not_taken_for_the_customers() {
    let with = |contact: Value| {
        let message = json!({
            "from": "16505551234", "id": "wamid.1", "timestamp": "1", "type": "text", "text": { "body": "x" },
        });
        let value = json!({ "contacts": [contact], "messages": [message] });
        let events = received(&json!({ "field": "messages", "value": value }));
        let address = events[0].address.clone().unwrap();
        (address.user_id, address.display_name)
    };
    let named = |id: Value| {
        let mut contact = json!({ "profile": { "name": "Ann" } });
        contact.as_object_mut().unwrap().extend(id.as_object().unwrap().clone());
        with(contact)
    };
    let own = |id: &str, name: &str| (id.to_owned(), name.to_owned());
    assert_eq!(named(json!({ "wa_id": "16505551234" })), own("16505551234", "Ann"));
    assert_eq!(named(json!({ "wa_id": "16505551234", "user_id": "US.1" })), own("US.1", "Ann"));
    assert_eq!(named(json!({ "user_id": "US.1" })), own("US.1", "Ann"));
    assert_eq!(named(json!({ "wa_id": "12125550142", "user_id": "US.2" })), own("16505551234", ""));
}

#[test]
fn what_was_written_last_is_what_typing_is_shown_upon() {
    let message = |id: &str, kind: &str, said: Value| json!({ "from": "16505551234", "id": id, "timestamp": "1", "type": kind, kind: said });
    let value = json!({ "messages": [
        message("wamid.1", "text", json!({ "body": "one" })),
        message("wamid.2", "text", json!({ "body": "two" })),
        message("wamid.3", "reaction", json!({ "message_id": "wamid.0", "emoji": "👍" })),
        message("wamid.4", "hologram", json!({})),
    ] });
    let received = whole(&json!({ "field": "messages", "value": value }));
    let kept: Vec<_> =
        received.replies.iter().map(|reply| (reply.user_id.as_str(), reply.value.expose_secret())).collect();
    assert_eq!(kept, [("16505551234", "wamid.1"), ("16505551234", "wamid.2")]);
}
