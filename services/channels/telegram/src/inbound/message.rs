//! What is said in a chat, and what happens to it.

use heliograph_channel::inbound::raw;
use heliograph_proto::v1::{
    Address, AddressChange, Content, ConversationStart, Edit, InboundEvent, MessageReference, Referral,
    content::Kind as ContentKind, inbound_event::Kind,
};
use serde_json::Value;

use super::{Reader, address, content, is_in, time};
use crate::{
    payload::{Contact, Message, User},
    peer::Peer,
};

/// Fields that say nothing a reader would miss.
const TRIFLES: &str = "author_signature caption_entities effect_id has_media_spoiler has_protected_content is_from_offline \
                       is_paid_post link_preview_options live_photo paid_star_count sender_boost_count sender_tag \
                       show_caption_above_media via_bot";

/// The chat a message stands in.
pub(super) fn peer(message: &Message) -> Peer {
    Peer {
        business: message.business_connection_id.clone(),
        chat: message.chat.id.to_string(),
        topic: message.message_thread_id.filter(|_| message.is_topic_message),
    }
}

impl Reader<'_> {
    pub(super) fn message(&self, message: &Message) -> Vec<InboundEvent> {
        let peer = peer(message);
        if let Some(event) = self.moved(message, &peer) {
            return vec![event];
        }
        if let Some(why) = not_the_customers(message) {
            return vec![self.kept(message, &peer, why)];
        }
        let Some(content) = content::of(message) else {
            let what = message.other.keys().find(|name| !is_in(TRIFLES, name));
            let what = format!("message.{}", what.map_or("empty", String::as_str));
            return vec![self.kept(message, &peer, &what)];
        };
        let started = started_by(message);
        let referral = started.clone().filter(|referral| !referral.payload.is_empty());
        let mut events = Vec::new();
        if started.is_some() {
            let start = ConversationStart { referral: referral.clone() };
            let address = address(&peer, Some(&message.chat), message.from.as_ref());
            let id = format!("{}/start", self.id);
            events.push(self.event_called(&id, address, message.date, Kind::ConversationStart(start)));
        }
        events.push(self.said(message, &peer, content, referral));
        events
    }

    fn said(
        &self,
        message: &Message,
        peer: &Peer,
        content: ContentKind,
        referral: Option<Referral>,
    ) -> InboundEvent {
        let name = peer.message(message.message_id);
        let by = message.from.as_ref().map(User::name).unwrap_or_default();
        let mut said = self.inbound.message(&name, by, time(message.date), content);
        said.reply_to = self.replied_to(message, peer);
        said.referral = referral;
        said.forwarded = message.forward_origin.is_some();
        let mut note = |key: &str, value: &str| {
            if !value.is_empty() {
                said.metadata.insert(key.to_owned(), value.to_owned());
            }
        };
        note("album", message.media_group_id.as_deref().unwrap_or_default());
        note("quote", message.quote.as_ref().map_or("", |quote| &quote.text));
        note("forwarded_from", &message.forward_origin.as_ref().map(origin).unwrap_or_default());
        if let Some(from) = &message.from {
            note("username", &from.username);
            if !message.chat.is_private() {
                note("from_id", &from.id.to_string());
            }
        }
        let mut address = address(peer, Some(&message.chat), message.from.as_ref());
        address.phone = own_number(message).unwrap_or_default();
        let mut event = self.event(address, message.date, Kind::Message(said));
        let more = |name: &String| !is_in(TRIFLES, name) && !is_in(content::CUSTOM, name);
        if message.other.keys().any(more) {
            event.raw = Some(raw("application/json", &self.request.body));
        }
        event
    }

    pub(super) fn edited(&self, message: &Message) -> Option<Vec<InboundEvent>> {
        let peer = peer(message);
        if let Some(why) = not_the_customers(message) {
            return Some(vec![self.kept(message, &peer, why)]);
        }
        let content = Box::new(Content { kind: Some(content::of(message)?) });
        let target = Some(self.theirs(&peer, message.message_id));
        let edit = ContentKind::Edit(Box::new(Edit { target, content: Some(content) }));
        let address = address(&peer, Some(&message.chat), message.from.as_ref());
        let date = message.edit_date.unwrap_or(message.date);
        Some(vec![self.remark(&self.id, (address, message.from.as_ref()), date, edit)])
    }

    /// A group that became a supergroup has another id from then on.
    fn moved(&self, message: &Message, peer: &Peer) -> Option<InboundEvent> {
        let elsewhere = |chat: i64| Peer { chat: chat.to_string(), ..peer.clone() };
        let (old, new) = match (message.migrate_to_chat_id, message.migrate_from_chat_id) {
            (Some(to), _) => (peer.clone(), elsewhere(to)),
            (None, Some(from)) => (elsewhere(from), peer.clone()),
            (None, None) => return None,
        };
        let at = address(&new, Some(&message.chat), message.from.as_ref());
        let mut event = self.event(at, message.date, Kind::AddressChange(AddressChange::default()));
        let previous = event.address.clone().map(|at| Address { user_id: old.to_string(), ..at });
        event.kind = Some(Kind::AddressChange(AddressChange { previous }));
        Some(event)
    }

    fn kept(&self, message: &Message, peer: &Peer, kind: &str) -> InboundEvent {
        let mut event = self.unknown(kind, &Value::Null);
        event.occurred_at = time(message.date);
        if let Some(address) = &mut event.address {
            address.user_id = peer.to_string();
        }
        event
    }

    fn replied_to(&self, message: &Message, peer: &Peer) -> Option<MessageReference> {
        // What is said in a topic answers the message that opened it, in form only.
        let opened = message.message_thread_id.filter(|_| message.is_topic_message);
        let named = message.reply_to_message.as_ref().filter(|named| Some(named.message_id) != opened)?;
        let own = named.from.as_ref().is_some_and(|from| !from.is_bot);
        let by_name = || MessageReference {
            provider_message_id: peer.message(named.message_id),
            ..MessageReference::default()
        };
        Some(if own { self.theirs(peer, named.message_id) } else { by_name() })
    }
}

