//! Server-sent events.

use std::time::Duration;

use heliograph_streams::StreamsConfig;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::support::{TOKEN, World, config, event, soon};

fn client() -> reqwest::Client {
    heliograph_runtime::tls::install_provider();
    reqwest::Client::builder().connect_timeout(Duration::from_secs(10)).build().unwrap()
}

/// An open event stream.
struct Events {
    response: Response,
    text: String,
}

/// One block of it.
#[derive(Debug, Default)]
struct Block {
    id: Option<String>,
    event: String,
    data: String,
    comment: Option<String>,
}

impl Events {
    async fn open(world: &World, query: &str, last_event_id: Option<&str>) -> Self {
        let request =
            client().get(format!("http://{}/streams/acme/events{query}", world.http)).bearer_auth(TOKEN);
        let request = match last_event_id {
            Some(id) => request.header("last-event-id", id),
            None => request,
        };
        let response = soon("an event stream", request.send()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next block; none at the end.
    async fn block(&mut self) -> Option<Block> {
        let end = loop {
            if let Some(end) = self.text.find("\n\n") {
                break end;
            }
            let chunk = soon("a piece of the stream", self.response.chunk()).await.unwrap()?;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        };
        let lines: String = self.text.drain(..end + 2).collect();
        let mut block = Block::default();
        for line in lines.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.trim_start())) {
                Some(("id", value)) => block.id = Some(value.to_owned()),
                Some(("event", value)) => value.clone_into(&mut block.event),
                Some(("data", value)) => value.clone_into(&mut block.data),
                Some(("", value)) => block.comment = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(block)
    }

    /// The next event; comments and ids alone are passed over.
    async fn event(&mut self) -> Block {
        loop {
            let block = self.block().await.unwrap();
            if !block.data.is_empty() {
                return block;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_canonical_json_and_resume_by_their_id() {
    let world = World::start(config()).await;
    for number in 1..=6 {
        let kind = if number % 2 == 0 { "message.received" } else { "conversation.opened" };
        world.publish(&event(&format!("evt_{number}"), "islands", "bottle", kind)).await;
    }
    let mut events = Events::open(&world, "?after=0&types=message", None).await;
    let first = events.event().await;
    assert_eq!((first.id.as_deref(), first.event.as_str()), (Some("2"), "message.received"));
    let json: Value = serde_json::from_str(&first.data).unwrap();
    assert_eq!((json["sequence"].as_str(), json["event"]["id"].as_str()), (Some("2"), Some("evt_2")));
    drop(events);
    // The header goes before the address a browser keeps asking.
    let mut events = Events::open(&world, "?after=0&types=message", Some("2")).await;
    assert_eq!(events.event().await.id.as_deref(), Some("4"));
    world.publish(&event("evt_7", "islands", "bottle", "message.sent")).await;
    assert_eq!(events.event().await.id.as_deref(), Some("6"));
    assert_eq!(events.event().await.event, "message.sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_before_its_first_event_can_resume_too() {
    let world = World::start(config()).await;
    world.publish(&event("evt_1", "islands", "bottle", "message.received")).await;
    let mut events = Events::open(&world, "", None).await;
    let id = events.block().await.unwrap().id.unwrap();
    drop(events);
    world.publish(&event("evt_2", "islands", "bottle", "message.received")).await;
    let mut events = Events::open(&world, "", Some(&id)).await;
    let json: Value = serde_json::from_str(&events.event().await.data).unwrap();
    assert_eq!(json["event"]["id"], "evt_2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_stays_alive_and_ends_when_the_service_drains() {
    let world = World::start(StreamsConfig { keep_alive: Duration::from_millis(50), ..config() }).await;
    let mut events = Events::open(&world, "", None).await;
    assert_eq!(events.block().await.unwrap().id.as_deref(), Some("0"));
    for _ in 0..3 {
        assert!(events.block().await.unwrap().comment.is_some());
    }
    world.shutdown.drain();
    while let Some(block) = events.block().await {
        assert!(block.data.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_why() {
    let world = World::start(config()).await;
    let get = async |path: &str, token: &str, last: &str| {
        let request = client().get(format!("http://{}{path}", world.http));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let request = if last.is_empty() { request } else { request.header("last-event-id", last) };
        let response = soon("an answer", request.send()).await.unwrap();
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        (status, body["code"].as_str().unwrap().to_owned())
    };
    let events = "/streams/acme/events";
    for (path, token, last, expected) in [
        (events, "", "", (401, "no_token")),
        (events, "not a token of ours at all", "", (401, "no_token")),
        ("/streams/globex/events", TOKEN, "", (403, "other_tenant")),
        ("/streams/acme/events?after=x", TOKEN, "", (400, "bad_request")),
        ("/streams/acme/events?typos=message", TOKEN, "", (400, "bad_request")),
        ("/streams/acme/events?types=mess*", TOKEN, "", (400, "bad_request")),
        (events, TOKEN, "abc", (400, "bad_request")),
        (events, TOKEN, "9999", (416, "out_of_range")),
    ] {
        let (status, code) = get(path, token, last).await;
        assert_eq!((status, code.as_str()), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn media_are_a_redirect_to_a_link_of_the_tenants_own() {
    let world = World::start(config()).await;
    heliograph_runtime::tls::install_provider();
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let get = |path: &str, token: &str| {
        let request = client.get(format!("http://{}{path}", world.http)).bearer_auth(token).send();
        async move { soon("an answer", request).await.unwrap() }
    };
    let found = get("/streams/acme/media/med_1", TOKEN).await;
    assert_eq!(found.status(), StatusCode::TEMPORARY_REDIRECT);
    let link = found.headers()["location"].to_str().unwrap();
    assert!(link.starts_with("https://media.example.com/media/acme/med_1?exp="), "{link}");
    assert_eq!(get("/streams/globex/media/med_1", TOKEN).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(get("/streams/acme/media/med_1", "nobody's token").await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(get("/streams/acme/media/..%2Fx", TOKEN).await.status(), StatusCode::BAD_REQUEST);
}
