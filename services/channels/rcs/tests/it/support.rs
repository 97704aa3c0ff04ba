//! Accounts and requests.

use heliograph_channel::{Account, Body, ProviderRequest, RawAccount, Secrets, WebhookRequest};
use heliograph_channel_rcs::RcsSettings;
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "made-up-client-token-2026";
pub(crate) const KEY_FILE: &str = include_str!("../../fixtures/service_account.json");
pub(crate) const PHONE: &str = "+12223334444";

pub(crate) fn raw_account(settings: Value, token: &str) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("client_token", token.into());
    secrets.add("service_account", KEY_FILE.into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "acme-rcs".to_owned(),
        channel: "rcs".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

/// An account with these settings besides the agent.
pub(crate) fn account(mut settings: Value) -> Account<RcsSettings> {
    settings["agent_id"] = json!("acme@rbm.goog");
    raw_account(settings, TOKEN).load().unwrap()
}

pub(crate) fn post(body: impl Into<String>, signature: Option<&str>) -> WebhookRequest {
    let mut headers = http::HeaderMap::new();
    if let Some(signature) = signature {
        headers.insert("x-goog-signature", signature.parse().unwrap());
    }
    WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: body.into().into(),
        now_ms: 1_762_800_001_000,
    }
}

pub(crate) fn body(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}
