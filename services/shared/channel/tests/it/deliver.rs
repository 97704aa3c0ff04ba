//! `ChannelService` against a provider that behaves, hangs, hangs up, forgets tokens and redirects.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use heliograph_channel::host::HostSettings;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, DeliverRequest, ErrorClass, FetchMediaRequest, MediaInfo, Message, SignalRequest, Typing,
    deliver_response::Outcome, fetch_media_response::Part, signal_request::Signal,
};
use serde_json::json;
use tokio::net::TcpListener;
use tonic::Code;

use crate::fleet::Fleet;

#[derive(Default)]
struct Provider {
    tokens: AtomicU32,
    sends: AtomicU32,
}

async fn provider() -> (Arc<Provider>, String) {
    let state = Arc::new(Provider::default());
    let router = Router::new()
        .route("/send", post(send))
        .route("/hang", post(async || std::future::pending::<()>().await))
        .route("/slow-down", post(async || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "9")])))
        .route("/token", post(token))
        .route(
            "/typing",
            post(async |body: String| if body == "on=1" { StatusCode::OK } else { StatusCode::BAD_REQUEST }),
        )
        .route("/media/{id}", get(media))
        .with_state(Arc::clone(&state));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (state, base)
}

async fn send(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    provider.sends.fetch_add(1, Ordering::Relaxed);
    let newest = format!("Bearer token-{}", provider.tokens.load(Ordering::Relaxed));
    match headers.get("authorization").map(|value| value.to_str().unwrap_or_default()) {
        Some(shown) if shown != newest => StatusCode::UNAUTHORIZED.into_response(),
        _ => "x-1".into_response(),
    }
}

async fn token(State(provider): State<Arc<Provider>>) -> String {
    format!("token-{}", provider.tokens.fetch_add(1, Ordering::Relaxed) + 1)
}

