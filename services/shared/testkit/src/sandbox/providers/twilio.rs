//! Twilio Messaging: messages.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    sign,
    state::{State, now_ms},
};

const FIELDS: [&str; 6] = ["To", "From", "MessagingServiceSid", "Body", "MediaUrl", "StatusCallback"];

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "twilio", channel: "sms", provider: Some("twilio"), routes: router, compose };

fn router() -> Router<Arc<State>> {
    Router::new().route("/twilio/2010-04-01/Accounts/{sid}/Messages.json", post(create))
}

async fn create(
    Shared(state): Shared<Arc<State>>,
    Path(sid): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.faults.meet("twilio", || accept(&state, &sid, &headers, &body)).await
}

fn accept(state: &Arc<State>, sid: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let Some(account) = state.account_by("twilio", "account_sid", sid) else {
        return refuse(state, StatusCode::NOT_FOUND, 20404, "no such account");
    };
    let expected = STANDARD.encode(format!("{sid}:{}", account.secret("auth_token")));
    let given = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given != Some(&format!("Basic {expected}")) {
        return refuse(state, StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body).into_owned().collect();
    if let Err((code, rule)) = check(&form) {
        return refuse(state, StatusCode::BAD_REQUEST, code, &rule);
    }
    let id = format!("SM{}", state.next_id());
    let get = |name: &str| form.get(name).cloned().unwrap_or_default();
    let callback = get("StatusCallback");
    if state.options.receipts && !callback.is_empty() {
        report(state, &account, &id, &get("To"), callback.clone());
    }
    let reference = url::Url::parse(&callback).ok().and_then(|url| {
        url.query_pairs().find(|(name, _)| name == "ref").map(|(_, value)| value.into_owned())
    });
    let answer = json!({ "sid": id, "status": "queued", "num_segments": "1", "to": get("To"), "body": get("Body"), "error_code": null });
    state.accept(Sent {
        provider: "twilio",
        account: account.name.clone(),
        user_id: get("To"),
        text: get("Body"),
        provider_message_id: id,
        reference: reference.unwrap_or_default(),
        request: json!(form),
        at_ms: now_ms(),
    });
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// What Twilio checks, with its codes.
fn check(form: &BTreeMap<String, String>) -> Result<(), (u32, String)> {
    if let Some(unknown) = form.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err((20001, format!("unknown parameter {unknown}")));
    }
    let to = form.get("To").map_or("", String::as_str);
    let digits = to.strip_prefix('+').unwrap_or_default();
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err((21211, format!("Invalid 'To' Phone Number: {to}")));
    }
    if form.contains_key("From") == form.contains_key("MessagingServiceSid") {
        return Err((21603, "exactly one of From and MessagingServiceSid".to_owned()));
    }
    match form.get("Body").map(|text| text.chars().count()) {
        Some(1..=1600) => Ok(()),
        None if form.contains_key("MediaUrl") => Ok(()),
        Some(0) | None => Err((21602, "Message body is required".to_owned())),
        Some(_) => Err((21617, "The concatenated message body exceeds the 1600 character limit".to_owned())),
    }
}

fn report(state: &Arc<State>, account: &Arc<Account>, id: &str, to: &str, callback: String) {
    let (state, account, id, to) = (state.clone(), account.clone(), id.to_owned(), to.to_owned());
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        for status in ["sent", "delivered"] {
            let form = [
                ("MessageSid", id.as_str()),
                ("SmsSid", &id),
                ("MessageStatus", status),
                ("SmsStatus", status),
                ("To", &to),
                ("From", account.setting("sender")),
                ("AccountSid", account.setting("account_sid")),
                ("ApiVersion", "2010-04-01"),
            ];
            state.post(&call(&account, &callback, &form)).await;
        }
    });
}

fn refuse(state: &State, status: StatusCode, code: u32, text: &str) -> Response {
    state.problem("twilio", text);
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    let body = json!({ "code": code, "message": text, "more_info": more, "status": status.as_u16() });
    (status, Json(body)).into_response()
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = format!("SM{}", customer.state.next_id());
    let form = [
        ("MessageSid", id.as_str()),
        ("SmsSid", &id),
        ("SmsMessageSid", &id),
        ("AccountSid", customer.account.setting("account_sid")),
        ("From", &customer.user_id),
        ("To", customer.account.setting("sender")),
        ("Body", text),
        ("NumMedia", "0"),
        ("NumSegments", "1"),
        ("SmsStatus", "received"),
        ("ApiVersion", "2010-04-01"),
        ("FromCity", ""),
    ];
    Call { provider_message_id: id.clone(), ..call(&customer.account, &customer.account.webhook_url, &form) }
}

/// A webhook of Twilio's, signed for `url`.
fn call(account: &Account, url: &str, form: &[(&str, &str)]) -> Call {
    let form: Vec<(String, String)> =
        form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let signature = sign::twilio(account.secret("auth_token"), url, &form);
    Call {
        url: url.to_owned(),
        headers: vec![
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ("x-twilio-signature", signature),
        ],
        body: url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish(),
        provider_message_id: String::new(),
    }
}
