//! `fixtures/vectors.json`: what `pywa` signs is accepted, and nothing that differs from it.

use heliograph_channel::{Account, Refusal, Webhook as _, WebhookRequest};
use heliograph_channel_whatsapp::{WhatsApp, WhatsAppSettings};
use heliograph_domain::content;
use heliograph_proto::v1::inbound_event::Kind;
use http::{HeaderMap, HeaderName, Method};
use serde_json::{Value, json};

use crate::support::raw_account;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap()
}

fn account(vector: &Value) -> Account<WhatsAppSettings> {
    let mut raw = raw_account(&json!({}));
    for (name, value) in vector["secrets"].as_object().unwrap() {
        raw.secrets.add(name.as_str(), value.as_str().unwrap().into());
    }
    raw.load().unwrap()
}

fn request(vector: &Value) -> WebhookRequest {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in vector["query"].as_object().into_iter().flatten() {
        query.append_pair(name, value.as_str().unwrap());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in vector["headers"].as_object().into_iter().flatten() {
        headers.insert(name.parse::<HeaderName>().unwrap(), value.as_str().unwrap().parse().unwrap());
    }
    WebhookRequest {
        method: if vector["query"].is_object() { Method::GET } else { Method::POST },
        path: String::new(),
        query: query.finish(),
        headers,
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms: 1_762_800_001_000,
    }
}

#[test]
fn signed_bodies_are_read_and_others_refused() {
    let mut checked = 0;
    for vector in vectors().iter().filter(|vector| vector["expected"]["valid"].is_boolean()) {
        let received = WhatsApp.receive(&account(vector), &request(vector));
        if vector["expected"]["valid"] == true {
            let events = received.unwrap().events;
            let Some(Kind::Message(message)) = &events[0].kind else { panic!("not a message") };
            let said = content::preview(message.content.as_ref().unwrap());
            assert_eq!(said, "Grüße 👍 https://example.com/a");
            assert_eq!(message.address.as_ref().unwrap().user_id, "US.13491208655302741918");
            assert_eq!(message.address.as_ref().unwrap().phone, "+16505551234");
        } else {
            assert!(matches!(received, Err(Refusal::Forged(_))), "{}", vector["name"]);
        }
        checked += 1;
    }
    assert_eq!(checked, 3);
}

#[test]
fn the_handshake_is_answered_with_its_challenge() {
    let all = vectors();
    let vector = all.iter().find(|vector| vector["query"].is_object()).unwrap();
    let received = WhatsApp.receive(&account(vector), &request(vector)).unwrap();
    assert_eq!(received.answer.body, vector["expected"]["body"].as_str().unwrap());
    let mut forged = request(vector);
    forged.query = forged.query.replace("fake-verify-token", "guessed");
    assert!(matches!(WhatsApp.receive(&account(vector), &forged), Err(Refusal::Forged(_))));
}
