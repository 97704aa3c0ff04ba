//! The bottle passes the suite every channel passes, in its own protocol and in a third party's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod templates;

use std::time::Duration;

use heliograph_channel::{RawAccount, Secrets, WebhookRequest, standard_webhooks::Keyring};
use heliograph_channel_bottle::Bottle;
use heliograph_testkit::conformance::Conformance;
use serde_json::{Value, json};

/// Made up. The first signs, both are accepted, as while a secret is rotated.
const SECRETS: [&str; 2] = [
    "whsec_ZmFrZS1zdGFuZGFyZC13ZWJob29rLWtleS0zMmJ5dGU=",
    "whsec_ZmFrZS1zdGFuZGFyZC13ZWJob29rLWtleS1vbGQtMDA=",
];

fn account(settings: Value) -> RawAccount {
    let mut secrets = Secrets::default();
    for secret in SECRETS {
        secrets.add("signing", secret.into());
    }
    secrets.add("api_key", "made-up-api-key-42".into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "islands".to_owned(),
        channel: "bottle".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

/// Signs as the other side does: with one of the secrets, here the older one.
fn sign(account: &RawAccount, request: &mut WebhookRequest) {
    let oldest = &account.secrets.all("signing")[1..];
    let keys = Keyring::new(oldest).unwrap();
    request.headers.extend(keys.headers("msg_webhook-1", request.now_ms, &request.body));
}

fn conformance(settings: Value) -> Conformance<Bottle> {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
    Conformance::new(Bottle, account(settings))
        .carries_any_content()
        .fixtures(fixtures)
        .signed(sign)
        .stale_after(Duration::from_mins(5))
}

#[test]
fn our_own_protocol_conforms() {
    conformance(json!({ "url": "https://bring.example.test/out" }))
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/bottle"))
        .finish();
}

#[test]
fn a_third_party_conforms() {
    let template = json!({
        "url": "https://api.example.test/v1/send?ref={{delivery_id|url}}",
        "headers": { "Authorization": "Bearer {{secret.api_key|plain}}" },
        "body": r#"{"to": {{to|json}}, "message": {{text|json}}}"#,
        "success": { "status": ["2xx"], "pointer": "/ok", "equals": true },
        "external_id": "/message/id",
        "errors": [
            { "pointer": "/code", "equals": 4010, "class": "opted_out" },
            { "status": [402], "class": "auth" },
            { "status": ["2xx"], "class": "in_doubt" },
        ],
        "error_code": "/code",
        "error_text": "/reason",
    });
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/template");
    Conformance::new(Bottle, account(json!({ "template": template, "text_limit": 500 })))
        .carries_any_content()
        .fixtures(fixtures)
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/template"))
        .finish();
}
