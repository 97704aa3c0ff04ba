//! LINE: stateless tokens, replies by token, pushes that are told by their retry key, quotes and read marks by the tokens
//! of messages, the loading indicator.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shared,
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
    Cloud { name: "line", channel: "line", provider: None, routes: router, compose };

/// How long a reply token is taken, milliseconds.
const REPLY_MS: i64 = 60_000;

fn router() -> Router<Arc<State>> {
    Router::new()
        .route("/line/oauth2/v3/token", post(token))
        .route("/line/v2/bot/message/push", post(push))
        .route("/line/v2/bot/message/reply", post(reply))
        .route("/line/v2/bot/chat/loading/start", post(loading))
        .route("/line/v2/bot/chat/markAsRead", post(mark_as_read))
}

fn token_of(account: &Account) -> String {
    format!("sandbox-line-{}", account.setting("channel_id"))
}

async fn token(Shared(state): Shared<Arc<State>>, body: Bytes) -> Response {
    let asked = sign::form(&body);
    let asked = |name: &str| asked.get(name).map_or("", String::as_str);
    let account = state.account_by("line", "channel_id", asked("client_id"));
    match account.filter(|account| account.secret("channel_secret") == asked("client_secret")) {
        Some(account) if asked("grant_type") == "client_credentials" => {
            let given =
                json!({ "token_type": "Bearer", "access_token": token_of(&account), "expires_in": 899 });
            Json(given).into_response()
        }
        _ => {
            state.problem("line", "no token for this client");
            let answer = json!({ "error": "invalid_client", "error_description": "invalid client_secret" });
            (StatusCode::BAD_REQUEST, Json(answer)).into_response()
        }
    }
}

fn account(state: &State, headers: &HeaderMap) -> Option<Arc<Account>> {
    let given = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let is_its = |account: &Arc<Account>| {
        let issued = account.secret("channel_access_token");
        account.provider == "line" && (given == token_of(account) || (!issued.is_empty() && given == issued))
    };
    state.accounts().into_iter().find(is_its)
}

async fn push(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    state.faults.meet("line", || accept_push(&state, &headers, &body)).await
}

async fn reply(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    state.faults.meet("line", || accept_reply(&state, &headers, &body)).await
}

fn accept_push(state: &State, headers: &HeaderMap, body: &[u8]) -> Response {
    let (account, request) = match open(state, headers, body) {
        Ok(opened) => opened,
        Err(refused) => return refused,
    };
    let key = headers.get("x-line-retry-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    if !is_uuid(key) {
        return refuse(state, StatusCode::BAD_REQUEST, "The header 'X-Line-Retry-Key' is invalid");
    }
    let user_id = request["to"].as_str().unwrap_or_default().to_owned();
    if !["U", "C", "R"].iter().any(|kind| user_id.starts_with(kind)) {
        return refuse(state, StatusCode::BAD_REQUEST, "The property, 'to', in the request body is invalid");
    }
    // The same push again is answered with what the first one came to.
    let noted = format!("line push {} {key}", account.name);
    if let Some(sent) = state.noted(&noted) {
        let body = json!({
            "message": "The retry key is already accepted",
            "sentMessages": serde_json::from_str::<Value>(&sent).unwrap_or_default(),
        });
        let headers = [("x-line-accepted-request-id", key.to_owned())];
        return (StatusCode::CONFLICT, headers, Json(body)).into_response();
    }
    if let Err(refused) = check_quotes(state, &account, &user_id, &request) {
        return refused;
    }
    let sent = accept(state, &account, user_id, &request);
    state.note(&noted, &sent.to_string());
    Json(json!({ "sentMessages": sent })).into_response()
}

