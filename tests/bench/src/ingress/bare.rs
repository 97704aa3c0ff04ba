//! The least a correct ingress can do: check the HMAC, publish, wait for the PubAck, answer.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context as _;
use async_nats::{HeaderMap as Headers, jetstream};
use axum::{Router, extract::State, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use heliograph_fabric::Stream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::{
    ground::{Addresses, TENANT, WEBHOOK_SECRET},
    process::until_let_go,
};

struct Bare {
    jetstream: jetstream::Context,
    /// What the host stored for a webhook like those that come; every request publishes the same under an id of its own.
    headers: Headers,
    payload: Bytes,
    subjects: Vec<String>,
    next: AtomicU64,
}

/// Prints its address, then serves until it is let go.
pub(crate) async fn serve(addresses: &Addresses) -> anyhow::Result<()> {
    let jetstream = jetstream::new(async_nats::connect(&addresses.nats).await?);
    let stream = jetstream.get_stream(Stream::Inbound.name()).await?;
    let last = stream.get_last_raw_message_by_subject("hg.inbound.>").await?;
    let bare = Bare {
        jetstream,
        headers: last.headers,
        payload: last.payload,
        subjects: (0..16).map(|partition| format!("hg.inbound.{partition}.{TENANT}.sms")).collect(),
        next: AtomicU64::new(0),
    };
    let router = Router::new().route("/sms/{account}", post(take)).with_state(Arc::new(bare));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!("{}", listener.local_addr()?);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // As the host does; refused, it merely costs time.
        let _ = stream.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, router) => served?,
        () = until_let_go() => {}
    }
    Ok(())
}

async fn take(State(bare): State<Arc<Bare>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !genuine(&headers, &body).unwrap_or(false) {
        return StatusCode::UNAUTHORIZED;
    }
    match bare.publish().await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            eprintln!("{error:#}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}

fn genuine(headers: &HeaderMap, body: &[u8]) -> Option<bool> {
    let text = |name| headers.get(name)?.to_str().ok();
    let signature = STANDARD.decode(text("x-sinch-webhook-signature")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).ok()?;
    mac.update(body);
    mac.update(b".");
    mac.update(text("x-sinch-webhook-signature-nonce")?.as_bytes());
    mac.update(b".");
    mac.update(text("x-sinch-webhook-signature-timestamp")?.as_bytes());
    Some(mac.verify_slice(&signature).is_ok())
}

impl Bare {
    async fn publish(&self) -> anyhow::Result<()> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let mut headers = self.headers.clone();
        // As long as a derived id.
        headers.insert("Nats-Msg-Id", format!("bar_{n:026}"));
        let subject = self.subjects[n as usize % self.subjects.len()].clone();
        let ack = self.jetstream.publish_with_headers(subject, headers, self.payload.clone()).await?;
        let ack = ack.await.context("no PubAck")?;
        anyhow::ensure!(!ack.duplicate, "an id was used twice");
        Ok(())
    }
}
