//! Media that are uploaded once, replies that are tried first, and answers to requests that are held.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use heliograph_channel::host::HostSettings;
use heliograph_proto::v1::{
    Address, Content, DeliverRequest, Media, MediaKind, Message, ReadMark, SignalRequest, content::Kind,
    deliver_response::Outcome, signal_request::Signal,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fleet::{Fleet, eventually};

/// A provider that knows what was uploaded to it, and which reply tokens were used.
#[derive(Default)]
struct Provider {
    uploads: Vec<String>,
    known: BTreeSet<String>,
    used: BTreeSet<String>,
    /// What it accepted.
    taken: Vec<Value>,
    /// It does not answer replies, though it takes them.
    deaf: bool,
    /// It takes no replies for now.
    full: bool,
}

type Shared = Arc<Mutex<Provider>>;

async fn provider() -> (Shared, String) {
    let state = Shared::default();
    let router = Router::new()
        .route("/upload", post(upload))
        .route("/send", post(send))
        .route("/reply", post(reply))
        .route("/seen", post(seen))
        .with_state(Arc::clone(&state));
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (state, base)
}

async fn upload(State(provider): State<Shared>, headers: HeaderMap, body: String) -> Response {
    assert!(headers["content-type"].to_str().unwrap().starts_with("multipart/form-data; boundary="));
    let mut provider = provider.lock().unwrap();
    provider.uploads.push(body);
    let id = format!("up-{}", provider.uploads.len());
    provider.known.insert(id.clone());
    id.into_response()
}

async fn send(State(provider): State<Shared>, Json(body): Json<Value>) -> Response {
    let mut provider = provider.lock().unwrap();
    let media = body["media"].as_str().unwrap();
    if !media.is_empty() && !provider.known.contains(media) {
        return StatusCode::GONE.into_response();
    }
    provider.taken.push(body);
    "x-1".into_response()
}

async fn seen(State(provider): State<Shared>, Json(body): Json<Value>) {
    provider.lock().unwrap().taken.push(body);
}

async fn reply(State(provider): State<Shared>, Json(body): Json<Value>) -> Response {
    let deaf = {
        let mut provider = provider.lock().unwrap();
        if provider.full {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        if !provider.used.insert(body["reply"].as_str().unwrap().to_owned()) {
            return StatusCode::CONFLICT.into_response();
        }
        provider.taken.push(body);
        provider.deaf
    };
    if deaf {
        std::future::pending::<()>().await;
    }
    "x-2".into_response()
}

fn request(delivery_id: &str, content: Kind) -> DeliverRequest {
    DeliverRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        message: Some(Message {
            content: Some(Content { kind: Some(content) }),
            address: Some(Address { user_id: "ann".to_owned(), ..Address::default() }),
            ..Message::default()
        }),
        delivery_id: delivery_id.to_owned(),
        ..DeliverRequest::default()
    }
}

fn picture(object_id: &str) -> Kind {
    Kind::Media(Media {
        kind: MediaKind::Image.into(),
        object_id: object_id.to_owned(),
        // Another channel's: of no use here.
        provider_media_id: "elsewhere".to_owned(),
        ..Media::default()
    })
}

fn said(text: &str) -> Kind {
    heliograph_domain::content::text(text).kind.unwrap()
}

async fn deliver(fleet: &mut Fleet, request: DeliverRequest) -> Outcome {
    fleet.client.deliver(request).await.unwrap().into_inner().outcome.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_is_uploaded_once_and_again_when_the_provider_forgets_it() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "uploads": true }), Some(base)).await;
    let mut bytes = &b"a picture"[..];
    fleet.media.put("acme", "med_1", "image/png", "a.png", &mut bytes, 100).await.unwrap();
    for number in 1..=2 {
        let request = request(&format!("dlv_{number}"), picture("med_1"));
        assert!(matches!(deliver(&mut fleet, request).await, Outcome::Delivered(_)));
    }
    {
        let mut provider = provider.lock().unwrap();
        assert_eq!(provider.uploads.len(), 1);
        assert!(
            provider.uploads[0]
                .contains("filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\na picture\r\n")
        );
        assert!(provider.taken.iter().all(|taken| taken["media"] == "up-1"));
        provider.known.clear();
    }
    assert!(matches!(deliver(&mut fleet, request("dlv_3", picture("med_1"))).await, Outcome::Delivered(_)));
    assert_eq!(provider.lock().unwrap().taken[2]["media"], "up-2");

    let Outcome::Permanent(error) = deliver(&mut fleet, request("dlv_4", picture("med_2"))).await else {
        panic!("there is no such medium")
    };
    assert_eq!(error.code, "media_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_medium_that_only_we_can_reach_is_not_sent_by_its_link() {
    let (_, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send" }), Some(base)).await;
    let Outcome::Permanent(error) = deliver(&mut fleet, request("dlv_1", picture("med_1"))).await else {
        panic!("sent without a URL")
    };
    assert_eq!(error.code, "no_public_url");
    assert!(error.text.contains("media.public_url"), "{}", error.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_handle_is_used_once_and_a_lost_reply_is_never_sent_twice() {
    let (provider, base) = provider().await;
    let settings = HostSettings {
        inline_secrets: true,
        provider_timeout: std::time::Duration::from_millis(500),
        ..HostSettings::default()
    };
    let mut fleet = Fleet::start_with(settings).await;
    fleet.with_account(json!({ "path": "/send", "replies": true, "idempotent": true }), Some(base)).await;
    let written = async |fleet: &mut Fleet, id: &str, delivery: &str| {
        let body = json!([{ "id": id, "user": "ann", "text": "hi" }]).to_string();
        assert_eq!(fleet.post("main", "k", &body).await.0, 200);
        // The handle is kept a moment after the provider is answered.
        let key = "hg:{acme}:reply:probe:main:ann";
        eventually("the handle is kept", async || fleet.redis_has(key).await).await;
        deliver(fleet, request(delivery, said("hello"))).await
    };
    assert!(matches!(written(&mut fleet, "m1", "dlv_1").await, Outcome::Delivered(_)));
    assert!(matches!(deliver(&mut fleet, request("dlv_2", said("more"))).await, Outcome::Delivered(_)));
    {
        let mut provider = provider.lock().unwrap();
        let replies: Vec<&str> = provider.taken.iter().filter_map(|taken| taken["reply"].as_str()).collect();
        assert_eq!((replies.as_slice(), provider.taken.len()), (&["reply-to-m1"][..], 2));
        // Somebody else used it: the message goes out the other way.
        provider.used.insert("reply-to-m2".to_owned());
    }
    assert!(matches!(written(&mut fleet, "m2", "dlv_3").await, Outcome::Delivered(_)));
    {
        let mut provider = provider.lock().unwrap();
        assert!(provider.taken[2]["reply"].is_null());
        provider.full = true;
    }
    // A reply that was refused was not used, however long that went on.
    assert!(matches!(written(&mut fleet, "m2b", "dlv_3b").await, Outcome::RetryLater(_)));
    assert!(matches!(deliver(&mut fleet, request("dlv_3b", said("hello"))).await, Outcome::RetryLater(_)));
    provider.lock().unwrap().used.insert("reply-to-m2b".to_owned());
    provider.lock().unwrap().full = false;
    assert!(matches!(deliver(&mut fleet, request("dlv_3b", said("hello"))).await, Outcome::Delivered(_)));
    {
        let mut provider = provider.lock().unwrap();
        assert!(provider.taken[3]["reply"].is_null());
        provider.deaf = true;
    }
    assert!(matches!(written(&mut fleet, "m3", "dlv_4").await, Outcome::InDoubt(_)));
    // Whoever tries again anyway finds that it was used.
    assert!(matches!(deliver(&mut fleet, request("dlv_4", said("hello"))).await, Outcome::InDoubt(_)));
    assert_eq!(provider.lock().unwrap().taken.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_is_shown_upon_what_the_customer_wrote_last() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    fleet.with_account(json!({ "path": "/send", "replies": true }), Some(base)).await;
    let signal = SignalRequest {
        tenant: "acme".to_owned(),
        account: "main".to_owned(),
        address: Some(Address { user_id: "ann".to_owned(), ..Address::default() }),
        signal: Some(Signal::ReadMark(ReadMark::default())),
    };
    assert!(!fleet.client.signal(signal.clone()).await.unwrap().into_inner().shown, "she wrote nothing");
    let body = json!([{ "id": "m1", "user": "ann", "text": "hi" }]).to_string();
    assert_eq!(fleet.post("main", "k", &body).await.0, 200);
    let key = "hg:{acme}:reply:probe:main:ann";
    eventually("the handle is kept", async || fleet.redis_has(key).await).await;
    for _ in 0..2 {
        assert!(fleet.client.signal(signal.clone()).await.unwrap().into_inner().shown);
    }
    let upon = json!({ "upon": "reply-to-m1" });
    assert_eq!(provider.lock().unwrap().taken, [upon.clone(), upon]);
    let nobody = SignalRequest { address: None, ..signal };
    assert!(!fleet.client.signal(nobody).await.unwrap().into_inner().shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_goes_into_the_answer_of_a_request_that_is_held() {
    let (provider, base) = provider().await;
    let mut fleet = Fleet::start().await;
    // Longer than the test takes: only an answer ends the wait.
    fleet.with_account(json!({ "path": "/send", "holds": 30_000 }), Some(base)).await;
    let body = |id: &str| json!([{ "id": id, "user": "ann", "text": "hi" }]).to_string();
    let asking = {
        let request = fleet.request("main", "k", &body("m1"));
        tokio::spawn(async move { request.send().await.unwrap().text().await.unwrap() })
    };
    eventually("the message is stored", async || fleet.stored().await == 1).await;
    let long = "too long to be said in an answer";
    assert!(matches!(deliver(&mut fleet, request("dlv_1", said(long))).await, Outcome::Delivered(_)));
    assert_eq!(provider.lock().unwrap().taken.len(), 1, "what does not fit goes out the other way");
    let Outcome::Delivered(delivered) = deliver(&mut fleet, request("dlv_2", said("hello"))).await else {
        panic!("not delivered")
    };
    assert_eq!(delivered.provider_message_id, "");
    let answer = asking.await.unwrap();
    assert_eq!(answer, format!("hello ({} bytes)", body("m1").len()));
    // The provider did not get it, and asks again: the same answer, and nothing else happens.
    assert_eq!(fleet.post("main", "k", &body("m1")).await, (200, answer));
    // Nobody waits any more.
    assert!(matches!(deliver(&mut fleet, request("dlv_3", said("more"))).await, Outcome::Delivered(_)));
    assert_eq!(provider.lock().unwrap().taken.len(), 2);
}