fn accept_reply(state: &State, headers: &HeaderMap, body: &[u8]) -> Response {
    let (account, request) = match open(state, headers, body) {
        Ok(opened) => opened,
        Err(refused) => return refused,
    };
    if headers.contains_key("x-line-retry-key") {
        return refuse(state, StatusCode::BAD_REQUEST, "The header 'X-Line-Retry-Key' is invalid");
    }
    let token = request["replyToken"].as_str().unwrap_or_default();
    // Used once, and soon; that it is over is nobody's mistake.
    let given = state.take_note(&format!("line reply {} {token}", account.name));
    let given = given.as_deref().and_then(|given| given.split_once(' '));
    let user_id = given.filter(|(at, _)| at.parse::<i64>().is_ok_and(|at| now_ms() - at < REPLY_MS));
    let Some((_, user_id)) = user_id else {
        let answer = json!({ "message": "Invalid reply token" });
        return (StatusCode::BAD_REQUEST, Json(answer)).into_response();
    };
    if let Err(refused) = check_quotes(state, &account, user_id, &request) {
        return refused;
    }
    let sent = accept(state, &account, user_id.to_owned(), &request);
    Json(json!({ "sentMessages": sent })).into_response()
}

/// Whose request it is, and what stands in it.
#[expect(clippy::result_large_err, reason = "the refusal is the answer, made once and sent")]
fn open(state: &State, headers: &HeaderMap, body: &[u8]) -> Result<(Arc<Account>, Value), Response> {
    let account = account(state, headers).ok_or_else(|| {
        refuse(
            state,
            StatusCode::UNAUTHORIZED,
            "Authentication failed due to the following reason: invalid token.",
        )
    })?;
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    check(&request).map_err(|rule| refuse(state, StatusCode::BAD_REQUEST, &rule))?;
    Ok((account, request))
}

/// A message is quoted by the token it was given, in its own chat.
#[expect(clippy::result_large_err, reason = "the refusal is the answer, made once and sent")]
fn check_quotes(state: &State, account: &Account, user_id: &str, request: &Value) -> Result<(), Response> {
    for (at, message) in request["messages"].as_array().into_iter().flatten().enumerate() {
        let Some(token) = message["quoteToken"].as_str() else { continue };
        if state.noted(&format!("line quote {} {token}", account.name)).as_deref() != Some(user_id) {
            let text = "The request body has 1 error(s)";
            state.problem("line", format!("{text}: messages[{at}].quoteToken"));
            let property = format!("messages[{at}].quoteToken");
            let details = json!([{ "message": "The quote token is invalid", "property": property }]);
            let answer = json!({ "message": text, "details": details });
            return Err((StatusCode::BAD_REQUEST, Json(answer)).into_response());
        }
    }
    Ok(())
}

/// A token by which a message of this chat can be quoted.
fn quote_token(state: &State, account: &Account, user_id: &str) -> String {
    let token = state.next_id();
    state.note(&format!("line quote {} {token}", account.name), user_id);
    token
}

fn accept(state: &State, account: &Account, user_id: String, request: &Value) -> Value {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ids: Vec<String> = messages.iter().map(|_| state.next_number().to_string()).collect();
    let texts: Vec<&str> = messages.iter().map(text_of).collect();
    let sent = ids.iter().map(|id| {
        let token = quote_token(state, account, &user_id);
        json!({ "id": id, "quoteToken": token })
    });
    let sent = sent.collect();
    state.accept(Sent {
        provider: "line",
        account: account.name.clone(),
        user_id,
        text: texts.join("\n"),
        provider_message_id: ids.first().cloned().unwrap_or_default(),
        reference: String::new(),
        request: request.clone(),
        at_ms: now_ms(),
    });
    sent
}

/// What a customer reads first.
fn text_of(message: &Value) -> &str {
    let named = ["text", "altText", "title", "originalContentUrl", "type"];
    named.iter().find_map(|name| message[*name].as_str()).unwrap_or_default()
}

fn check(request: &Value) -> Result<(), String> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !(1..=5).contains(&messages.len()) {
        return Err("Size must be between 1 and 5: messages".to_owned());
    }
    messages.iter().try_for_each(check_message)
}

