//! Both providers pass the suite every channel passes.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_channel::{RawAccount, Secrets, WebhookRequest};
use heliograph_channel_sms::Sms;
use heliograph_testkit::conformance::Conformance;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::Sha256;

fn account(provider: &str, settings: Value, secrets: &[(&str, &str)]) -> RawAccount {
    let mut resolved = Secrets::default();
    for (name, value) in secrets {
        resolved.add(*name, (*value).into());
    }
    RawAccount {
        tenant: "acme".to_owned(),
        name: "texts".to_owned(),
        channel: "sms".to_owned(),
        provider: Some(provider.to_owned()),
        base_url: None,
        public_base_url: Some("https://hooks.example.test".parse().unwrap()),
        settings,
        secrets: resolved,
    }
}

fn header(request: &mut WebhookRequest, name: &'static str, value: &str) {
    request.headers.insert(name, HeaderValue::from_str(value).unwrap());
}

/// As Sinch signs: body, nonce and timestamp.
fn sign_sinch(account: &RawAccount, request: &mut WebhookRequest) {
    let secret = account.secrets.all("webhook_secret")[0].expose_secret();
    let timestamp = (request.now_ms / 1000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&request.body);
    mac.update(format!(".01NONCE.{timestamp}").as_bytes());
    header(request, "x-sinch-webhook-signature", &STANDARD.encode(mac.finalize().into_bytes()));
    header(request, "x-sinch-webhook-signature-nonce", "01NONCE");
    header(request, "x-sinch-webhook-signature-timestamp", &timestamp);
    header(request, "x-sinch-webhook-signature-algorithm", "HmacSHA256");
}

/// As Twilio signs: the URL, and the parameters by name.
fn sign_twilio(account: &RawAccount, request: &mut WebhookRequest) {
    let token = account.secrets.all("auth_token")[0].expose_secret();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut signed = format!("https://hooks.example.test/sms/texts{}{query}", request.path);
    let parameters: BTreeMap<String, String> =
        url::form_urlencoded::parse(&request.body).into_owned().collect();
    for (name, value) in parameters {
        signed.push_str(&name);
        signed.push_str(&value);
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(token.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    header(request, "x-twilio-signature", &STANDARD.encode(mac.finalize().into_bytes()));
}

#[test]
fn sinch_conforms() {
    let settings = json!({ "sender": "+12025550134", "service_plan_id": "plan-1", "mms": true });
    let secrets = [("api_token", "made-up-api-token"), ("webhook_secret", "made-up-webhook-secret")];
    Conformance::new(Sms, account("sinch", settings, &secrets))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/sinch"))
        .signed(sign_sinch)
        .stale_after(Duration::from_mins(5))
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/sinch"))
        .finish();
}

#[test]
fn twilio_conforms() {
    let settings = json!({ "account_sid": "AC00000000000000000000000000000001", "sender": "+15005550010" });
    let secrets = [("auth_token", "made-up-auth-token")];
    Conformance::new(Sms, account("twilio", settings, &secrets))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/twilio"))
        .signed(sign_twilio)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/twilio"))
        .finish();
}
