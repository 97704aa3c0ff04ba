//! Accounts and requests.

use heliograph_channel::{Account, RawAccount, Secrets, WebhookRequest};
use heliograph_channel_line::LineSettings;
use serde_json::{Value, json};

pub(crate) const SECRET: &str = "made-up-channel-secret-2026";
pub(crate) const USER: &str = "U4af4980629f58aaf0f9c1f1d0a6b2f00";

pub(crate) fn raw_account(settings: Value, secrets: &[(&str, &str)]) -> RawAccount {
    let mut given = Secrets::default();
    for (name, value) in secrets {
        given.add(*name, (*value).into());
    }
    RawAccount {
        tenant: "acme".to_owned(),
        name: "shop-jp".to_owned(),
        channel: "line".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets: given,
    }
}

/// An account with a token from the console.
pub(crate) fn account(settings: Value) -> Account<LineSettings> {
    let secrets = [("channel_secret", SECRET), ("channel_access_token", "made-up-channel-access-token")];
    raw_account(settings, &secrets).load().unwrap()
}

pub(crate) fn whole() -> Account<LineSettings> {
    account(json!({
        "video_preview_url": "https://media.example.com/still.png",
        "track_videos": true,
        "agent_names": true,
        "mark_as_read": true,
    }))
}

pub(crate) fn post(body: impl Into<String>, signature: &str) -> WebhookRequest {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-line-signature", signature.parse().unwrap());
    WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: body.into().into(),
        now_ms: 1_762_800_001_000,
    }
}
