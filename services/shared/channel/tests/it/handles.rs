//! Handles of messages: kept as they come, given back when the message is quoted or marked as read.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Json, Router, extract::State, routing::post};
use heliograph_domain::{content, ids};
use heliograph_proto::v1::{
    Address, DeliverRequest, Message, MessageReference, ReadMark, SignalRequest, deliver_response::Outcome,
    signal_request::Signal,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fleet::{Fleet, eventually};

#[derive(Default)]
struct Provider {
    sends: AtomicUsize,
    taken: Mutex<Vec<Value>>,
}

impl Provider {
    fn last(&self) -> Value {
        self.taken.lock().unwrap().last().unwrap().clone()
    }
}

/// A provider that calls what it takes `x-1`, `x-2` and so on.
async fn provider() -> (Arc<Provider>, String) {
    let state = Arc::new(Provider::default());
    let router =
        Router::new().route("/send", post(send)).route("/seen", post(seen)).with_state(Arc::clone(&state));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (state, base)
}

async fn send(State(provider): State<Arc<Provider>>, Json(body): Json<Value>) -> String {
    provider.taken.lock().unwrap().push(body);
    format!("x-{}", provider.sends.fetch_add(1, Ordering::Relaxed) + 1)
}

async fn seen(State(provider): State<Arc<Provider>>, Json(body): Json<Value>) {
    provider.taken.lock().unwrap().push(body);
}

fn by_provider(id: &str) -> MessageReference {
    MessageReference { provider_message_id: id.to_owned(), ..MessageReference::default() }
}

fn ours(id: impl Into<String>) -> MessageReference {
    MessageReference { message_id: id.into(), ..MessageReference::default() }
}

/// What a message that came in is called by us.
fn received(id: &str) -> String {
    ids::derive(ids::MESSAGE, &["acme", "probe", "main", id])
}

async fn answer(fleet: &mut Fleet, message_id: &str, reply_to: MessageReference) {
    let request = DeliverRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        message: Some(Message {
            id: message_id.to_owned(),
            content: Some(content::text("hi")),
            address: Some(Address { user_id: "ann".to_owned(), ..Address::default() }),
            reply_to: Some(reply_to),
            ..Message::default()
        }),
        delivery_id: format!("dlv_{message_id}"),
        ..DeliverRequest::default()
    };
    let outcome = fleet.client.deliver(request).await.unwrap().into_inner().outcome.unwrap();
    assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}");
}

async fn mark(fleet: &mut Fleet, up_to: Option<MessageReference>) -> bool {
    let signal = SignalRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        address: Some(Address { user_id: "ann".to_owned(), ..Address::default() }),
        signal: Some(Signal::ReadMark(ReadMark { up_to, ..ReadMark::default() })),
    };
    fleet.client.signal(signal).await.unwrap().into_inner().shown
}

fn key(purpose: &str, message: &str) -> String {
    format!("hg:{{acme}}:handle:{purpose}:probe:main:{message}")
}

async fn written(fleet: &Fleet, id: &str) {
    let body = json!([{ "id": id, "user": "ann", "text": "hi" }]).to_string();
    assert_eq!(fleet.post("main", "k", &body).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_quoted_and_marked_as_read_by_the_handles_it_came_with() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "handles": 600_000 }), Some(base)).await;
    assert!(!mark(&mut fleet, Some(by_provider("m1"))).await, "nobody wrote");
    written(&fleet, "m1").await;
    written(&fleet, "m2").await;
    // They are kept a moment after the provider is answered, in order.
    let last = key("read", &received("m2"));
    eventually("the handles are kept", async || fleet.redis_has(&last).await).await;

    for quoted in [by_provider("m1"), ours(received("m1"))] {
        answer(&mut fleet, "", quoted.clone()).await;
        assert_eq!(provider.last()["quote"], "quote-m1", "{quoted:?}");
        assert!(mark(&mut fleet, Some(quoted)).await);
        assert_eq!(provider.last(), json!({ "upon": "read-m1" }));
    }
    answer(&mut fleet, "", by_provider("m3")).await;
    assert_eq!(provider.last()["quote"], Value::Null, "a message that nobody knows is not quoted");
    assert!(!mark(&mut fleet, Some(by_provider("m3"))).await);
    assert!(!mark(&mut fleet, None).await, "read up to nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_quoted_by_the_handle_in_its_answer() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "handles": 600_000 }), Some(base)).await;
    answer(&mut fleet, "msg_1", ours("msg_0")).await;
    // Two parts of one message: whoever quotes it quotes the first.
    answer(&mut fleet, "msg_2", ours("msg_0")).await;
    answer(&mut fleet, "msg_2", ours("msg_0")).await;
    for (quoted, expected) in [
        (ours("msg_1"), "quote-x-1"),
        (by_provider("x-1"), "quote-x-1"),
        (ours("msg_2"), "quote-x-2"),
        (by_provider("x-3"), "quote-x-3"),
    ] {
        answer(&mut fleet, "", quoted.clone()).await;
        assert_eq!(provider.last()["quote"], expected, "{quoted:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handle_that_is_over_or_lost_costs_the_quote_and_not_the_message() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "handles": 1 }), Some(base.clone())).await;
    written(&fleet, "m1").await;
    // Kept after it, and for longer.
    fleet.with_account(json!({ "path": "/send", "handles": 600_000 }), Some(base)).await;
    let later = key("quote", &received("m2"));
    eventually("it is kept for longer", async || {
        written(&fleet, "m2").await;
        fleet.redis_has(&later).await
    })
    .await;
    let over = key("quote", &received("m1"));
    eventually("it is over", async || !fleet.redis_has(&over).await).await;
    answer(&mut fleet, "", by_provider("m1")).await;
    assert_eq!(provider.last()["quote"], Value::Null);

    fleet.redis.kill9();
    answer(&mut fleet, "", by_provider("m2")).await;
    assert_eq!(provider.last()["quote"], Value::Null);
    assert!(!mark(&mut fleet, Some(by_provider("m2"))).await);
}