/// Why a message is nothing that the customer said.
fn not_the_customers(message: &Message) -> Option<&'static str> {
    let from = message.from.as_ref();
    if message.sender_business_bot.is_some() {
        return Some("echo");
    }
    if message.chat.is_private() {
        // The owner of a business account writes to the customer by hand.
        return from.is_none_or(|from| from.id != message.chat.id).then_some("echo");
    }
    if message.is_automatic_forward {
        return Some("automatic_forward");
    }
    // A bot that stands for somebody who does not show themselves is none.
    (from.is_some_and(|from| from.is_bot) && message.sender_chat.is_none()).then_some("bot_message")
}

/// `/start`, with what the link that led here carried.
fn started_by(message: &Message) -> Option<Referral> {
    let text = message.text.as_deref().filter(|_| message.chat.is_private())?;
    let mut words = text.split_whitespace();
    let command = words.next()?;
    if command != "/start" && !command.starts_with("/start@") {
        return None;
    }
    let payload = words.next().unwrap_or_default().to_owned();
    Some(Referral { source: "link".to_owned(), payload, ..Referral::default() })
}

/// The customer's number, where the card they sent is their own, as Telegram says it is.
fn own_number(message: &Message) -> Option<String> {
    let Contact { phone_number, user_id, .. } = message.contact.as_ref()?;
    let own = user_id.is_some() && *user_id == message.from.as_ref().map(|from| from.id);
    let digits = phone_number.trim_start_matches('+');
    let number = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    (own && number).then(|| format!("+{digits}"))
}

/// Who said first what is forwarded.
fn origin(origin: &Value) -> String {
    let text = |path: &str| origin.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let user = format!("{} {}", text("/sender_user/first_name"), text("/sender_user/last_name"));
    let all =
        [user.trim().to_owned(), text("/sender_user_name"), text("/sender_chat/title"), text("/chat/title")];
    all.into_iter().find(|name| !name.is_empty()).unwrap_or_default()
}
