//! The one URL Telegram calls: one update a request.

mod content;
mod message;

use heliograph_channel::{
    Account, Answer, Inbound, Received, Refusal, WebhookRequest,
    account::is_one_of,
    events::{JSON, consent, named, seconds},
    inbound::raw,
    json::{list, owned, text},
};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Deletion, InboundEvent, Reaction, Selection, content::Kind as ContentKind,
        inbound_event::Kind,
    },
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    TelegramSettings,
    peer::{Peer, callback},
};

/// Kinds of updates that are read; all others are kept as they came.
const READ: &str = "message edited_message business_message edited_business_message deleted_business_messages \
                    callback_query message_reaction my_chat_member";

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<TelegramSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    request.is_post()?;
    request.is_at_its_url()?;
    verify(account, request)?;
    let mut update = request.fields()?;
    let id = update
        .remove("update_id")
        .and_then(|id| id.as_i64())
        .ok_or_else(|| Refusal::Malformed("`update_id` is missing or not a number".to_owned()))?;
    let known = READ.split_whitespace().find(|kind| update.contains_key(*kind)).map(str::to_owned);
    let kind = known.or_else(|| update.keys().next().cloned()).unwrap_or_else(|| "nothing".to_owned());
    let body = &update.remove(&kind).unwrap_or_default();
    let first = |paths: [&str; 2]| paths.iter().find_map(|path| body.pointer(path)).unwrap_or(&Value::Null);
    let reader = Reader {
        inbound: Inbound::new(account, request.now_ms),
        id: id.to_string(),
        request,
        body,
        chat: first(["/chat", "/message/chat"]),
        from: first(["/from", "/user"]),
    };
    let mut events = reader.read(&kind).unwrap_or_else(|| vec![reader.unknown(&kind, by_whom(body))]);
    if let (false, Some(event)) = (update.is_empty(), events.last_mut()) {
        event.raw = Some(raw(JSON, &request.body));
    }
    Ok(Received { events, answer: answer(&kind, body), ..Received::default() })
}

/// Telegram signs nothing: it repeats a secret that it was given when the webhook was set.
fn verify(account: &Account<TelegramSettings>, request: &WebhookRequest) -> Result<(), Refusal> {
    if is_one_of(request.proof("X-Telegram-Bot-Api-Secret-Token")?, &account.settings.webhook_secrets) {
        return Ok(());
    }
    let text = "`X-Telegram-Bot-Api-Secret-Token` is not the account's webhook secret";
    Err(Refusal::Forged(text.to_owned()))
}

/// A tapped button shows that it works until it is answered, which the answer to the webhook does at once.
fn answer(kind: &str, body: &Value) -> Answer {
    match body["id"].as_str() {
        Some(id) if kind == "callback_query" => {
            Answer::json(StatusCode::OK, &json!({ "method": "answerCallbackQuery", "callback_query_id": id }))
        }
        _ => Answer::default(),
    }
}

/// One verified update, being normalized.
struct Reader<'a> {
    inbound: Inbound<'a>,
    /// `update_id`, which Telegram repeats until it is answered.
    id: String,
    request: &'a WebhookRequest,
    body: &'a Value,
    chat: &'a Value,
    /// Who did it.
    from: &'a Value,
}

