//! `fixtures/vectors.json`: the secret's header, and its absence.

use heliograph_channel::{Account, Refusal, Secrets, Webhook as _, WebhookRequest};
use heliograph_channel_telegram::{Telegram, TelegramSettings};
use serde_json::{Value, json};

use crate::support::{TOKEN, raw_account};

fn account(vector: &Value) -> Account<TelegramSettings> {
    let mut raw = raw_account(json!({}));
    raw.secrets = Secrets::default();
    raw.secrets.add("bot_token", TOKEN.into());
    raw.secrets.add("webhook_secret", vector["secrets"]["secret_token"].as_str().unwrap().into());
    raw.load().unwrap()
}

fn request(vector: &Value) -> WebhookRequest {
    let headers = vector["headers"].as_object().unwrap().iter();
    WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers: headers
            .map(|(name, value)| {
                (name.parse::<http::HeaderName>().unwrap(), value.as_str().unwrap().parse().unwrap())
            })
            .collect(),
        body: vector["body"].as_str().unwrap().to_owned().into(),
        now_ms: 1_441_645_533_000,
    }
}

#[test]
fn every_vector_holds() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/vectors.json")).unwrap();
    assert_eq!(vectors.len(), 2);
    for vector in &vectors {
        let (account, request) = (account(vector), request(vector));
        let received = Telegram.receive(&account, &request);
        if vector["expected"]["valid"] == true {
            assert!(!received.unwrap().events.is_empty(), "{}", vector["name"]);
            for value in [None, Some("fake-Telegram_secret-0002"), Some("fake-Telegram_secret-000"), Some("")]
            {
                let mut forged = request.clone();
                forged.headers.remove("x-telegram-bot-api-secret-token");
                if let Some(value) = value {
                    forged.headers.insert("x-telegram-bot-api-secret-token", value.parse().unwrap());
                }
                assert!(matches!(Telegram.receive(&account, &forged), Err(Refusal::Forged(_))), "{value:?}");
            }
            let mut twice = request.clone();
            twice
                .headers
                .append("x-telegram-bot-api-secret-token", "fake-Telegram_secret-0001".parse().unwrap());
            assert!(matches!(Telegram.receive(&account, &twice), Err(Refusal::Forged(_))));
        } else {
            assert!(matches!(received, Err(Refusal::Forged(_))), "{}", vector["name"]);
        }
    }
}
