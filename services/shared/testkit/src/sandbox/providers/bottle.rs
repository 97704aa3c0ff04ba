//! The owner of a bottle: takes signed letters at `/bottle/<account>`.

use std::sync::Arc;

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
    Cloud { name: "bottle", channel: "bottle", provider: None, routes: router, compose };

fn router() -> Router<Arc<State>> {
    Router::new().route("/bottle/{account}", post(letter))
}

async fn letter(
    Shared(state): Shared<Arc<State>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.faults.meet("bottle", || accept(&state, &account, &headers, &body)).await
}

fn accept(state: &Arc<State>, account: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let Some(account) = state.account(account).filter(|account| account.provider == "bottle") else {
        return refuse(state, StatusCode::NOT_FOUND, "no such account");
    };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let key = sign::webhook_key(account.secret("signing"));
    let expected = sign::hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    if !header("webhook-signature").split(' ').any(|given| given == format!("v1,{expected}")) {
        return refuse(state, StatusCode::UNAUTHORIZED, "the signature is wrong");
    }
    let Ok(letter) = serde_json::from_slice::<Value>(body) else {
        return refuse(state, StatusCode::BAD_REQUEST, "the body is not JSON");
    };
    // Typing and read marks are letters too, and need no answer.
    let data = &letter["data"];
    let user_id = data["to"]["id"].as_str().unwrap_or_default().to_owned();
    if letter["type"] != "message.send" {
        return StatusCode::ACCEPTED.into_response();
    }
    if user_id.is_empty() {
        return refuse(state, StatusCode::BAD_REQUEST, "/data/to/id is missing");
    }
    // The id is our delivery's: a repeat is answered like the first and thrown into the sea once.
    let external = format!("bottle-{id}");
    if !state.sent().iter().any(|sent| sent.provider_message_id == external) {
        if state.options.receipts {
            report(state, &account, &external, data);
        }
        state.accept(Sent {
            provider: "bottle",
            account: account.name.clone(),
            user_id,
            text: data["text"].as_str().unwrap_or_default().to_owned(),
            provider_message_id: external.clone(),
            reference: data["metadata"]["correlation"].as_str().unwrap_or_default().to_owned(),
            request: letter,
            at_ms: now_ms(),
        });
    }
    (StatusCode::ACCEPTED, Json(json!({ "id": external }))).into_response()
}

fn report(state: &Arc<State>, account: &Arc<Account>, external: &str, data: &Value) {
    let (state, account, external, data) =
        (state.clone(), account.clone(), external.to_owned(), data.clone());
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        let id = state.next_id();
        let body = json!({
            "type": "message.status",
            "id": id,
            "timestamp": jiff::Timestamp::now().to_string(),
            "data": {
                "message_id": data["message_id"],
                "external_id": external,
                "status": "delivered",
                "correlation": data["metadata"]["correlation"],
                "to": data["to"],
            },
        });
        state.post(&call(&account, &id, body.to_string())).await;
    });
}

fn refuse(state: &State, status: StatusCode, text: &str) -> Response {
    state.problem("bottle", text);
    let error = json!({ "error": { "code": status.as_str(), "text": text, "class": "permanent" } });
    (status, Json(error)).into_response()
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = customer.state.next_id();
    let body = json!({
        "type": "message.received",
        "id": id,
        "timestamp": jiff::Timestamp::now().to_string(),
        "data": { "from": { "id": customer.user_id, "name": customer.name, "phone": phone(&customer.user_id) }, "text": text },
    });
    Call { provider_message_id: id.clone(), ..call(&customer.account, &id, body.to_string()) }
}

/// A Standard Webhooks request of a bottle's owner.
fn call(account: &Account, id: &str, body: String) -> Call {
    let timestamp = (now_ms() / 1000).to_string();
    let key = sign::webhook_key(account.secret("signing"));
    let signature =
        sign::hmac_sha256(&key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body.as_bytes()]);
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", timestamp),
            ("webhook-signature", format!("v1,{signature}")),
        ],
        body,
        provider_message_id: String::new(),
    }
}

fn phone(user_id: &str) -> Option<&str> {
    user_id.starts_with('+').then_some(user_id)
}
