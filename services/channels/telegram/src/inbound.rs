//! The one URL Telegram calls: one update a request.

mod content;
mod message;

use heliograph_channel::{
    Account, Answer, Inbound, Received, Refusal, WebhookRequest, account::is_one_of, inbound::raw,
};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, ConsentSignal, Deletion, InboundEvent, MessageReference, Reaction, Selection, UnknownEvent,
        content::Kind as ContentKind, inbound_event::Kind,
    },
};
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::{
    TelegramSettings,
    payload::{CallbackQuery, Chat, Deleted, MemberUpdated, Reacted, User},
    peer::{Peer, callback},
};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";

/// Kinds of updates that are read; all others are kept as they came.
const READ: &str = "message edited_message business_message edited_business_message deleted_business_messages \
                    callback_query message_reaction my_chat_member";

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<TelegramSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    if request.method != Method::POST {
        return Err(Refusal::Method("POST"));
    }
    if !matches!(request.path.as_str(), "" | "/") {
        return Err(Refusal::NoSuchPath(request.path.clone()));
    }
    verify(account, request)?;
    let mut update: Map<String, Value> = serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::Malformed("the body is not a JSON object".to_owned()))?;
    let id = update
        .remove("update_id")
        .and_then(|id| id.as_i64())
        .ok_or_else(|| Refusal::Malformed("`update_id` is missing or not a number".to_owned()))?;
    let known = READ.split_whitespace().find(|kind| update.contains_key(*kind)).map(str::to_owned);
    let kind = known.or_else(|| update.keys().next().cloned()).unwrap_or_else(|| "nothing".to_owned());
    let body = update.remove(&kind).unwrap_or_default();
    let reader = Reader { inbound: Inbound::new(account, request.now_ms), id: id.to_string(), request };
    let mut events = reader.read(&kind, &body).unwrap_or_else(|| vec![reader.unknown(&kind, &body)]);
    if let (false, Some(event)) = (update.is_empty(), events.last_mut()) {
        event.raw = Some(raw("application/json", &request.body));
    }
    Ok(Received { events, answer: answer(&kind, &body), ..Received::default() })
}

/// Telegram signs nothing: it repeats a secret that it was given when the webhook was set.
fn verify(account: &Account<TelegramSettings>, request: &WebhookRequest) -> Result<(), Refusal> {
    let given = request.header(SECRET_HEADER).ok_or_else(|| {
        Refusal::Forged("the header `X-Telegram-Bot-Api-Secret-Token` is missing".to_owned())
    })?;
    if is_one_of(given, &account.settings.webhook_secrets) {
        Ok(())
    } else {
        Err(Refusal::Forged(
            "`X-Telegram-Bot-Api-Secret-Token` is not the account's webhook secret".to_owned(),
        ))
    }
}

