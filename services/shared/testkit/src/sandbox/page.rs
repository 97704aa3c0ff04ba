//! The customers' phones, to look at and to write from.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State as Shared,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{customer::Customer, state::State};

pub(super) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/phones/") }))
        .route("/phones/", get(page))
        .route(
            "/phones/page.js",
            get(|| async { file("text/javascript", include_str!("../../web/phones.js")) }),
        )
        .route("/phones/page.css", get(|| async { file("text/css", include_str!("../../web/phones.css")) }))
        .route("/phones/api/state", get(phones))
        .route("/phones/api/say", post(say))
        .with_state(state)
}

async fn page() -> Response {
    let mut response = Html(include_str!("../../web/phones.html")).into_response();
    let policy = HeaderValue::from_static("default-src 'self'; base-uri 'none'; form-action 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn file(content_type: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

async fn phones(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let phones: Vec<Value> = state
        .phones()
        .into_iter()
        .map(|((account, user_id), name, lines)| {
            let provider = state.account(&account).map_or("", |account| account.provider);
            json!({ "account": account, "provider": provider, "user_id": user_id, "name": name, "lines": lines })
        })
        .collect();
    let accounts: Vec<Value> = state
        .accounts()
        .iter()
        .map(|account| json!({ "name": account.name, "provider": account.provider }))
        .collect();
    Json(json!({ "phones": phones, "accounts": accounts, "problems": state.problems() }))
}

#[derive(Deserialize)]
struct Say {
    account: String,
    user_id: String,
    #[serde(default)]
    name: String,
    text: String,
}

async fn say(Shared(state): Shared<Arc<State>>, Json(say): Json<Say>) -> Response {
    let Some(account) = state.account(&say.account) else {
        let error = json!({ "error": format!("there is no account called `{}`", say.account) });
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    };
    let posted = Customer::new(state, account, say.user_id, say.name).say(&say.text).await;
    Json(json!({ "status": posted.status })).into_response()
}
