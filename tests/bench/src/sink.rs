//! Stands in for the provider's API: takes every batch and notes when it came.

use std::net::SocketAddr;

use axum::{Json, Router, extract::State};
use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::arrivals::Arrivals;

/// Serves until the process ends; its address.
pub(crate) async fn start(arrivals: Arrivals) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    let addr = listener.local_addr()?;
    let router = Router::new().fallback(take).with_state(arrivals);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            eprintln!("the sink ended: {error}");
        }
    });
    Ok(addr)
}

/// A batch whose text begins with its number.
async fn take(State(arrivals): State<Arrivals>, body: Bytes) -> (StatusCode, Json<Value>) {
    let batch: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = batch["body"].as_str().unwrap_or_default();
    match text.split(' ').next().and_then(|n| n.parse().ok()) {
        Some(n) => {
            arrivals.note(n);
            (StatusCode::CREATED, Json(json!({ "id": format!("sink-{n}") })))
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({ "code": "syntax", "text": "no number" }))),
    }
}
