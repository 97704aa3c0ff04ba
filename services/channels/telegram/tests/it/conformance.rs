//! The suite every channel passes.

use heliograph_channel::{RawAccount, WebhookRequest};
use heliograph_channel_telegram::Telegram;
use heliograph_testkit::conformance::Conformance;
use serde_json::json;

use crate::support::{SECRET, raw_account};

fn prove(_: &RawAccount, request: &mut WebhookRequest) {
    request.headers.insert("x-telegram-bot-api-secret-token", SECRET.parse().unwrap());
}

#[test]
fn a_bot_conforms() {
    Conformance::new(Telegram, raw_account(json!({ "business": true, "groups": true })))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(prove)
        .body_is_not_signed()
        .message_id("1111111/1365")
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/telegram"))
        .finish();
}

#[test]
fn settings_that_cannot_work_are_refused() {
    for (settings, field) in [
        (json!({ "limits": { "per_second": 0 } }), "spec.settings.limits.per_second"),
        (json!({ "limits": { "per_day": 1 } }), "spec.settings.limits.per_day"),
    ] {
        let error =
            raw_account(settings).load::<heliograph_channel_telegram::TelegramSettings>().unwrap_err();
        assert_eq!(error.field, field);
    }
    for (name, value) in [("bot_token", "not a token"), ("webhook_secret", "not/one"), ("webhook_secret", "")]
    {
        let mut raw = raw_account(json!({}));
        let mut secrets = heliograph_channel::Secrets::default();
        for (other, secret) in raw.secrets.iter().filter(|(other, _)| *other != name) {
            secrets.add(other, secret.clone());
        }
        secrets.add(name, value.into());
        raw.secrets = secrets;
        let error = raw.load::<heliograph_channel_telegram::TelegramSettings>().unwrap_err();
        assert_eq!(error.field, format!("spec.secrets.{name}"));
    }
}
