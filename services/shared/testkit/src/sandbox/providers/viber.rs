//! Viber's bots: messages, and what it reports of them.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shared,
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sandbox::{
    account::Account,
    customer::{Call, Customer},
    providers::Cloud,
    record::Sent,
    state::{State, now_ms},
};

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "viber", channel: "viber", provider: None, routes: router, compose };

fn router() -> Router<Arc<State>> {
    Router::new().route("/viber/pa/send_message", post(send))
}

async fn send(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    state.faults.meet("viber", || accept(&state, &headers, &body)).await
}

fn accept(state: &Arc<State>, headers: &HeaderMap, body: &[u8]) -> Response {
    let given = headers.get("x-viber-auth-token").and_then(|value| value.to_str().ok());
    let accounts = state.accounts();
    let is_its =
        |account: &&Arc<Account>| account.provider == "viber" && given == Some(account.secret("auth_token"));
    let Some(account) = accounts.iter().find(is_its) else { return refuse(state, 2, "invalidAuthToken") };
    let Ok(request) = serde_json::from_slice::<Value>(body) else { return refuse(state, 3, "badData") };
    if body.len() > 30 * 1024 {
        return refuse(state, 3, "badData: the request is larger than 30 KB");
    }
    let text = match check(&request) {
        Ok(text) => text,
        Err((status, why)) => return refuse(state, status, why),
    };
    let user_id = request["receiver"].as_str().unwrap_or_default().to_owned();
    // A customer who never wrote has not subscribed.
    if !state.phones().iter().any(|((at, user), ..)| *at == account.name && *user == user_id) {
        return refuse(state, 6, "receiverNotSubscribed");
    }
    let token = state.next_number();
    state.accept(Sent {
        provider: "viber",
        account: account.name.clone(),
        user_id: user_id.clone(),
        text,
        provider_message_id: token.to_string(),
        reference: String::new(),
        request,
        at_ms: now_ms(),
    });
    if state.options.receipts {
        report(state, account, &user_id, token);
    }
    Json(json!({
        "status": 0, "status_message": "ok", "message_token": token, "chat_hostname": "SN-SANDBOX", "billing_status": 1,
    }))
    .into_response()
}

/// What the customer reads, or what is wrong, with Viber's status.
fn check(request: &Value) -> Result<String, (u8, &'static str)> {
    let length = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if length(&request["receiver"]) == 0 {
        return Err((4, "missingData: receiver"));
    }
    if !(1..=28).contains(&length(&request["sender"]["name"])) {
        return Err((3, "badData: sender.name"));
    }
    if length(&request["tracking_data"]) > 4000 {
        return Err((3, "badData: tracking_data"));
    }
    if let Some(keyboard) = request.get("keyboard") {
        check_buttons(&keyboard["Buttons"], &keyboard["Type"], "keyboard", 12 * 6)?;
    }
    let sized = |most: i64| request["size"].as_i64().is_some_and(|size| (1..=most).contains(&size));
    let linked = (1..=2000).contains(&length(&request["media"]));
    match request["type"].as_str() {
        Some("text") if (1..=7000).contains(&length(&request["text"])) => Ok(text(&request["text"])),
        Some("picture") if linked && request["text"].is_string() && length(&request["text"]) <= 768 => {
            Ok(format!("[picture] {}", text(&request["text"])))
        }
        Some("video") if linked && sized(27_262_976) => Ok(format!("[video] {}", text(&request["text"]))),
        Some("file") if linked && sized(52_428_800) && (1..=256).contains(&length(&request["file_name"])) => {
            Ok(format!("[file] {}", text(&request["file_name"])))
        }
        Some("sticker") if request["sticker_id"].is_u64() => Ok("[sticker]".to_owned()),
        Some("location")
            if request["location"]["lat"].is_number() && request["location"]["lon"].is_number() =>
        {
            Ok("[location]".to_owned())
        }
        Some("contact")
            if length(&request["contact"]["name"]) <= 28
                && (1..=18).contains(&length(&request["contact"]["phone_number"])) =>
        {
            Ok(format!("[contact] {}", text(&request["contact"]["name"])))
        }
        Some("rich_media") => {
            if request["min_api_version"].as_i64().unwrap_or(1) < 7 {
                return Err((13, "apiVersionNotSupported"));
            }
            let group = &request["rich_media"];
            check_buttons(&group["Buttons"], &group["Type"], "rich_media", 6 * 7 * 6)?;
            Ok(format!("[cards] {}", text(&request["alt_text"])))
        }
        _ => Err((3, "badData")),
    }
}

fn check_buttons(buttons: &Value, kind: &Value, wanted: &str, most: u64) -> Result<(), (u8, &'static str)> {
    let buttons = buttons.as_array().filter(|buttons| !buttons.is_empty() && kind == wanted);
    let Some(buttons) = buttons else { return Err((3, "badData: buttons")) };
    let mut area = 0;
    for button in buttons {
        let acts = ["reply", "open-url", "none"].contains(&button["ActionType"].as_str().unwrap_or_default());
        let (columns, rows) = (button["Columns"].as_u64().unwrap_or(6), button["Rows"].as_u64().unwrap_or(1));
        if !acts
            || !button["ActionBody"].is_string()
            || !(1..=6).contains(&columns)
            || !(1..=7).contains(&rows)
        {
            return Err((3, "badData: button"));
        }
        area += columns * rows;
    }
    if area > most { Err((3, "badData: too many buttons")) } else { Ok(()) }
}

fn report(state: &Arc<State>, account: &Arc<Account>, user_id: &str, token: u64) {
    let (account, user_id) = (account.clone(), user_id.to_owned());
    let reporting = state.clone();
    state.tasks.spawn(async move {
        for event in ["delivered", "seen"] {
            let body = json!({
                "event": event, "timestamp": now_ms(), "message_token": token, "user_id": user_id,
                "chat_hostname": "SN-SANDBOX",
            });
            reporting.post(&call(&account, body.to_string())).await;
        }
    });
}

fn refuse(state: &State, status: u8, text: &str) -> Response {
    state.problem("viber", format!("{status}: {text}"));
    Json(json!({ "status": status, "status_message": text, "chat_hostname": "SN-SANDBOX" })).into_response()
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let token = customer.state.next_number();
    let body = json!({
        "event": "message",
        "timestamp": now_ms(),
        "message_token": token,
        "chat_hostname": "SN-SANDBOX",
        "sender": { "id": customer.user_id, "name": customer.name, "language": "en", "api_version": 10 },
        "message": { "type": "text", "text": text },
        "silent": false,
    });
    Call { provider_message_id: token.to_string(), ..call(&customer.account, body.to_string()) }
}

/// A callback, signed.
fn call(account: &Account, body: String) -> Call {
    let mut mac = Hmac::<Sha256>::new_from_slice(account.secret("auth_token").as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-viber-content-signature", hex::encode(mac.finalize().into_bytes())),
        ],
        body,
        provider_message_id: String::new(),
    }
}