fn check_message(message: &Value) -> Result<(), String> {
    let text = |value: &Value, most: usize, about: &str| match value.as_str() {
        Some(text) if !text.is_empty() && text.encode_utf16().count() <= most => Ok(()),
        _ => Err(format!("{about}: must be text of 1 to {most} characters")),
    };
    let url = |name: &str| match message[name].as_str() {
        Some(url) if url.starts_with("https://") => Ok(()),
        _ => Err(format!("{name}: must begin with https")),
    };
    match message["type"].as_str() {
        Some("text") => text(&message["text"], 5000, "text")?,
        Some("image" | "video") => {
            url("originalContentUrl")?;
            url("previewImageUrl")?;
        }
        Some("audio") => {
            url("originalContentUrl")?;
            message["duration"].as_u64().filter(|length| *length > 0).ok_or("duration: is missing")?;
        }
        Some("sticker") => {
            text(&message["packageId"], 20, "packageId")?;
            text(&message["stickerId"], 20, "stickerId")?;
        }
        Some("location") => {
            text(&message["title"], 100, "title")?;
            text(&message["address"], 100, "address")?;
        }
        Some("template") => {
            text(&message["altText"], 1500, "altText")?;
            actions(&message["template"]["actions"])?;
        }
        Some("flex") => text(&message["altText"], 1500, "altText")?,
        Some("imagemap" | "coupon" | "textV2") => {}
        other => return Err(format!("type: there is no {other:?}")),
    }
    let items = message["quickReply"]["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.len() > 13 {
        return Err("quickReply.items: at most 13".to_owned());
    }
    actions(&items.iter().map(|item| item["action"].clone()).collect())
}

fn actions(actions: &Value) -> Result<(), String> {
    for action in actions.as_array().into_iter().flatten() {
        let label = action["label"].as_str().unwrap_or_default();
        if label.is_empty() || label.chars().count() > 20 {
            return Err("label: 1 to 20 characters".to_owned());
        }
        let data = action["data"].as_str().map_or(0, |data| data.chars().count());
        if data > 300 || (action["type"] == "postback" && data == 0) {
            return Err("data: 1 to 300 characters".to_owned());
        }
    }
    Ok(())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

async fn loading(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let seconds = request["loadingSeconds"].as_u64().unwrap_or(20);
    let right = request["chatId"].as_str().is_some_and(|id| id.starts_with('U'))
        && (5..=60).contains(&seconds)
        && seconds.is_multiple_of(5);
    shown(&state, &headers, right, StatusCode::ACCEPTED)
}

async fn mark_as_read(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = request["markAsReadToken"].as_str().unwrap_or_default();
    let given = account(&state, &headers)
        .is_some_and(|account| state.noted(&format!("line read {} {token}", account.name)).is_some());
    shown(&state, &headers, given, StatusCode::OK)
}

fn shown(state: &State, headers: &HeaderMap, right: bool, status: StatusCode) -> Response {
    match account(state, headers) {
        None => refuse(state, StatusCode::UNAUTHORIZED, "invalid token"),
        Some(_) if !right => refuse(state, StatusCode::BAD_REQUEST, "The request body has 1 error(s)"),
        Some(_) => (status, Json(json!({}))).into_response(),
    }
}

fn refuse(state: &State, status: StatusCode, text: &str) -> Response {
    state.problem("line", text);
    (status, Json(json!({ "message": text }))).into_response()
}

/// The request that tells us of a customer's text, with a token to reply.
fn compose(customer: &Customer, text: &str) -> Call {
    let (id, token) = (customer.state.next_number().to_string(), customer.state.next_id());
    let noted = format!("line reply {} {token}", customer.account.name);
    customer.state.note(&noted, &format!("{} {}", now_ms(), customer.user_id));
    let quote = quote_token(&customer.state, &customer.account, &customer.user_id);
    let read = customer.state.next_id();
    customer.state.note(&format!("line read {} {read}", customer.account.name), &customer.user_id);
    let event = json!({
        "type": "message",
        "message": { "id": id, "type": "text", "quoteToken": quote, "markAsReadToken": read, "text": text },
        "webhookEventId": customer.state.next_id().to_uppercase(),
        "deliveryContext": { "isRedelivery": false },
        "timestamp": now_ms(),
        "source": { "type": "user", "userId": customer.user_id },
        "replyToken": token,
        "mode": "active",
    });
    let body = json!({ "destination": "U8e742f61d673b39c7fff3cecb7536ef0", "events": [event] }).to_string();
    let key = customer.account.secret("channel_secret").as_bytes();
    Call {
        url: customer.account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("x-line-signature", sign::hmac_sha256(key, &[body.as_bytes()])),
        ],
        body,
        provider_message_id: id,
    }
}