impl Reader<'_> {
    /// `None` where it is not what it should be.
    fn read(&self, kind: &str) -> Option<Vec<InboundEvent>> {
        match kind {
            "message" | "business_message" => self.message(),
            "edited_message" | "edited_business_message" => Some(vec![self.edited()?]),
            "deleted_business_messages" => self.deleted(),
            "callback_query" => Some(vec![self.tapped()?]),
            "message_reaction" => Some(vec![self.reacted()?]),
            "my_chat_member" => Some(vec![self.consent()?]),
            _ => None,
        }
    }

    /// When it happened; of taps and deletions nothing says so.
    fn date(&self) -> Option<Timestamp> {
        seconds(&self.body["edit_date"]).or_else(|| seconds(&self.body["date"]))
    }

    /// Something that is not modelled.
    fn unknown(&self, kind: &str, user_id: String) -> InboundEvent {
        let address = Address { user_id, ..Address::default() };
        let date = seconds(&self.body["date"]);
        self.inbound.unknown(&self.id, address, date, kind, raw(JSON, &self.request.body))
    }

    /// A chat as the customer it is to us: one person, or the members of a group together.
    fn address(&self, peer: &Peer) -> Address {
        let thread = peer.topic.map(|topic| topic.to_string()).unwrap_or_default();
        let address = Address { user_id: peer.to_string(), thread, ..Address::default() };
        if self.chat.is_null() || is_private(self.chat) {
            let locale = owned(self.from, "language_code");
            return Address { display_name: name(self.from), locale, ..address };
        }
        Address { display_name: owned(self.chat, "title"), ..address }
    }

    fn event(&self, id: &str, peer: &Peer, kind: Kind) -> InboundEvent {
        self.inbound.event(id, self.address(peer), self.date(), kind)
    }

    /// A message that is about another one and has no name of its own.
    fn remark(&self, id: &str, peer: &Peer, content: ContentKind) -> InboundEvent {
        let mut message =
            self.inbound.message(&format!("update/{id}"), name(self.from), self.date(), content);
        message.provider_message_id.clear();
        self.event(id, peer, Kind::Message(message))
    }

    fn tapped(&self) -> Option<InboundEvent> {
        let (data, place) = (self.body["data"].as_str()?, &self.body["message"]);
        // Of the message with the buttons little may be left.
        let peer = if place.is_null() { private(self.from)? } else { Peer::of(place)? };
        let (id, payload) = callback::decode(data);
        let keyboard = list(&place["reply_markup"], "inline_keyboard");
        let mut buttons = keyboard.flat_map(|row| row.as_array().into_iter().flatten());
        let button = buttons.find(|button| button["callback_data"] == data);
        let selection = Selection {
            option_id: id.to_owned(),
            title: button.map(|button| owned(button, "text")).unwrap_or_default(),
            payload: payload.to_owned(),
            question: place["message_id"].as_i64().map(|number| named(peer.message(number))),
            typed: false,
        };
        Some(self.remark(&self.id, &peer, ContentKind::Selection(selection)))
    }

    fn reacted(&self) -> Option<InboundEvent> {
        let peer = Peer::of(self.body)?;
        let old: Vec<&Value> = list(self.body, "old_reaction").collect();
        let new: Vec<&Value> = list(self.body, "new_reaction").collect();
        let emoji = match new.iter().rfind(|new| !old.contains(new)).or(new.last()) {
            // One that somebody drew is nothing that could be shown elsewhere.
            Some(reaction) => reaction["emoji"].as_str()?.to_owned(),
            None => String::new(),
        };
        let target = Some(named(peer.message(self.body["message_id"].as_i64()?)));
        let reaction = ContentKind::Reaction(Reaction { target, emoji });
        self.from.is_object().then(|| self.remark(&self.id, &peer, reaction))
    }

    fn deleted(&self) -> Option<Vec<InboundEvent>> {
        let peer = Peer::of(self.body)?;
        let numbers = list(self.body, "message_ids").map(Value::as_i64).collect::<Option<Vec<_>>>()?;
        let one = |number: i64| {
            let target = Some(self.inbound.theirs(&peer.message(number)));
            let deletion = ContentKind::Deletion(Deletion { target });
            self.remark(&format!("{}/{number}", self.id), &peer, deletion)
        };
        Some(numbers.into_iter().map(one).collect())
    }

    /// Blocking the bot withdraws consent, and unblocking it gives it back.
    fn consent(&self) -> Option<InboundEvent> {
        let status = |name: &str| text(&self.body[name], "status");
        let (granted, source) = match (status("old_chat_member"), status("new_chat_member")) {
            (_, "kicked") => (false, "telegram: blocked"),
            ("kicked", "member") => (true, "telegram: unblocked"),
            _ => return None,
        };
        let (peer, signal) = (private(self.from)?, consent(granted, source.to_owned()));
        is_private(self.chat).then(|| self.event(&self.id, &peer, signal))
    }
}

/// Whom an update comes from that is not modelled, as far as it says so.
fn by_whom(body: &Value) -> String {
    let id = ["chat", "from", "user"].iter().find_map(|by| body[*by]["id"].as_i64());
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A user's name.
fn name(user: &Value) -> String {
    format!("{} {}", text(user, "first_name"), text(user, "last_name")).trim().to_owned()
}

fn is_private(chat: &Value) -> bool {
    text(chat, "type") == "private"
}

/// The chat of a user with the bot.
fn private(user: &Value) -> Option<Peer> {
    Some(Peer { business: None, chat: user["id"].as_i64()?.to_string(), topic: None })
}
