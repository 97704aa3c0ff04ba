//! The channel and the sandbox, which share no code, understand each other.

use heliograph_channel::{
    Account, Body, Caller, Delivery, Provider as _, RawAccount, Webhook as _, WebhookRequest,
};
use heliograph_channel_messenger::{Messenger, MessengerSettings};
use heliograph_domain::content;
use heliograph_proto::v1::{Message, inbound_event::Kind};
use heliograph_runtime::http_client::{HttpClient, HttpClientOptions};
use heliograph_testkit::sandbox::{Sandbox, SandboxOptions};
use http::HeaderMap;
use serde_json::json;

use crate::conformance::raw;

async fn start() -> (Sandbox, Account<MessengerSettings>) {
    let options = SandboxOptions { receipts: false, ..SandboxOptions::default() };
    let sandbox = Sandbox::start(options).await.unwrap();
    let base_url = sandbox.provider_url("messenger", None).parse().unwrap();
    let raw = RawAccount {
        base_url: Some(base_url),
        ..raw(json!({ "page_id": crate::conformance::PAGE, "utility_templates": true }))
    };
    sandbox.add_account(&raw, "http://127.0.0.1:1/messenger/main");
    let account = raw.load().unwrap();
    (sandbox, account)
}

#[tokio::test]
async fn what_customers_write_is_read() {
    let (sandbox, account) = start().await;
    let text = "Grüße 👍 https://example.com/a";
    let call = sandbox.customer("main", "1254", "Ann").compose(text);
    let mut headers = HeaderMap::new();
    for (name, value) in call.headers {
        headers.insert(name, value.parse().unwrap());
    }
    let request = WebhookRequest {
        method: http::Method::POST,
        path: String::new(),
        query: String::new(),
        headers,
        body: call.body.into(),
        now_ms: 1_762_800_001_000,
    };
    let received = Messenger.receive(&account, &request).unwrap();
    let Some(Kind::Message(message)) = &received.events[0].kind else { panic!("not a message") };
    assert_eq!(content::preview(message.content.as_ref().unwrap()), text);
    assert_eq!(message.provider_message_id, call.provider_message_id);
}

#[tokio::test]
async fn the_provider_takes_all_that_is_sent() {
    let (sandbox, account) = start().await;
    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/outbound");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let message: Message = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let request = Messenger
            .encode(&Caller::new(&account, 0), &Delivery::new(&message, "dlv_1", "corr", 0))
            .unwrap();
        let Body::Json(body) = request.body else { panic!("not JSON") };
        let mut call = client.post(request.url).body(body);
        for (name, value) in &request.headers {
            call = call.header(name, value);
        }
        let status = client.send(call).await.unwrap().status();
        let problems = sandbox.problems();
        assert!(status.is_success() && problems.is_empty(), "{}: {status} {problems:?}", path.display());
    }
    assert!(sandbox.sent().len() > 10);
}
