//! The one URL the provider calls: the question whether it is ours, and one event a request, in a Pub/Sub envelope.
//!
//! All agents of a partner share one queue there, and a request that is refused holds the others up: whatever is signed
//! is taken.

mod events;
mod messages;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_channel::{Account, Answer, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_proto::{
    Timestamp,
    v1::{Address, InboundEvent, UnknownEvent, inbound_event::Kind},
};
use http::Method;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{RcsSettings, settings::Handshake, signature};

/// What an event holds that is read, or says nothing more than that.
const KNOWN: [&str; 12] = [
    "senderPhoneNumber",
    "phoneNumber",
    "messageId",
    "eventId",
    "eventType",
    "sendTime",
    "agentId",
    "text",
    "suggestionResponse",
    "location",
    "userFile",
    "carrier",
];

/// Verifies and parses one request.
pub(crate) fn receive(account: &Account<RcsSettings>, request: &WebhookRequest) -> Result<Received, Refusal> {
    if request.method != Method::POST {
        return Err(Refusal::Method("POST"));
    }
    let settings = &account.settings;
    let envelope: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    if let (Some(token), Some(secret)) = (envelope["clientToken"].as_str(), envelope["secret"].as_str()) {
        return handshake(settings, token, secret);
    }
    let given = request
        .header("x-goog-signature")
        .ok_or_else(|| Refusal::Forged("the header `X-Goog-Signature` is missing".to_owned()))?;
    // What is signed is what `message.data` holds: without it, nothing proves where the request comes from.
    let data = envelope["message"]["data"].as_str().and_then(|data| STANDARD.decode(data).ok());
    let data = data.ok_or_else(|| {
        Refusal::Forged("the body holds no `message.data` in base64, which is what is signed".to_owned())
    })?;
    if !signature::matches(&settings.client_tokens, &data, given) {
        return Err(Refusal::Forged("`X-Goog-Signature` does not match the client token".to_owned()));
    }
    let parser = Parser {
        inbound: Inbound::new(account, request.now_ms),
        agent_id: &settings.agent_id,
        item: serde_json::from_slice(&data).unwrap_or_default(),
        data,
    };
    Ok(Received { events: vec![parser.parse()], ..Received::default() })
}

/// The provider asks whether this URL knows the client token, and wants its secret back.
fn handshake(settings: &RcsSettings, token: &str, secret: &str) -> Result<Received, Refusal> {
    if !signature::is_token(&settings.client_tokens, token) {
        return Err(Refusal::Forged("`clientToken` is not the account's".to_owned()));
    }
    let text = match settings.handshake {
        Handshake::Bare => secret.to_owned(),
        Handshake::Labelled => format!("secret: {secret}"),
    };
    Ok(Received { answer: Answer::ok("text/plain; charset=utf-8", text), ..Received::default() })
}

/// A text of an event; empty where it is not there.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One event, being normalized.
struct Parser<'a> {
    inbound: Inbound<'a>,
    agent_id: &'a str,
    /// Null when it is not JSON.
    item: Value,
    data: Vec<u8>,
}

impl Parser<'_> {
    fn parse(&self) -> InboundEvent {
        if !self.item.is_object() {
            return self.unknown("unreadable");
        }
        if self.item["agentId"].as_str().is_some_and(|agent| agent != self.agent_id) {
            // A partner's webhook hears of all its agents.
            return self.unknown("other_agent");
        }
        let read = match self.item["eventType"].as_str() {
            Some(kind) => self.event(kind),
            None => self.message(),
        };
        let mut event = read.unwrap_or_else(|| self.unknown("malformed"));
        let more = |fields: &serde_json::Map<String, Value>| {
            fields.keys().any(|name| !KNOWN.contains(&name.as_str()))
        };
        if event.raw.is_none() && self.item.as_object().is_some_and(more) {
            event.raw = Some(raw("application/json", &self.data.clone().into()));
        }
        event
    }

    /// The customer, by their number; the provider's own events call it differently.
    fn phone(&self) -> Option<&str> {
        let names = ["senderPhoneNumber", "phoneNumber"];
        names.iter().find_map(|name| self.item[*name].as_str()).filter(|phone| !phone.is_empty())
    }

    /// The carrier vouches for the number.
    fn address(&self) -> Option<Address> {
        let phone = self.phone()?;
        let is_number = phone.starts_with('+');
        Some(Address {
            user_id: phone.to_owned(),
            phone: if is_number { phone.to_owned() } else { String::new() },
            verified: is_number,
            ..Address::default()
        })
    }

    fn time(&self) -> Option<Timestamp> {
        let time: jiff::Timestamp = self.item["sendTime"].as_str()?.parse().ok()?;
        Some(Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
    }

    /// What the provider repeats: the event's or message's id, which is unique for a customer. What has none is told by
    /// all that it holds.
    fn id(&self) -> String {
        let id = |name: &str| self.item[name].as_str().filter(|id| !id.is_empty());
        let found = id("eventId").map(|id| format!("event:{id}")).or_else(|| {
            let message = self.item["eventType"].is_null().then(|| id("messageId"))??;
            Some(format!("message:{message}"))
        });
        match found {
            Some(found) => format!("{}:{found}", self.phone().unwrap_or_default()),
            None => format!("sha256:{}", hex::encode(Sha256::digest(&self.data))),
        }
    }

    fn made(&self, address: Address, kind: Kind) -> InboundEvent {
        self.inbound.event(&self.id(), address, self.time(), kind)
    }

    fn unknown(&self, kind: &str) -> InboundEvent {
        let unknown = Kind::Unknown(UnknownEvent { kind: kind.to_owned() });
        let mut event = self.made(self.address().unwrap_or_default(), unknown);
        event.raw = Some(raw("application/json", &self.data.clone().into()));
        event
    }
}
