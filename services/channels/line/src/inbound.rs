//! The one URL LINE calls: events of several users in one request.

mod events;
mod messages;

use std::time::Duration;

use heliograph_channel::{
    Account, Handle, Inbound, Purpose, Received, Refusal, Reply, WebhookRequest,
    events::kept,
    inbound::timestamp,
    json::{beyond, text},
};
use heliograph_proto::{
    Timestamp,
    v1::{Address, InboundEvent, inbound_event::Kind},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{LineSettings, LineSpec, signature};

/// What an event holds that is read, or says nothing more than that.
const KNOWN: &str = "type mode timestamp source webhookEventId deliveryContext replyToken message unsend follow \
     postback videoPlayComplete";

/// Verifies and parses one request. No events at all is LINE's way to see whether somebody is there.
pub(crate) fn receive(
    account: &Account<LineSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    request.is_post()?;
    let given = request.proof("x-line-signature")?;
    if !signature::matches(&account.settings.channel_secrets, &request.body, given) {
        return Err(Refusal::Forged("`x-line-signature` does not match the channel secret".to_owned()));
    }
    let mut envelope = request.fields()?;
    let Some(Value::Array(items)) = envelope.remove("events") else {
        return Err(Refusal::Malformed("`events` is missing or not a list".to_owned()));
    };
    let inbound = Inbound::new(account, request.now_ms);
    let mut received = Received::default();
    for item in &items {
        let parser = Parser { inbound: &inbound, settings: &account.settings, item };
        received.events.extend(parser.parse());
        received.replies.extend(parser.reply());
        received.handles.extend(parser.handles());
    }
    // What came beside the events is kept with the first of them.
    let beside = envelope.keys().any(|name| name != "destination");
    if let (true, Some(first), Some(item)) = (beside, received.events.first_mut(), items.into_iter().next()) {
        envelope.insert("events".to_owned(), Value::Array(vec![item]));
        first.raw = Some(kept(&Value::Object(envelope)));
    }
    Ok(received)
}

/// One event, being normalized.
struct Parser<'a> {
    inbound: &'a Inbound<'a>,
    settings: &'a LineSettings,
    item: &'a Value,
}

impl Parser<'_> {
    /// What it means; an event that cannot be read is kept, so that its siblings arrive.
    fn parse(&self) -> Vec<InboundEvent> {
        let kind = self.item["type"].as_str().unwrap_or("untyped");
        if self.is_standby() {
            // Another module answers this chat.
            return vec![self.unknown(&format!("standby.{kind}"))];
        }
        let mut events = self.read(kind).unwrap_or_else(|| vec![self.unknown(&format!("malformed.{kind}"))]);
        if let Some(first) = events.first_mut().filter(|first| first.raw.is_none() && self.holds_more()) {
            first.raw = Some(kept(self.item));
        }
        events
    }

    fn is_standby(&self) -> bool {
        self.item["mode"] == "standby"
    }

    /// Fields beyond those that are read.
    fn holds_more(&self) -> bool {
        let mut more = beyond(self.item, KNOWN).chain(beyond(&self.item["message"], messages::KNOWN));
        more.next().is_some()
    }

    /// The handle to answer with, where the event has one and it is ours to answer.
    fn reply(&self) -> Option<Reply> {
        let LineSpec { reply_tokens: true, reply_token_seconds, .. } = self.settings.spec else {
            return None;
        };
        let valid_for = Duration::from_secs(reply_token_seconds);
        let token = self.item["replyToken"].as_str().filter(|token| !token.is_empty())?;
        let user_id = self.address()?.user_id;
        (!self.is_standby()).then(|| Reply { user_id, value: token.into(), valid_for })
    }

    /// The tokens to quote the message and to mark it as read, where they are ours to use.
    fn handles(&self) -> impl Iterator<Item = Handle> {
        let said = &self.item["message"];
        let of = |name: &str, purpose| {
            let value = said[name].as_str().filter(|token| !token.is_empty() && !self.is_standby())?;
            let provider_message_id = said["id"].as_str()?.to_owned();
            let valid_for = self.settings.tokens_last();
            Some(Handle { provider_message_id, purpose, value: value.into(), valid_for })
        };
        let read = self.settings.spec.mark_as_read.then(|| of("markAsReadToken", Purpose::Read)).flatten();
        [of("quoteToken", Purpose::Quote), read].into_iter().flatten()
    }

    /// Who is answered: a group or room as a whole, or a user.
    fn address(&self) -> Option<Address> {
        let source = &self.item["source"];
        let id = ["groupId", "roomId", "userId"].iter().find_map(|name| source[*name].as_str());
        let id = id.filter(|id| !id.is_empty())?;
        Some(Address { user_id: id.to_owned(), ..Address::default() })
    }

    fn time(&self) -> Option<Timestamp> {
        self.item["timestamp"].as_i64().map(timestamp)
    }

    /// What LINE repeats when it delivers again. An event without it is told by what stands in it.
    fn id(&self) -> String {
        match text(self.item, "webhookEventId") {
            "" => format!("sha256:{}", hex::encode(Sha256::digest(self.item.to_string()))),
            id => id.to_owned(),
        }
    }

    fn event(&self, id: &str, address: Address, kind: Kind) -> InboundEvent {
        self.inbound.event(id, address, self.time(), kind)
    }

    fn unknown(&self, kind: &str) -> InboundEvent {
        let address = self.address().unwrap_or_default();
        self.inbound.unknown(&self.id(), address, self.time(), kind, kept(self.item))
    }
}