/// A tapped button shows that it works until it is answered, which the answer to the webhook does at once.
fn answer(kind: &str, body: &Value) -> Answer {
    match (kind, body["id"].as_str()) {
        ("callback_query", Some(id)) => {
            let call = json!({ "method": "answerCallbackQuery", "callback_query_id": id });
            Answer::json(StatusCode::OK, &call)
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
}

impl Reader<'_> {
    /// `None` where it is not what it should be.
    fn read(&self, kind: &str, body: &Value) -> Option<Vec<InboundEvent>> {
        match kind {
            "message" | "business_message" => Some(self.message(&of(body)?)),
            "edited_message" | "edited_business_message" => self.edited(&of(body)?),
            "deleted_business_messages" => Some(self.deleted(&of(body)?)),
            "callback_query" => Some(vec![self.tapped(&of(body)?)?]),
            "message_reaction" => Some(vec![self.reacted(&of(body)?)?]),
            "my_chat_member" => Some(vec![self.consent(&of(body)?)?]),
            _ => None,
        }
    }

    fn event(&self, address: Address, date: i64, kind: Kind) -> InboundEvent {
        self.event_called(&self.id, address, date, kind)
    }

    fn event_called(&self, id: &str, address: Address, date: i64, kind: Kind) -> InboundEvent {
        self.inbound.event(id, address, time(date), kind)
    }

    /// Something of a kind that is not modelled, by whom it comes from as far as it says so.
    fn unknown(&self, kind: &str, body: &Value) -> InboundEvent {
        let number = |path: &str| body.pointer(path).and_then(Value::as_i64);
        let chat = number("/chat/id").or_else(|| number("/from/id")).or_else(|| number("/user/id"));
        let user_id = chat.map(|chat| chat.to_string()).unwrap_or_default();
        let address = Address { user_id, ..Address::default() };
        let kind = Kind::Unknown(UnknownEvent { kind: kind.to_owned() });
        let mut event = self.event(address, number("/date").unwrap_or_default(), kind);
        event.raw = Some(raw("application/json", &self.request.body));
        event
    }

    /// A message that is about another one and has no name of its own.
    fn remark(
        &self,
        id: &str,
        (address, from): (Address, Option<&User>),
        date: i64,
        content: ContentKind,
    ) -> InboundEvent {
        let name = from.map(User::name).unwrap_or_default();
        let mut message = self.inbound.message(&format!("update/{id}"), name, time(date), content);
        message.provider_message_id.clear();
        self.event_called(id, address, date, Kind::Message(message))
    }

    /// A message of the customer's own, by both names.
    fn theirs(&self, peer: &Peer, number: i64) -> MessageReference {
        let provider_message_id = peer.message(number);
        MessageReference { message_id: self.inbound.message_id(&provider_message_id), provider_message_id }
    }

    fn tapped(&self, query: &CallbackQuery) -> Option<InboundEvent> {
        let (id, payload) = callback::decode(query.data.as_deref()?);
        let place = query.message.as_ref();
        let peer = place.map_or_else(|| private(query.from.id), message::peer);
        let title = place.and_then(|message| message.reply_markup.as_ref()).and_then(|keyboard| {
            let mut buttons = keyboard.inline_keyboard.iter().flatten();
            buttons.find(|button| button.callback_data == query.data).map(|button| button.text.clone())
        });
        let question = place.map(|message| MessageReference {
            provider_message_id: peer.message(message.message_id),
            ..MessageReference::default()
        });
        let selection = Selection {
            option_id: id.to_owned(),
            title: title.unwrap_or_default(),
            payload: payload.to_owned(),
            question,
            typed: false,
        };
        let address = address(&peer, place.map(|message| &message.chat), Some(&query.from));
        // It has no date of its own, and its message's is when it was asked.
        Some(self.remark(&self.id, (address, Some(&query.from)), 0, ContentKind::Selection(selection)))
    }

    fn reacted(&self, reacted: &Reacted) -> Option<InboundEvent> {
        let user = reacted.user.as_ref()?;
        let peer = Peer { business: None, chat: reacted.chat.id.to_string(), topic: None };
        let added = reacted.new_reaction.iter().rfind(|new| !reacted.old_reaction.contains(new));
        let emoji = match added.or(reacted.new_reaction.last()) {
            // One that somebody drew is nothing that could be shown elsewhere.
            Some(reaction) => reaction.emoji.clone()?,
            None => String::new(),
        };
        let target = MessageReference {
            provider_message_id: peer.message(reacted.message_id),
            ..MessageReference::default()
        };
        let reaction = ContentKind::Reaction(Reaction { target: Some(target), emoji });
        let address = address(&peer, Some(&reacted.chat), Some(user));
        Some(self.remark(&self.id, (address, Some(user)), reacted.date, reaction))
    }

    fn deleted(&self, deleted: &Deleted) -> Vec<InboundEvent> {
        let business = Some(deleted.business_connection_id.clone());
        let peer = Peer { business, chat: deleted.chat.id.to_string(), topic: None };
        let one = |number: &i64| {
            let target = Some(self.theirs(&peer, *number));
            let deletion = ContentKind::Deletion(Deletion { target });
            let by = (address(&peer, None, None), None);
            self.remark(&format!("{}/{number}", self.id), by, 0, deletion)
        };
        deleted.message_ids.iter().map(one).collect()
    }

    /// Blocking the bot withdraws consent, and unblocking it gives it back.
    fn consent(&self, updated: &MemberUpdated) -> Option<InboundEvent> {
        let (old, new) = (updated.old_chat_member.status.as_str(), updated.new_chat_member.status.as_str());
        let granted = match (old, new) {
            (_, "kicked") => false,
            ("kicked", "member") => true,
            _ => return None,
        };
        let signal = ConsentSignal {
            granted,
            purpose: String::new(),
            source: format!("telegram: {}", if granted { "unblocked" } else { "blocked" }),
            confirmed_by_provider: true,
        };
        updated.chat.is_private().then(|| {
            let address = address(&private(updated.from.id), Some(&updated.chat), Some(&updated.from));
            self.event(address, updated.date, Kind::Consent(signal))
        })
    }
}

fn of<T: DeserializeOwned>(body: &Value) -> Option<T> {
    T::deserialize(body).ok()
}

fn private(user: i64) -> Peer {
    Peer { business: None, chat: user.to_string(), topic: None }
}

/// A chat as the customer it is to us: one person, or the members of a group together.
fn address(peer: &Peer, chat: Option<&Chat>, from: Option<&User>) -> Address {
    let mut address = Address {
        user_id: peer.to_string(),
        thread: peer.topic.map(|topic| topic.to_string()).unwrap_or_default(),
        ..Address::default()
    };
    match (chat, from) {
        (Some(chat), _) if !chat.is_private() => address.display_name.clone_from(&chat.title),
        (_, Some(from)) => {
            address.display_name = from.name();
            address.locale.clone_from(&from.language_code);
        }
        _ => {}
    }
    address
}

/// Seconds since 1970; 0: not said. No time is later than the year 9999.
fn time(seconds: i64) -> Option<Timestamp> {
    (1..=253_402_300_799).contains(&seconds).then_some(Timestamp { seconds, nanos: 0 })
}

/// Whether `name` stands in a list of words.
fn is_in(list: &str, name: &str) -> bool {
    list.split_whitespace().any(|word| word == name)
}
