//! What a provider's request can hold beyond its signature: anything. Each target signs arbitrary bytes as its provider
//! does, so that they reach the parser, and looks at what comes out of it.

pub mod sign;

use heliograph_channel::{Account, RawAccount, Refusal, Secrets, Webhook, WebhookRequest};
use heliograph_proto::{Message as _, v1::InboundEvent};
use http::{HeaderMap, HeaderValue, Method, header::CONTENT_TYPE};
use serde_json::Value;

/// Our clock: 2026-01-01T00:00:00Z.
const NOW_MS: i64 = 1_767_225_600_000;

/// A channel with an account, and how its provider signs.
pub struct Subject<C: Webhook> {
    channel: C,
    raw: RawAccount,
    account: Account<C::Settings>,
    content_type: &'static str,
    sign: fn(&RawAccount, &mut WebhookRequest),
}

/// What an account is made of.
pub struct Given<'a> {
    /// The provider, on channels that have several.
    pub provider: Option<&'a str>,
    /// The channel's own settings.
    pub settings: Value,
    /// Secrets by name, made up.
    pub secrets: &'a [(&'a str, &'a str)],
}

impl<C: Webhook> Subject<C> {
    /// `channel` with this account, whose provider posts `content_type`.
    pub fn new(
        channel: C,
        given: Given<'_>,
        content_type: &'static str,
        sign: fn(&RawAccount, &mut WebhookRequest),
    ) -> Self {
        let mut secrets = Secrets::default();
        for (name, value) in given.secrets {
            secrets.add(*name, (*value).into());
        }
        let raw = RawAccount {
            tenant: "acme".to_owned(),
            name: "fuzzed".to_owned(),
            channel: channel.name().to_owned(),
            provider: given.provider.map(str::to_owned),
            base_url: None,
            public_base_url: Some("https://hooks.example.test".parse().expect("a URL")),
            settings: given.settings,
            secrets,
        };
        let account = raw.load().expect("the account under test loads");
        Self { channel, raw, account, content_type, sign }
    }

    /// Posts `data`: a body, behind a line `METHOD /path?query` if it begins with one.
    pub fn post(&self, data: &[u8]) {
        let mut request = request(data);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        (self.sign)(&self.raw, &mut request);
        match self.channel.receive(&self.account, &request) {
            Ok(received) => received.events.iter().for_each(look_at),
            // What is signed is never taken for forged, but where the signature covers what cannot be read.
            Err(refusal) => assert!(!matches!(refusal, Refusal::Stale(_)), "signed now, and stale"),
        }
    }
}

fn request(data: &[u8]) -> WebhookRequest {
    let mut request = WebhookRequest {
        method: Method::POST,
        path: String::new(),
        query: String::new(),
        headers: HeaderMap::new(),
        body: data.to_vec().into(),
        now_ms: NOW_MS,
    };
    let line = data.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let Some((method, target)) = line.and_then(|line| line.split_once(" /")) else { return request };
    let method = match method {
        "GET" => Method::GET,
        "POST" => Method::POST,
        "PUT" => Method::PUT,
        _ => return request,
    };
    let rest = data.get(line.map_or(0, str::len) + 1..).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    request.method = method;
    request.path = if path.is_empty() { String::new() } else { format!("/{path}") };
    query.clone_into(&mut request.query);
    request.body = rest.to_vec().into();
    request
}

/// What holds for every event, whatever it was made of.
fn look_at(event: &InboundEvent) {
    assert!(event.id.starts_with("evt_") && event.tenant == "acme" && event.account == "fuzzed");
    assert!(event.kind.is_some() && !event.provider_event_id.is_empty());
    let again = InboundEvent::decode(&event.encode_to_vec()[..]).expect("what we encode can be decoded");
    assert_eq!(&again, event, "not what it was after a trip over the broker");
}

/// A target: the subject is made once.
#[macro_export]
macro_rules! target {
    ($channel:ty, $subject:expr) => {
        static SUBJECT: std::sync::LazyLock<$crate::Subject<$channel>> =
            std::sync::LazyLock::new(|| $subject);
        libfuzzer_sys::fuzz_target!(|data: &[u8]| SUBJECT.post(data));
    };
}
