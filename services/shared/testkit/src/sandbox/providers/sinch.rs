//! Sinch SMS REST: batches.

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

/// Every field of a batch we may send; anything else is a mistake of ours.
const FIELDS: [&str; 9] = [
    "from",
    "to",
    "type",
    "body",
    "delivery_report",
    "client_reference",
    "callback_url",
    "max_number_of_message_parts",
    "expire_at",
];

/// What the sandbox plays.
pub(super) const CLOUD: Cloud =
    Cloud { name: "sinch", channel: "sms", provider: Some("sinch"), routes: router, compose };

fn router() -> Router<Arc<State>> {
    Router::new().route("/sinch/xms/v1/{plan}/batches", post(create))
}

async fn create(
    Shared(state): Shared<Arc<State>>,
    Path(plan): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    state.faults.meet("sinch", || accept(&state, &plan, &headers, &body)).await
}

fn accept(state: &Arc<State>, plan: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    let Some(account) = state.account_by("sinch", "service_plan_id", plan) else {
        return refuse(state, StatusCode::NOT_FOUND, "not_found", "no such service plan");
    };
    let token = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if token != Some(&format!("Bearer {}", account.secret("api_token"))) {
        return refuse(state, StatusCode::UNAUTHORIZED, "unauthorized", "the token is wrong");
    }
    let batch: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Err(rule) = check(&batch) {
        return refuse(state, StatusCode::BAD_REQUEST, "syntax_constraint_violation", &rule);
    }
    let id = state.next_id();
    let user_id = format!("+{}", batch["to"][0].as_str().unwrap_or_default().trim_start_matches('+'));
    let text = batch["body"].as_str().or(batch["body"]["message"].as_str()).unwrap_or_default().to_owned();
    let reference = batch["client_reference"].as_str().unwrap_or_default().to_owned();
    if state.options.receipts && !batch["callback_url"].is_null() {
        report(state, &account, &id, &batch);
    }
    let answer = json!({ "id": id, "to": batch["to"], "from": batch["from"], "canceled": false, "body": batch["body"], "type": batch["type"] });
    state.accept(Sent {
        provider: "sinch",
        account: account.name.clone(),
        user_id,
        text,
        provider_message_id: id,
        reference,
        request: batch,
        at_ms: now_ms(),
    });
    (StatusCode::CREATED, Json(answer)).into_response()
}

/// What Sinch checks.
fn check(batch: &Value) -> Result<(), String> {
    let fields = batch.as_object().ok_or("the body is not a JSON object")?;
    if let Some(unknown) = fields.keys().find(|field| !FIELDS.contains(&field.as_str())) {
        return Err(format!("unknown field {unknown}"));
    }
    let number = |value: &Value| {
        let text = value.as_str().unwrap_or_default().trim_start_matches('+');
        (3..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let to = batch["to"].as_array().map(Vec::as_slice).unwrap_or_default();
    if to.len() != 1 || !number(&to[0]) {
        return Err("to: one number of 3 to 15 digits".to_owned());
    }
    if batch["from"].as_str().is_none_or(str::is_empty) {
        return Err("from: is missing".to_owned());
    }
    match batch["type"].as_str() {
        Some("mt_text") => match batch["body"].as_str().map(|text| text.chars().count()) {
            Some(1..=2000) => Ok(()),
            _ => Err("body: 1 to 2000 characters".to_owned()),
        },
        Some("mt_media") if batch["body"]["url"].is_string() => Ok(()),
        _ => Err("type: mt_text or mt_media".to_owned()),
    }
}

/// Tells us of the delivery, as `per_recipient` reports do: dispatched, then delivered.
fn report(state: &Arc<State>, account: &Arc<Account>, batch_id: &str, batch: &Value) {
    let (state, account) = (state.clone(), account.clone());
    let (batch_id, recipient) = (batch_id.to_owned(), batch["to"][0].clone());
    let (reference, url) = (batch["client_reference"].clone(), batch["callback_url"].clone());
    let tasks = state.tasks.clone();
    tasks.spawn(async move {
        for (code, status) in [(401, "Dispatched"), (0, "Delivered")] {
            let body = json!({
                "type": "recipient_delivery_report_sms",
                "batch_id": batch_id,
                "recipient": recipient,
                "code": code,
                "status": status,
                "at": jiff::Timestamp::now().to_string(),
                "client_reference": reference,
                "number_of_message_parts": 1,
            });
            let mut call = call(&account, &state.next_id(), body.to_string());
            url.as_str().unwrap_or_default().clone_into(&mut call.url);
            state.post(&call).await;
        }
    });
}

fn refuse(state: &State, status: StatusCode, code: &str, text: &str) -> Response {
    state.problem("sinch", text);
    (status, Json(json!({ "code": code, "text": text }))).into_response()
}

/// The request that tells us of a customer's text.
fn compose(customer: &Customer, text: &str) -> Call {
    let id = customer.state.next_id();
    let body = json!({
        "type": "mo_text",
        "id": id,
        "from": customer.user_id.trim_start_matches('+'),
        "to": customer.account.setting("sender").trim_start_matches('+'),
        "body": text,
        "operator_id": "310260",
        "received_at": jiff::Timestamp::now().to_string(),
    });
    Call { provider_message_id: id, ..call(&customer.account, &customer.state.next_id(), body.to_string()) }
}

/// A callback of Sinch's, signed.
fn call(account: &Account, nonce: &str, body: String) -> Call {
    let timestamp = (now_ms() / 1000).to_string();
    let key = account.secret("webhook_secret").as_bytes();
    let signature =
        sign::hmac_sha256(key, &[body.as_bytes(), b".", nonce.as_bytes(), b".", timestamp.as_bytes()]);
    Call {
        url: account.webhook_url.clone(),
        headers: vec![
            ("content-type", "application/json".to_owned()),
            ("x-sinch-webhook-signature", signature),
            ("x-sinch-webhook-signature-nonce", nonce.to_owned()),
            ("x-sinch-webhook-signature-timestamp", timestamp),
            ("x-sinch-webhook-signature-algorithm", "HmacSHA256".to_owned()),
        ],
        body,
        provider_message_id: String::new(),
    }
}
