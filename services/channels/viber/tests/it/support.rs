//! An account, and what is sent from it.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Outcome, Provider as _, ProviderRequest, ProviderResponse, RawAccount,
    Secrets,
};
use heliograph_channel_viber::{Viber, ViberSettings};
use heliograph_proto::v1::{Address, Content, Message, content::Kind};
use serde_json::{Value, json};

pub(crate) const TOKEN: &str = "445da6az1s345z78-made-up-token-0001";
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;

pub(crate) fn raw_account(settings: Value) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("auth_token", TOKEN.into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "bot".to_owned(),
        channel: "viber".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

pub(crate) fn settings() -> Value {
    let sender = json!({ "name": "Acme", "avatar": "https://acme.example.com/a.png" });
    json!({ "sender": sender, "welcome": "Hi! Ask us anything." })
}

pub(crate) fn account() -> Account<ViberSettings> {
    raw_account(settings()).load().unwrap()
}

pub(crate) fn message(kind: Kind) -> Message {
    Message {
        id: "msg_0123456789abcdefghjkmnpqrs".to_owned(),
        content: Some(Content { kind: Some(kind) }),
        address: Some(Address { user_id: "01234567890A=".to_owned(), ..Address::default() }),
        ..Message::default()
    }
}

pub(crate) fn encode(message: &Message) -> Result<ProviderRequest, Outcome> {
    Viber.encode(&Caller::new(&account(), 0), &Delivery::new(message, "dlv_1", "", NOW_MS))
}

pub(crate) fn follow_up(message: &Message, body: &Value) -> Option<Result<ProviderRequest, Outcome>> {
    let response = ProviderResponse {
        status: http::StatusCode::OK,
        headers: http::HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: NOW_MS,
    };
    Viber.follow_up(&Caller::new(&account(), 0), &Delivery::new(message, "dlv_1", "", NOW_MS), &response)
}

pub(crate) fn body(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}
