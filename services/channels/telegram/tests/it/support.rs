//! An account, and what is sent from it.

use heliograph_channel::{
    Account, Body, Caller, Delivery, File, Outcome, Provider as _, ProviderRequest, ProviderResponse,
    RawAccount, Secrets,
};
use heliograph_channel_telegram::{Telegram, TelegramSettings};
use heliograph_proto::v1::{Address, Content, Message, MessageReference, content::Kind};
use serde_json::{Map, Value, json};

pub(crate) const TOKEN: &str = "555000111:made-up_BOT-token-0123456789";
pub(crate) const SECRET: &str = "made-up_webhook-secret-001";
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

pub(crate) fn raw_account(settings: Value) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("bot_token", TOKEN.into());
    secrets.add("webhook_secret", SECRET.into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "bot".to_owned(),
        channel: "telegram".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

pub(crate) fn account() -> Account<TelegramSettings> {
    raw_account(json!({ "business": true })).load().unwrap()
}

pub(crate) fn message(kind: Kind, user_id: &str, reply_to: Option<&str>) -> Message {
    Message {
        id: "msg_0123456789abcdefghjkmnpqrs".to_owned(),
        content: Some(Content { kind: Some(kind) }),
        address: Some(Address { user_id: user_id.to_owned(), ..Address::default() }),
        reply_to: reply_to
            .map(|id| MessageReference { provider_message_id: id.to_owned(), ..MessageReference::default() }),
        ..Message::default()
    }
}

pub(crate) fn encode(message: &Message, file: Option<&File>) -> Result<ProviderRequest, Outcome> {
    let delivery = Delivery { file, ..Delivery::new(message, "dlv_1", "", NOW_MS) };
    Telegram.encode(&Caller::new(&account(), 0), &delivery)
}

/// A request as Telegram reads it: the method, and its fields from JSON.
pub(crate) fn call(request: &ProviderRequest) -> (String, Map<String, Value>) {
    let (url, headers) = request.exposed();
    let method = url.strip_prefix(&format!("https://api.telegram.org/bot{TOKEN}/")).unwrap().to_owned();
    assert!(headers.iter().all(|(_, value)| !value.as_bytes().windows(8).any(|part| part == b"made-up_")));
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    (method, serde_json::from_slice(body).unwrap())
}

pub(crate) fn answer(status: u16, body: &Value) -> ProviderResponse {
    ProviderResponse {
        status: http::StatusCode::from_u16(status).unwrap(),
        headers: http::HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: NOW_MS,
    }
}