async fn media(
    State(provider): State<Arc<Provider>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let newest = format!("Bearer token-{}", provider.tokens.load(Ordering::Relaxed));
    let fresh = headers.get("authorization").is_some_and(|shown| shown == newest.as_str());
    match id.as_str() {
        "guarded" if fresh => "bytes".into_response(),
        "guarded" => StatusCode::UNAUTHORIZED.into_response(),
        // An error with a status of success, as some providers have it.
        "coded" if fresh => Json(json!({ "text": "a file of JSON" })).into_response(),
        "coded-gone" => Json(json!({ "error": "gone" })).into_response(),
        "coded" | "always-coded" => Json(json!({ "error": "token" })).into_response(),
        "small" if headers.contains_key("authorization") => {
            ([("content-type", "image/png"), ("content-disposition", "inline; filename=\"a.png\"")], "bytes")
                .into_response()
        }
        "moved" => Redirect::temporary("/media/small").into_response(),
        "round" => Redirect::temporary("/media/round").into_response(),
        // Ports of nobody: a connection would be refused, and another error told.
        "inside" => Redirect::temporary("http://127.0.0.1:9/").into_response(),
        "inside-by-name" => Redirect::temporary("http://localhost:9/").into_response(),
        "inside-in-disguise" => Redirect::temporary("http://[::ffff:169.254.169.254]/").into_response(),
        "large" => "x".repeat(101).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn request(tenant: &str) -> DeliverRequest {
    DeliverRequest {
        tenant: tenant.to_owned(),
        account: "main".to_owned(),
        message: Some(Message {
            content: Some(content::text("hi")),
            address: Some(Address { user_id: "ann".to_owned(), ..Address::default() }),
            ..Message::default()
        }),
        delivery_id: "dlv_1".to_owned(),
        ..DeliverRequest::default()
    }
}

async fn deliver(fleet: &mut Fleet) -> Outcome {
    fleet.client.deliver(request("acme")).await.unwrap().into_inner().outcome.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_a_delivery_can_end_is_told_apart() {
    let (_, base) = provider().await;
    let mut fleet = Fleet::start().await;

    fleet.with_account(json!({ "path": "/send" }), Some(base.clone())).await;
    let Outcome::Delivered(delivered) = deliver(&mut fleet).await else { panic!("not delivered") };
    assert_eq!(delivered.provider_message_id, "x-1");
    assert_eq!(fleet.client.deliver(request("globex")).await.unwrap_err().code(), Code::NotFound);
    let empty = DeliverRequest { message: None, ..request("acme") };
    assert_eq!(fleet.client.deliver(empty).await.unwrap_err().code(), Code::InvalidArgument);
    let signal = SignalRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        address: None,
        signal: Some(Signal::Typing(Typing { on: true })),
    };
    assert!(fleet.client.signal(signal).await.unwrap().into_inner().shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_in_doubt_unless_a_repeat_is_harmless() {
    let (_, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/hang" }), Some(base.clone())).await;
    let Outcome::InDoubt(error) = deliver(&mut fleet).await else { panic!("no doubt") };
    assert_eq!((error.error_class(), error.code.as_str()), (ErrorClass::InDoubt, "no_answer"));

    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/hang", "idempotent": true }), Some(base.clone())).await;
    assert!(matches!(deliver(&mut fleet).await, Outcome::RetryLater(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_sent_or_not_taken_is_tried_later() {
    let (_, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/slow-down" }), Some(base)).await;
    let Outcome::RetryLater(later) = deliver(&mut fleet).await else { panic!("not later") };
    assert_eq!(later.retry_after.unwrap().seconds, 9);

    // A port that was free a moment ago: nobody listens there.
    let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap().local_addr().unwrap();
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send" }), Some(format!("http://{free}"))).await;
    let Outcome::RetryLater(later) = deliver(&mut fleet).await else { panic!("not later") };
    assert_eq!(later.error.unwrap().code, "not_sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shared_and_replaced_once_when_the_provider_forgets_it() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "token": true }), Some(base)).await;
    for _ in 0..3 {
        assert!(matches!(deliver(&mut fleet).await, Outcome::Delivered(_)));
    }
    assert_eq!(provider.tokens.load(Ordering::Relaxed), 1);
    // The provider gave a newer token to somebody else, so ours is no longer accepted.
    provider.tokens.fetch_add(1, Ordering::Relaxed);
    assert!(matches!(deliver(&mut fleet).await, Outcome::Delivered(_)));
    assert_eq!(provider.tokens.load(Ordering::Relaxed), 3);
    assert_eq!(provider.sends.load(Ordering::Relaxed), 5);
}

/// What is known of a medium, and its bytes.
async fn fetch(fleet: &mut Fleet, id: &str) -> Result<(MediaInfo, Vec<u8>), tonic::Status> {
    let request = FetchMediaRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        provider_media_id: id.to_owned(),
        url: String::new(),
    };
    let mut stream = fleet.client.fetch_media(request).await?.into_inner();
    let (mut info, mut bytes) = (None, Vec::new());
    while let Some(part) = stream.message().await? {
        match part.part {
            Some(Part::Info(found)) => info = Some(found),
            Some(Part::Chunk(chunk)) => bytes.extend_from_slice(&chunk),
            None => {}
        }
    }
    Ok((info.unwrap(), bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn media_come_bounded_and_through_redirects() {
    let (_, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "token": true }), Some(base)).await;
    let mut fetch = async |id: &str| fetch(&mut fleet, id).await;
    for id in ["small", "moved"] {
        let (info, bytes) = fetch(id).await.unwrap();
        assert_eq!((info.content_type.as_str(), info.file_name.as_str()), ("image/png", "a.png"));
        assert_eq!(bytes, b"bytes");
    }
    assert_eq!(fetch("gone").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(fetch("large").await.unwrap_err().code(), Code::InvalidArgument);
    // A redirect is no way into our network, under whatever name.
    for inside in ["inside", "inside-by-name", "inside-in-disguise"] {
        let refused = fetch(inside).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{inside}");
        assert!(refused.message().contains("no public address"), "{}", refused.message());
    }
    assert_eq!(fetch("round").await.unwrap_err().code(), Code::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_media_are_refused_for_is_replaced_once() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "token": true }), Some(base)).await;
    assert_eq!(fetch(&mut fleet, "guarded").await.unwrap().1, b"bytes");
    assert_eq!(provider.tokens.load(Ordering::Relaxed), 1);
    for (id, bytes) in [("guarded", &b"bytes"[..]), ("coded", br#"{"text":"a file of JSON"}"#)] {
        // The provider gave a newer token to somebody else, so ours is no longer accepted.
        let given = provider.tokens.fetch_add(1, Ordering::Relaxed) + 1;
        let (info, fetched) = fetch(&mut fleet, id).await.unwrap();
        assert_eq!((info.size_bytes, &fetched[..]), (i64::try_from(bytes.len()).unwrap(), bytes), "{id}");
        assert_eq!(provider.tokens.load(Ordering::Relaxed), given + 1, "{id}");
    }
    let gone = fetch(&mut fleet, "coded-gone").await.unwrap_err();
    assert_eq!(gone.code(), Code::NotFound, "for good, though its status is 200");
    let given = provider.tokens.load(Ordering::Relaxed);
    let refused = fetch(&mut fleet, "always-coded").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(provider.tokens.load(Ordering::Relaxed), given + 1, "asked for once");
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_inside_are_out_of_reach_unless_they_are_the_accounts_sandbox() {
    let (provider, base) = provider().await;
    // Loopback by its name in the path of another base: `api_base` is public, the account's URL is not.
    let inside = base.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    let mut fleet = Fleet::start_with(HostSettings { inline_secrets: true, ..HostSettings::default() }).await;
    fleet.with_account(json!({ "path": "/send" }), Some(inside)).await;
    let Outcome::Permanent(error) = deliver(&mut fleet).await else { panic!("it was reached") };
    assert_eq!(error.code, "invalid_request");
    assert!(error.text.contains("no public address"), "{}", error.text);
    assert_eq!(provider.sends.load(Ordering::Relaxed), 0);
}
