//! Accounts and requests.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Outcome, Provider as _, ProviderRequest, ProviderResponse, RawAccount,
    Secrets, WebhookRequest,
};
use heliograph_channel_whatsapp::{WhatsApp, WhatsAppSettings};
use heliograph_proto::v1::{Address, Content, Message, content::Kind};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sha2::Sha256;

pub(crate) const APP_SECRET: &str = "made-up-meta-app-secret-0001";
pub(crate) const USER: &str = "US.13491208655302741918";
pub(crate) const CORRELATION: &str =
    "msg_0123456789abcdefghjkmnpqrs.cnv_0123456789abcdefghjkmnpqrs.latam-europe";

pub(crate) fn raw_account(more: &Value) -> RawAccount {
    let mut settings = json!({ "phone_number_id": "106540352242922" });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let mut secrets = Secrets::default();
    secrets.add("access_token", "EAAmade-up-system-user-token".into());
    secrets.add("app_secret", APP_SECRET.into());
    secrets.add("verify_token", "made-up-verify-token".into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "shop".to_owned(),
        channel: "whatsapp".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

pub(crate) fn account(more: &Value) -> Account<WhatsAppSettings> {
    raw_account(more).load().unwrap()
}

/// As Meta signs, written a second time.
pub(crate) fn sign(account: &RawAccount, request: &mut WebhookRequest) {
    if request.method == Method::POST {
        let secret = account.secrets.all("app_secret")[0].expose_secret();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&request.body);
        let code = mac.finalize().into_bytes();
        let hex = hex::encode(code);
        request.headers.insert("x-hub-signature-256", format!("sha256={hex}").parse().unwrap());
    }
}

pub(crate) fn message(kind: Kind) -> Message {
    Message {
        id: "msg_0123456789abcdefghjkmnpqrs".to_owned(),
        content: Some(Content { kind: Some(kind) }),
        address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
        ..Message::default()
    }
}

pub(crate) fn encode(
    account: &Account<WhatsAppSettings>,
    message: &Message,
) -> Result<ProviderRequest, Outcome> {
    WhatsApp.encode(&Caller::new(account, 0), &Delivery::new(message, "dlv_1", CORRELATION, 0))
}

/// What the provider is sent for it.
pub(crate) fn sent(account: &Account<WhatsAppSettings>, message: &Message) -> Value {
    json_of(&encode(account, message).unwrap())
}

pub(crate) fn json_of(request: &ProviderRequest) -> Value {
    let Body::Json(body) = &request.body else { panic!("not JSON") };
    serde_json::from_slice(body).unwrap()
}

pub(crate) fn answer(status: u16, body: &Value) -> ProviderResponse {
    ProviderResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.to_string().into(),
        now_ms: 0,
    }
}
