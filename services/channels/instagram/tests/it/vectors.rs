//! `fixtures/vectors.json`: a story reply, signed with the secret of either flavour.

use heliograph_channel::{Account, RawAccount, Refusal, Secrets, Webhook as _, WebhookRequest};
use heliograph_channel_instagram::{Instagram, InstagramSettings};
use heliograph_proto::v1::inbound_event::Kind;
use serde_json::{Value, json};

use crate::conformance::ACCOUNT;

fn vector() -> Value {
    let all: Value = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    all[0].clone()
}

/// The vector's secret under `name`, and another one beside.
fn account(vector: &Value, login: &str, name: &str) -> Account<InstagramSettings> {
    let mut secrets = Secrets::default();
    let secret = vector["secrets"]["app_secret"].as_str().unwrap();
    for kind in ["app_secret", "instagram_app_secret", "verify_token", "access_token"] {
        secrets.add(kind, if kind == name { secret } else { "another-secret" }.into());
    }
    let settings = json!({ "account_id": ACCOUNT, "login": login });
    RawAccount { secrets, ..crate::conformance::raw(settings) }.load().unwrap()
}

fn request(vector: &Value) -> WebhookRequest {
    let signature = vector["headers"]["X-Hub-Signature-256"].as_str().unwrap();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-hub-signature-256", signature.parse().unwrap());
    WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms: 1_762_800_001_000,
    }
}

#[test]
fn a_story_reply_is_read_whichever_secret_signs() {
    let vector = vector();
    for (login, secret) in
        [("facebook", "app_secret"), ("instagram", "app_secret"), ("instagram", "instagram_app_secret")]
    {
        let received = Instagram.receive(&account(&vector, login, secret), &request(&vector)).unwrap();
        let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
        let story = message.referral.as_ref().unwrap();
        assert_eq!((story.source.as_str(), story.id.as_str()), ("story", "18000000000000001"), "{login}");
        assert_eq!(story.url, "https://lookaside.example/s");
    }
}

#[test]
fn the_secret_of_instagram_login_signs_nothing_for_a_page() {
    let vector = vector();
    let refused = Instagram.receive(&account(&vector, "facebook", "instagram_app_secret"), &request(&vector));
    assert!(matches!(refused, Err(Refusal::Forged(_))));
}
