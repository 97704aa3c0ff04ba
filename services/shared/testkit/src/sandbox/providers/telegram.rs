//! Telegram's Bot API: messages, edits, reactions, deletions, chat actions.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequest as _, Multipart, Path, Request, State as Shared},
    response::{IntoResponse, Response},
    routing::post,
};
use http::{StatusCode, header::CONTENT_TYPE};
use serde_json::{Map, Value, json};

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    state::{State, now_ms},
};

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "telegram", channel: "telegram", provider: None, routes: router, compose };

/// More than this is not read of a request.
const LARGEST: usize = 64 * 1024 * 1024;

fn router() -> Router<Arc<State>> {
    Router::new().route("/telegram/{bot}/{method}", post(call))
}

async fn call(
    Shared(state): Shared<Arc<State>>,
    Path((bot, method)): Path<(String, String)>,
    request: Request,
) -> Response {
    let fields = read(request).await;
    state.faults.meet("telegram", || accept(&state, &bot, &method, fields)).await
}

/// The fields of a call; of a file its size.
async fn read(request: Request) -> Option<Map<String, Value>> {
    let kind = request.headers().get(CONTENT_TYPE)?.to_str().ok()?.to_owned();
    if kind == "application/json" {
        let body = axum::body::to_bytes(request.into_body(), LARGEST).await.ok()?;
        return serde_json::from_slice(&body).ok();
    }
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut fields = Map::new();
    while let Some(field) = form.next_field().await.ok()? {
        let (name, is_file) = (field.name()?.to_owned(), field.file_name().is_some());
        let bytes = field.bytes().await.ok()?;
        let value = if is_file {
            json!({ "file": bytes.len() })
        } else {
            let text = String::from_utf8(bytes.to_vec()).ok()?;
            serde_json::from_str(&text).unwrap_or(Value::String(text))
        };
        fields.insert(name, value);
    }
    Some(fields)
}

fn accept(state: &State, bot: &str, method: &str, fields: Option<Map<String, Value>>) -> Response {
    let is_its = |account: &&Arc<Account>| {
        account.provider == "telegram" && bot.strip_prefix("bot") == Some(account.secret("bot_token"))
    };
    let accounts = state.accounts();
    let Some(account) = accounts.iter().find(is_its) else {
        return refuse(state, StatusCode::UNAUTHORIZED, "Unauthorized");
    };
    let Some(fields) = fields else {
        return refuse(state, StatusCode::BAD_REQUEST, "Bad Request: can't parse the request");
    };
    let text = match check(method, &fields) {
        Ok(text) => text,
        Err(why) => return refuse(state, StatusCode::BAD_REQUEST, &format!("Bad Request: {why}")),
    };
    let chat = fields["chat_id"].as_i64().unwrap_or_default();
    let user_id = chat.to_string();
    // A bot may only write to who wrote to it.
    if !state.phones().iter().any(|((at, user), ..)| *at == account.name && *user == user_id) {
        return refuse(
            state,
            StatusCode::FORBIDDEN,
            "Forbidden: bot can't initiate conversation with a user",
        );
    }
    if !method.starts_with("send") && !method.starts_with("edit") || method == "sendChatAction" {
        return Json(json!({ "ok": true, "result": true })).into_response();
    }
    let edited = fields.get("message_id").and_then(Value::as_i64);
    let number = edited.unwrap_or_else(|| number(state));
    let mut result = json!({
        "message_id": number,
        "chat": { "id": chat, "type": "private" },
        "date": now_ms() / 1000,
        "text": text,
    });
    if edited.is_some() {
        result["edit_date"] = (now_ms() / 1000).into();
    }
    if let Some((field, _)) = MEDIA.iter().find(|(field, _)| fields.contains_key(*field)) {
        let file = json!({ "file_id": format!("file-{}", state.next_id()), "file_unique_id": "u" });
        result[*field] = if *field == "photo" { json!([file]) } else { file };
    }
    state.accept(Sent {
        provider: "telegram",
        account: account.name.clone(),
        user_id,
        text,
        provider_message_id: format!("{chat}/{number}"),
        reference: String::new(),
        request: json!({ "method": method, "fields": fields }),
        at_ms: now_ms(),
    });
    Json(json!({ "ok": true, "result": result })).into_response()
}

/// Kinds of media, with the most bytes of one that is uploaded.
const MEDIA: [(&str, u64); 7] = [
    ("photo", 10_485_760),
    ("animation", 52_428_800),
    ("video", 52_428_800),
    ("audio", 52_428_800),
    ("voice", 52_428_800),
    ("sticker", 52_428_800),
    ("document", 52_428_800),
];

