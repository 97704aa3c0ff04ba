//! The HTTP server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, WebSocketUpgrade, ws::Message},
    response::IntoResponse,
    routing::{get, post},
};
use futures::StreamExt as _;
use heliograph_runtime::{
    Shutdown,
    config::HttpSettings,
    http::{HttpServer, ServerError},
    http_client::{HttpClient, HttpClientOptions, read_body},
};
use tokio::{net::TcpStream, sync::Notify};

use crate::support::{self, within};

fn client() -> HttpClient {
    HttpClient::new(&HttpClientOptions::default()).unwrap()
}

#[tokio::test]
async fn answers_with_the_peer_at_hand() {
    let echo = get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string());
    let server = support::http(&support::http_settings(), Router::new().route("/", echo)).await;
    let client = client();
    let response = client.send(client.get(server.url("/"))).await.unwrap();
    assert_eq!(read_body(response, 100).await.unwrap(), "127.0.0.1");
}

#[tokio::test]
async fn a_body_is_limited_unless_its_route_says_otherwise() {
    let settings = HttpSettings { body_limit: 10, ..support::http_settings() };
    let length = async |body: Bytes| body.len().to_string();
    let router = Router::new()
        .route("/small", post(length))
        .route("/file", post(length).layer(DefaultBodyLimit::max(100)));
    let server = support::http(&settings, router).await;
    let client = client();
    for (path, length, status) in
        [("/small", 10, 200), ("/small", 11, 413), ("/file", 100, 200), ("/file", 101, 413)]
    {
        let request = client.post(server.url(path)).body(vec![b'x'; length]);
        assert_eq!(client.send(request).await.unwrap().status(), status, "{path} {length}");
    }
}

#[tokio::test]
async fn a_head_is_limited() {
    let settings = HttpSettings { max_header_bytes: 8 * 1024, ..support::http_settings() };
    let server = support::http(&settings, Router::new().route("/", get(async || "ok"))).await;
    let client = client();
    let request = client.get(server.url("/")).header("x-long", "x".repeat(20_000));
    assert_eq!(client.send(request).await.unwrap().status(), 431);
}

#[tokio::test]
async fn a_handler_that_hangs_is_our_fault() {
    let settings = HttpSettings { request_timeout: Duration::from_millis(50), ..support::http_settings() };
    let hang = get(async || std::future::pending::<&'static str>().await);
    let server = support::http(&settings, Router::new().route("/", hang)).await;
    let client = client();
    let response = client.send(client.get(server.url("/"))).await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let server = support::http(&support::http_settings(), Router::new()).await;
    let settings = HttpSettings { addr: server.addr, ..support::http_settings() };
    let error = HttpServer::bind(&settings).await.unwrap_err();
    assert!(matches!(error, ServerError::Bind { addr, .. } if addr == server.addr), "{error}");
}

/// A route that tells when it was entered and answers when it is let go.
struct Held {
    entered: Notify,
    release: Notify,
}

fn held() -> (Arc<Held>, Router) {
    let held = Arc::new(Held { entered: Notify::new(), release: Notify::new() });
    let route = {
        let held = Arc::clone(&held);
        get(async move || {
            held.entered.notify_one();
            held.release.notified().await;
            "finished"
        })
    };
    (held, Router::new().route("/", route))
}

#[tokio::test]
async fn draining_refuses_newcomers_and_finishes_what_is_in_hand() {
    let (held, router) = held();
    let mut server = support::http(&support::http_settings(), router).await;
    let client = client();
    let request = tokio::spawn({
        let (client, url) = (client.clone(), server.url("/"));
        async move { read_body(client.send(client.get(url)).await.unwrap(), 100).await.unwrap() }
    });
    within(held.entered.notified()).await;
    server.shutdown.drain();
    let refused = async { while TcpStream::connect(server.addr).await.is_ok() {} };
    within(refused).await;
    assert!(!server.task.is_finished());
    held.release.notify_one();
    assert_eq!(within(request).await.unwrap(), "finished");
    within(&mut server.task).await.unwrap();
}

#[tokio::test]
async fn cancelling_does_not_wait_for_what_hangs() {
    let (held, router) = held();
    let mut server = support::http(&support::http_settings(), router).await;
    let client = client();
    let request = tokio::spawn({
        let (client, url) = (client.clone(), server.url("/"));
        async move { client.send(client.get(url)).await }
    });
    within(held.entered.notified()).await;
    server.shutdown.cancel();
    within(&mut server.task).await.unwrap();
    let error = within(request).await.unwrap().unwrap_err();
    assert!(!error.never_sent(), "{error}");
}

/// Says goodbye when the server drains, as every WebSocket handler here must.
fn socket(shutdown: Shutdown, upgrade: WebSocketUpgrade) -> impl IntoResponse {
    upgrade.on_upgrade(async move |mut socket| {
        socket.send(Message::text("hello")).await.unwrap();
        shutdown.draining().await;
        socket.send(Message::text("goodbye")).await.unwrap();
        socket.send(Message::Close(None)).await.unwrap();
        // The other side's close.
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

#[tokio::test]
async fn draining_waits_for_websockets() {
    let server = HttpServer::bind(&support::http_settings()).await.unwrap();
    let (addr, shutdown) = (server.local_addr(), Shutdown::new());
    let route = get({
        let shutdown = shutdown.clone();
        async move |upgrade: WebSocketUpgrade| socket(shutdown.clone(), upgrade)
    });
    let mut task = tokio::spawn(server.serve(Router::new().route("/ws", route), shutdown.clone()));
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut client, _) = tokio_tungstenite::client_async(format!("ws://{addr}/ws"), stream).await.unwrap();
    assert_eq!(within(client.next()).await.unwrap().unwrap().to_text().unwrap(), "hello");
    shutdown.drain();
    assert_eq!(within(client.next()).await.unwrap().unwrap().to_text().unwrap(), "goodbye");
    assert!(!task.is_finished());
    while within(client.next()).await.is_some_and(|message| message.is_ok()) {}
    let _ = client.close(None).await;
    drop(client);
    within(&mut task).await.unwrap().unwrap();
}
