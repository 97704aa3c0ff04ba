//! `fixtures/vectors.json`: a signature beside its older sibling, and the proof of a token.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Provider as _, RawAccount, Refusal, Webhook as _, WebhookRequest,
};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use heliograph_domain::content;
use heliograph_proto::v1::{Message, inbound_event::Kind};
use serde_json::{Value, json};

use crate::conformance::PAGE;

fn vector(part: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    all.into_iter()
        .find(|vector| vector["name"].as_str().unwrap().contains(part))
        .unwrap_or_else(|| panic!("no vector named {part}"))
}

fn account(vector: &Value) -> Account<MessengerSettings> {
    let mut secrets = heliograph_channel::Secrets::default();
    let secret = |name: &str| vector["secrets"][name].as_str().unwrap_or("made-up").to_owned();
    for name in ["app_secret", "verify_token", "access_token"] {
        secrets.add(name, secret(name).into());
    }
    let raw = RawAccount { secrets, ..crate::conformance::raw(json!({ "page_id": PAGE })) };
    raw.load().unwrap()
}

fn request(vector: &Value, headers: &[&str]) -> WebhookRequest {
    let mut given = http::HeaderMap::new();
    for name in headers {
        let value = vector["headers"][*name].as_str().unwrap().parse().unwrap();
        given.insert(http::HeaderName::try_from(*name).unwrap(), value);
    }
    WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers: given,
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms: 1_762_800_001_000,
    }
}

#[test]
fn what_is_signed_is_read_and_the_older_signature_proves_nothing() {
    let vector = vector("X-Hub-Signature-256");
    let account = account(&vector);
    let both = request(&vector, &["X-Hub-Signature", "X-Hub-Signature-256"]);
    let received = Messenger.receive(&account, &both).unwrap();
    let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
    assert_eq!(content::preview(message.content.as_ref().unwrap()), "hello, world!");
    assert_eq!(message.address.as_ref().unwrap().user_id, "1254477777772919");

    let older = request(&vector, &["X-Hub-Signature"]);
    assert!(matches!(Messenger.receive(&account, &older), Err(Refusal::Forged(_))));
    let mut tampered = both;
    tampered.body = vector["body"].as_str().unwrap().replace("world", "World").into();
    assert!(matches!(Messenger.receive(&account, &tampered), Err(Refusal::Forged(_))));
}

#[test]
fn tokens_are_proven() {
    let vector = vector("appsecret_proof");
    let message = Message { content: Some(content::text("hi")), ..Message::default() };
    let delivery = Delivery::new(&message, "dlv_1", "", 0);
    let request = Messenger.encode(&Caller::new(&account(&vector), 0), &delivery).unwrap();
    let proof = vector["expected"]["appsecret_proof"].as_str().unwrap();
    let expected = format!("https://graph.facebook.com/v26.0/me/messages?appsecret_proof={proof}");
    assert_eq!(request.url, expected);
    assert!(matches!(request.body, Body::Json(_)));
}