/// The fields a method must have, and may have.
fn signature(method: &str) -> Option<(&'static [&'static str], &'static [&'static str])> {
    const CAPTIONED: &[&str] = &["caption", "caption_entities", "duration", "width", "height"];
    Some(match method {
        "sendMessage" => (&["text"], &["entities"]),
        "sendPhoto" => (&["photo"], CAPTIONED),
        "sendAnimation" => (&["animation"], CAPTIONED),
        "sendVideo" => (&["video"], CAPTIONED),
        "sendAudio" => (&["audio"], CAPTIONED),
        "sendVoice" => (&["voice"], CAPTIONED),
        "sendDocument" => (&["document"], CAPTIONED),
        "sendSticker" => (&["sticker"], &[]),
        "sendLocation" => (&["latitude", "longitude"], &["horizontal_accuracy", "live_period"]),
        "sendVenue" => (&["latitude", "longitude", "title", "address"], &[]),
        "sendContact" => (&["phone_number", "first_name"], &["last_name", "vcard"]),
        "sendChatAction" => (&["action"], &[]),
        "editMessageText" => (&["message_id", "text"], &["entities"]),
        "editMessageMedia" => (&["message_id", "media"], &["file"]),
        "deleteMessage" => (&["message_id"], &[]),
        "setMessageReaction" => (&["message_id", "reaction"], &[]),
        _ => return None,
    })
}

/// What the customer reads, or what is wrong.
fn check(method: &str, fields: &Map<String, Value>) -> Result<String, String> {
    let (wanted, allowed) = signature(method).ok_or_else(|| format!("there is no method {method}"))?;
    let always = ["chat_id", "message_thread_id", "reply_parameters", "reply_markup"];
    if fields.get("chat_id").and_then(Value::as_i64).is_none_or(|chat| chat == 0) {
        return Err("chat not found".to_owned());
    }
    if let Some(missing) = wanted.iter().find(|name| !fields.contains_key(**name)) {
        return Err(format!("{missing} is missing"));
    }
    let known = |name: &str| always.contains(&name) || wanted.contains(&name) || allowed.contains(&name);
    if let Some(unknown) = fields.keys().find(|name| !known(name)) {
        return Err(format!("{method} has no {unknown}"));
    }
    let text = |name: &str| match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    for (field, most) in MEDIA {
        if fields.get(field).is_some_and(|medium| medium["file"].as_u64().is_some_and(|size| size > most)) {
            return Err("file is too big".to_owned());
        }
    }
    for (words, most, entities) in [("text", 4096, "entities"), ("caption", 1024, "caption_entities")] {
        let said = text(words);
        let length = said.encode_utf16().count();
        if wanted.contains(&words) && said.trim().is_empty() {
            return Err("message text is empty".to_owned());
        }
        if length > most {
            return Err("message is too long".to_owned());
        }
        for entity in fields.get(entities).and_then(Value::as_array).into_iter().flatten() {
            let end =
                entity["offset"].as_u64().zip(entity["length"].as_u64()).map(|(from, length)| from + length);
            if end.is_none_or(|end| end > length as u64) {
                return Err("can't parse entities: out of the text".to_owned());
            }
        }
    }
    check_keyboard(fields.get("reply_markup").unwrap_or(&Value::Null))?;
    let read = [text("text"), text("caption"), text("title"), text("first_name")];
    Ok(read.into_iter().find(|read| !read.is_empty()).unwrap_or_else(|| format!("[{method}]")))
}

fn check_keyboard(markup: &Value) -> Result<(), String> {
    let rows = markup["inline_keyboard"].as_array().map(Vec::as_slice).unwrap_or_default();
    for button in rows.iter().filter_map(Value::as_array).flatten() {
        if button["text"].as_str().is_none_or(|text| text.trim().is_empty()) {
            return Err("text buttons are unallowed in the inline keyboard".to_owned());
        }
        match (button["callback_data"].as_str(), button["url"].as_str()) {
            (Some(data), None) if (1..=64).contains(&data.len()) => {}
            (None, Some(url)) if url.contains("://") => {}
            _ => return Err("BUTTON_DATA_INVALID".to_owned()),
        }
    }
    Ok(())
}

fn refuse(state: &State, status: StatusCode, text: &str) -> Response {
    state.problem("telegram", text);
    let body = json!({ "ok": false, "error_code": status.as_u16(), "description": text });
    (status, Json(body)).into_response()
}

fn number(state: &State) -> i64 {
    i64::try_from(state.next_number() & 0x7fff_ffff).unwrap_or(1).max(1)
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let chat: i64 = customer.user_id.parse().unwrap_or_default();
    let message = number(&customer.state);
    let body = json!({
        "update_id": number(&customer.state),
        "message": {
            "message_id": message,
            "from": { "id": chat, "is_bot": false, "first_name": customer.name, "language_code": "en" },
            "chat": { "id": chat, "type": "private", "first_name": customer.name },
            "date": now_ms() / 1000,
            "text": text,
        },
    });
    Call {
        url: customer.account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-telegram-bot-api-secret-token", customer.account.secret("webhook_secret").to_owned()),
        ],
        body: body.to_string(),
        provider_message_id: format!("{chat}/{message}"),
    }
}
