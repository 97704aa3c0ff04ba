//! The suite finds what it is there to find: a channel that does everything wrong.

use std::{path::Path, time::Duration};

use heliograph_channel::{
    Account, AccountError, AccountOf, Answer, Body, Calls, Channel, Delivery, Inbound, Outcome, Provider,
    ProviderRequest, ProviderResponse, RawAccount, Received, Refusal, Secrets, Settings, Webhook,
    WebhookRequest,
};
use heliograph_proto::v1::{Address, Capabilities, UnknownEvent, inbound_event::Kind};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::Conformance;

const SECRET: &str = "made-up-secret-0123";

struct Sloppy;

#[derive(Debug)]
struct SloppySettings {
    secret: String,
}

#[derive(Deserialize)]
struct SloppySpec {}

impl Settings for SloppySettings {
    type Spec = SloppySpec;

    fn build(_: SloppySpec, secrets: &Secrets, _: &RawAccount) -> Result<Self, AccountError> {
        Ok(Self { secret: secrets.require("key")?.expose_secret().to_owned() })
    }
}

impl Channel for Sloppy {
    type Settings = SloppySettings;

    fn name(&self) -> &'static str {
        "sloppy"
    }

    fn capabilities(&self, _: &Account<SloppySettings>) -> Capabilities {
        let content = vec!["text".to_owned(), "location".to_owned(), "dance".to_owned()];
        Capabilities { channel: "other".to_owned(), content, text_limit: 100, ..Capabilities::default() }
    }
}

impl Webhook for Sloppy {
    fn receive(&self, account: &AccountOf<Self>, request: &WebhookRequest) -> Result<Received, Refusal> {
        if request.body.is_empty() {
            return Err(Refusal::Forged(format!("expected {}", account.settings.secret)));
        }
        tracing::info!(secret = account.settings.secret, "a request");
        let text = std::str::from_utf8(&request.body[..1]).expect("it is always text");
        let id = format!("{text}{}", request.now_ms);
        let kind = Kind::Unknown(UnknownEvent { kind: String::new() });
        let event = Inbound::new(account, request.now_ms).event(&id, Address::default(), None, kind);
        Ok(Received {
            events: vec![event.clone(), event],
            answer: Answer::ok("", SECRET),
            ..Received::default()
        })
    }
}

impl Provider for Sloppy {
    fn encode(&self, caller: Calls<'_, Self>, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
        if matches!(delivery.message.content.as_ref().and_then(|content| content.kind.as_ref()), Some(kind) if heliograph_domain::content::kind_name(kind) != "text")
        {
            return Err(Outcome::permanent("no", "no"));
        }
        let secret = &caller.account.settings.secret;
        let mut headers = HeaderMap::new();
        headers.insert("x-key", HeaderValue::from_str(secret).expect("ASCII"));
        let url = format!("https://example.test/{secret}");
        Ok(ProviderRequest { method: Method::POST, url, headers, body: Body::Empty })
    }

    fn classify(&self, _: &AccountOf<Self>, response: &ProviderResponse) -> Outcome {
        assert_ne!(response.status, StatusCode::IM_A_TEAPOT, "never seen");
        if response.status.is_server_error() { Outcome::delivered("1") } else { Outcome::permanent("", "") }
    }
}

fn account() -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("key", SECRET.into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "main".to_owned(),
        channel: "sloppy".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings: serde_json::json!({}),
        secrets,
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

#[test]
fn a_channel_that_does_everything_wrong_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "inbound/text.json", r#"{"a": 1}"#);
    write(folder.path(), "refused/other.http", "# expect: 400\nPOST /\n\nx\n");
    write(folder.path(), "answers/ok.json", r#"{"status": 200, "expect": "delivered"}"#);
    // No snapshot can match: there is none, and none may be written.
    write(folder.path(), "snapshots/inbound__text.snap", "---\nsource: x\n---\n{}\n");
    write(folder.path(), "snapshots/outbound__text.snap", "---\nsource: x\n---\n{}\n");

    let failures = Conformance::new(Sloppy, account())
        .fixtures(folder.path())
        .signed(|_, request| {
            request.headers.insert("x-signature", HeaderValue::from_static("abc"));
        })
        .stale_after(Duration::from_mins(5))
        .inbound()
        .outbound()
        .failures();

    for expected in [
        "snapshot inbound__text: panicked",
        "has other ids",
        "two events share an id",
        "an unknown event keeps no `raw`",
        "an unknown event has no `kind`",
        "the answer: holds the secret key",
        "the refusal: holds the secret key",
        "with byte 0 changed: is answered 200 OK instead of 401",
        "without x-signature: is answered 200 OK instead of 401",
        "with x-signature changed: is answered 200 OK instead of 401",
        "is not refused as stale",
        "the field is not kept",
        "refused/other.http: accepted with 200 OK",
        "panicked: it is always text",
        "signed garbage \"\": is answered Ok(401) instead of 400",
        "`channel` is \"other\"",
        "`work_class` is \"\"",
        "`text_limit` without `text_unit`",
        "there is no kind of content called \"dance\"",
        "outbound location: declared, but not encoded",
        "the URL: holds the secret key",
        "the header `x-key` holds a secret and is not marked",
        "answers/ok.json: means permanent and should mean delivered",
        "an answer 503 \"\": is taken for a delivery",
        "does not retry after the 7 s",
        "panicked: assertion",
        "the log: holds the secret key",
        "Debug of the account: holds the secret key",
        "an unknown setting is not refused",
    ] {
        assert!(
            failures.iter().any(|failure| failure.contains(expected)),
            "{expected} is not in {failures:#?}"
        );
    }
}
