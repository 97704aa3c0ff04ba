//! What is said in a chat, and what happens to it.

use heliograph_channel::{
    events::{JSON, named},
    inbound::raw,
    json::{beyond, flag, owned, text},
};
use heliograph_proto::v1::{
    Address, AddressChange, Content, ConversationStart, Edit, InboundEvent, MessageReference, Referral,
    content::Kind as ContentKind, inbound_event::Kind,
};
use serde_json::Value;

use super::{Reader, content, is_private, name};
use crate::peer::Peer;

/// Fields of a message that are read, or say nothing a reader would miss.
const KNOWN: &str = "animation audio author_signature business_connection_id caption caption_entities chat contact date \
                     document edit_date effect_id entities forward_origin from has_media_spoiler \
                     has_protected_content is_automatic_forward is_from_offline is_paid_post is_topic_message \
                     link_preview_options live_photo location media_group_id message_id message_thread_id \
                     migrate_from_chat_id migrate_to_chat_id paid_star_count photo quote reply_markup \
                     reply_to_message sender_boost_count sender_business_bot sender_chat sender_tag \
                     show_caption_above_media sticker text venue via_bot video video_note voice";

impl Reader<'_> {
    pub(super) fn message(&self) -> Option<Vec<InboundEvent>> {
        let (message, peer) = (self.body, Peer::of(self.body)?);
        let number = message["message_id"].as_i64()?;
        if let Some(event) = self.moved(&peer) {
            return Some(vec![event]);
        }
        if let Some(why) = not_the_customers(message) {
            return Some(vec![self.unknown(why, peer.to_string())]);
        }
        let Some(content) = content::of(message) else {
            let what = beyond(message, KNOWN).next().unwrap_or("empty");
            return Some(vec![self.unknown(&format!("message.{what}"), peer.to_string())]);
        };
        let start = started_by(message)
            .map(|start| self.event(&format!("{}/start", self.id), &peer, Kind::ConversationStart(start)));
        Some(start.into_iter().chain([self.said(&peer, number, content)]).collect())
    }

    fn said(&self, peer: &Peer, number: i64, content: ContentKind) -> InboundEvent {
        let (message, from) = (self.body, self.from);
        let mut said = self.inbound.message(&peer.message(number), name(from), self.date(), content);
        said.reply_to = replied_to(self, peer);
        said.referral = started_by(message).and_then(|start| start.referral);
        said.forwarded = message["forward_origin"].is_object();
        let from_id = from["id"].as_i64().filter(|_| !is_private(self.chat));
        let notes = [
            ("album", owned(message, "media_group_id")),
            ("quote", owned(&message["quote"], "text")),
            ("forwarded_from", origin(&message["forward_origin"])),
            ("username", owned(from, "username")),
            ("from_id", from_id.map(|id| id.to_string()).unwrap_or_default()),
        ];
        let notes = notes.into_iter().filter(|(_, value)| !value.is_empty());
        said.metadata.extend(notes.map(|(name, value)| (name.to_owned(), value)));
        let phone = own_number(message).unwrap_or_default();
        let address = Address { phone, ..self.address(peer) };
        let mut event = self.inbound.event(&self.id, address, self.date(), Kind::Message(said));
        if beyond(message, KNOWN).any(|name| !content::CUSTOM.split_whitespace().any(|custom| custom == name))
        {
            event.raw = Some(raw(JSON, &self.request.body));
        }
        event
    }

    pub(super) fn edited(&self) -> Option<InboundEvent> {
        let (message, peer) = (self.body, Peer::of(self.body)?);
        if let Some(why) = not_the_customers(message) {
            return Some(self.unknown(why, peer.to_string()));
        }
        let content = Some(Box::new(Content { kind: Some(content::of(message)?) }));
        let target = Some(self.inbound.theirs(&peer.message(message["message_id"].as_i64()?)));
        let edit = ContentKind::Edit(Box::new(Edit { target, content }));
        Some(self.remark(&self.id, &peer, edit))
    }

    /// A group that became a supergroup has another id from then on.
    fn moved(&self, peer: &Peer) -> Option<InboundEvent> {
        let elsewhere = |chat: i64| Peer { chat: chat.to_string(), ..peer.clone() };
        let chat = |name: &str| self.body[name].as_i64().map(elsewhere);
        let (old, new) = match (chat("migrate_to_chat_id"), chat("migrate_from_chat_id")) {
            (Some(to), _) => (peer.clone(), to),
            (None, from) => (from?, peer.clone()),
        };
        let address = self.address(&new);
        let previous = Some(Address { user_id: old.to_string(), ..address.clone() });
        let moved = Kind::AddressChange(AddressChange { previous });
        Some(self.inbound.event(&self.id, address, self.date(), moved))
    }
}

fn replied_to(reader: &Reader<'_>, peer: &Peer) -> Option<MessageReference> {
    let answered = &reader.body["reply_to_message"];
    // What is said in a topic answers the message that opened it, in form only.
    let number = answered["message_id"].as_i64().filter(|number| Some(*number) != peer.topic)?;
    let (name, from) = (peer.message(number), &answered["from"]);
    Some(if from.is_object() && !flag(from, "is_bot") { reader.inbound.theirs(&name) } else { named(name) })
}

/// Why a message is nothing that the customer said.
fn not_the_customers(message: &Value) -> Option<&'static str> {
    let (from, chat) = (&message["from"], &message["chat"]);
    if message["sender_business_bot"].is_object() {
        return Some("echo");
    }
    if is_private(chat) {
        // The owner of a business account writes to the customer by hand.
        return (from["id"] != chat["id"]).then_some("echo");
    }
    if flag(message, "is_automatic_forward") {
        return Some("automatic_forward");
    }
    // A bot that stands for somebody who does not show themselves is none.
    (flag(from, "is_bot") && !message["sender_chat"].is_object()).then_some("bot_message")
}

/// `/start`, with what the link that led here carried.
fn started_by(message: &Value) -> Option<ConversationStart> {
    let text = message["text"].as_str().filter(|_| is_private(&message["chat"]))?;
    let mut words = text.split_whitespace();
    let command = words.next()?;
    let referral = words.next().map(|payload| Referral {
        source: "link".to_owned(),
        payload: payload.to_owned(),
        ..Referral::default()
    });
    (command == "/start" || command.starts_with("/start@")).then_some(ConversationStart { referral })
}

/// The customer's number, where the card they sent is their own, as Telegram says it is.
fn own_number(message: &Value) -> Option<String> {
    let contact = &message["contact"];
    let own = contact["user_id"].is_i64() && contact["user_id"] == message["from"]["id"];
    let digits = text(contact, "phone_number").trim_start_matches('+');
    let number = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (own && number).then(|| format!("+{digits}"))
}

/// Who said first what is forwarded.
fn origin(origin: &Value) -> String {
    let title = |chat: &str| owned(&origin[chat], "title");
    let all = [
        name(&origin["sender_user"]),
        owned(origin, "sender_user_name"),
        title("sender_chat"),
        title("chat"),
    ];
    all.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}
