//! WhatsApp: messages, read marks and uploads of the Graph API.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    sign,
    state::{State, now_ms},
};

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "whatsapp", channel: "whatsapp", provider: None, routes: router, compose };

/// Fields of a message beside the one called as its type.
const FIELDS: [&str; 7] =
    ["biz_opaque_callback_data", "context", "messaging_product", "recipient", "recipient_type", "to", "type"];

fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/whatsapp/{version}/{number}/messages", post(messages))
        .route("/whatsapp/{version}/{number}/media", post(media))
}

async fn messages(
    Shared(state): Shared<Arc<State>>,
    Path((_, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.faults.meet("whatsapp", || accept(&state, &number, &headers, &body)).await
}

async fn media(
    Shared(state): Shared<Arc<State>>,
    Path((_, number)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Err(refused) = account(&state, &number, &headers) {
        return refused;
    }
    let form = String::from_utf8_lossy(&body);
    let has = |field: &str| form.contains(&format!("name=\"{field}\""));
    let kind =
        headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") || !["messaging_product", "type", "file"].into_iter().all(has)
    {
        return refuse(&state, 100, "an upload is a form with messaging_product, type and file");
    }
    Json(json!({ "id": state.next_number().to_string() })).into_response()
}

/// The account of a number, for who has its token.
#[expect(clippy::result_large_err, reason = "the refusal is the answer, made once and sent")]
fn account(state: &State, number: &str, headers: &HeaderMap) -> Result<Arc<Account>, Response> {
    let Some(account) = state.account_by("whatsapp", "phone_number_id", number) else {
        return Err(refuse(state, 100, "Object does not exist, or the token may not see it"));
    };
    let token = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {}", account.secret("access_token"))) {
        return Err(refuse(state, 190, "Invalid OAuth access token"));
    }
    Ok(account)
}

fn accept(state: &Arc<State>, number: &str, headers: &HeaderMap, body: &[u8]) -> Response {
    let account = match account(state, number, headers) {
        Ok(account) => account,
        Err(refused) => return refused,
    };
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    if request["messaging_product"] != "whatsapp" {
        return refuse(state, 100, "messaging_product is whatsapp");
    }
    if request["status"] == "read" {
        return match request["message_id"].as_str() {
            Some(id) if !id.is_empty() => Json(json!({ "success": true })).into_response(),
            _ => refuse(state, 131_009, "message_id is missing"),
        };
    }
    let text = match check(&request).and_then(|()| text_of(&request)) {
        Ok(text) => text,
        Err((code, rule)) => return refuse(state, code, rule),
    };
    let user_id =
        [&request["recipient"], &request["to"]].into_iter().find_map(Value::as_str).unwrap_or_default();
    let id = format!("wamid.{}", state.next_id());
    if state.options.receipts {
        report(state, &account, &id, &request);
    }
    let answer = json!({
        "messaging_product": "whatsapp",
        "contacts": [{ "input": user_id, "wa_id": user_id }],
        "messages": [{ "id": id, "message_status": "accepted" }],
    });
    state.accept(Sent {
        provider: "whatsapp",
        account: account.name.clone(),
        user_id: user_id.to_owned(),
        text,
        provider_message_id: id,
        reference: request["biz_opaque_callback_data"].as_str().unwrap_or_default().to_owned(),
        request,
        at_ms: now_ms(),
    });
    Json(answer).into_response()
}

type Rule = (u32, &'static str);

/// What every message must hold.
fn check(request: &Value) -> Result<(), Rule> {
    let kind = request["type"].as_str().ok_or((131_008, "type is missing"))?;
    let fields = request.as_object().into_iter().flatten();
    if fields.into_iter().any(|(name, _)| name != kind && !FIELDS.contains(&name.as_str())) {
        return Err((100, "a parameter nobody knows"));
    }
    if !matches!(request["recipient_type"].as_str(), Some("individual" | "group")) {
        return Err((131_009, "recipient_type: individual or group"));
    }
    let to = request["to"].as_str().unwrap_or_default();
    let is_number = (5..=15).contains(&to.len()) && to.bytes().all(|byte| byte.is_ascii_digit());
    let by_id = request["recipient"].as_str().is_some_and(|id| id.split_once('.').is_some());
    if request["recipient_type"] == "individual" && is_number == by_id {
        return Err((131_009, "exactly one of to, a number, and recipient, a user id"));
    }
    let tracked = request["biz_opaque_callback_data"].as_str().unwrap_or_default();
    if tracked.chars().count() > 512 {
        return Err((131_009, "biz_opaque_callback_data: at most 512 characters"));
    }
    Ok(())
}

/// What the customer reads, if it is as it must be.
fn text_of(request: &Value) -> Result<String, Rule> {
    let kind = request["type"].as_str().unwrap_or_default();
    let said = &request[kind];
    let owned = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let within = |value: &Value, most: usize| {
        value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()))
    };
    match kind {
        "text" if within(&said["body"], 4096) => Ok(owned(&said["body"])),
        "image" | "video" | "document" | "audio" | "sticker"
            if said["id"].is_string() != said["link"].is_string() =>
        {
            Ok(format!("[{kind}] {}", owned(&said["caption"])))
        }
        "location" if said["latitude"].is_number() && said["longitude"].is_number() => {
            Ok(format!("[location] {}", owned(&said["name"])))
        }
        "contacts" if said[0]["name"]["formatted_name"].is_string() => {
            Ok(format!("[contact] {}", owned(&said[0]["name"]["formatted_name"])))
        }
        "reaction" if said["message_id"].is_string() => Ok(format!("[reaction] {}", owned(&said["emoji"]))),
        "template" if said["name"].is_string() && said["language"]["code"].is_string() => {
            Ok(owned(&said["name"]))
        }
        "interactive" if within(&said["body"]["text"], 1024) && has_action(said) => {
            Ok(owned(&said["body"]["text"]))
        }
        "text" | "image" | "video" | "document" | "audio" | "sticker" | "location" | "contacts"
        | "reaction" | "template" | "interactive" => Err((131_009, "a parameter's value is not valid")),
        _ => Err((131_051, "Unsupported message type")),
    }
}

fn has_action(said: &Value) -> bool {
    let short = |value: &Value, most: usize| {
        value.as_str().is_some_and(|text| (1..=most).contains(&text.chars().count()))
    };
    let action = &said["action"];
    match said["type"].as_str() {
        Some("button") => action["buttons"].as_array().is_some_and(|buttons| {
            (1..=3).contains(&buttons.len())
                && buttons
                    .iter()
                    .all(|button| short(&button["reply"]["title"], 20) && short(&button["reply"]["id"], 256))
        }),
        Some("list") => {
            let sections = action["sections"].as_array().map(Vec::as_slice).unwrap_or_default();
            let rows =
                || sections.iter().flat_map(|section| section["rows"].as_array().into_iter().flatten());
            short(&action["button"], 20)
                && (1..=10).contains(&rows().count())
                && rows().all(|row| short(&row["title"], 24) && short(&row["id"], 200))
        }
        Some("cta_url") => {
            short(&action["parameters"]["display_text"], 20) && action["parameters"]["url"].is_string()
        }
        Some("carousel") => action["cards"].as_array().is_some_and(|cards| (2..=10).contains(&cards.len())),
        Some("location_request_message") => action["name"] == "send_location",
        Some("flow") => action["parameters"].is_object(),
        _ => false,
    }
}

fn refuse(state: &State, code: u32, text: &str) -> Response {
    state.problem("whatsapp", format!("{code}: {text}"));
    let error = json!({
        "message": format!("(#{code}) {text}"), "type": "OAuthException", "code": code, "fbtrace_id": "sandbox",
        "error_data": { "messaging_product": "whatsapp", "details": text },
    });
    let status = if code == 190 { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    (status, Json(json!({ "error": error }))).into_response()
}

/// Who writes or is written to: by user id when they hide their number, else by number.
fn contact(user_id: &str, name: &str) -> Value {
    let id = if user_id.contains('.') { "user_id" } else { "wa_id" };
    json!({ "profile": { "name": name }, id: user_id })
}

/// Tells us what becomes of a message: sent, delivered, read.
fn report(state: &Arc<State>, account: &Arc<Account>, id: &str, request: &Value) {
    let (state, account, id, request) = (state.clone(), account.clone(), id.to_owned(), request.clone());
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        for status in ["sent", "delivered", "read"] {
            let mut said = json!({ "id": id, "status": status, "timestamp": (now_ms() / 1000).to_string() });
            let fields = [
                ("recipient", "recipient_user_id"),
                ("to", "recipient_id"),
                ("biz_opaque_callback_data", "biz_opaque_callback_data"),
            ];
            for (ours, theirs) in fields {
                if request[ours].is_string() {
                    said[theirs] = request[ours].clone();
                }
            }
            state.post(&call(&account, &id, json!({ "statuses": [said] }))).await;
        }
    });
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = format!("wamid.{}", customer.state.next_id());
    let from = if customer.user_id.contains('.') { "from_user_id" } else { "from" };
    let message = json!({
        from: customer.user_id, "id": id, "timestamp": (now_ms() / 1000).to_string(), "type": "text",
        "text": { "body": text },
    });
    let contacts = json!([contact(&customer.user_id, &customer.name)]);
    call(&customer.account, &id, json!({ "contacts": contacts, "messages": [message] }))
}

/// A signed batch of one change. Characters beyond ASCII are escaped, and so are slashes.
fn call(account: &Account, id: &str, mut value: Value) -> Call {
    value["messaging_product"] = "whatsapp".into();
    value["metadata"] = json!({ "display_phone_number": "15550783881", "phone_number_id": account.setting("phone_number_id") });
    let change = json!({ "field": "messages", "value": value });
    let entry = json!({ "id": "102290129340398", "changes": [change] });
    let body = json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string();
    let body = escaped(&body);
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-hub-signature-256", sign::meta(account.secret("app_secret"), body.as_bytes())),
        ],
        body,
        provider_message_id: id.to_owned(),
    }
}

/// As PHP writes JSON.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '/' => escaped.push_str("\\/"),
            character if character.is_ascii() => escaped.push(character),
            character => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(escaped, "\\u{unit:04x}");
                }
            }
        }
    }
    escaped
}
