//! Messages as calls of the Bot API.

mod ask;
pub(crate) mod media;

use heliograph_channel::{
    Account, Body, Delivery, File, Outcome, ProviderRequest, ProviderResponse, URL_SECRET, contact,
    multipart::Form,
};
use heliograph_proto::v1::{
    ContactCard, Content, Custom, Edit, Location, MediaKind, MessageReference, SignalRequest, Text,
    content::Kind, signal_request::Signal,
};
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use crate::{
    TelegramSettings,
    markup::{Marked, units},
    peer::{Peer, message_number},
    settings::TEXT,
};

const API: &str = "https://api.telegram.org";

/// One call: a method and its fields.
struct Call<'a> {
    method: String,
    fields: Map<String, Value>,
    /// A file that goes along, by the name of its field.
    file: Option<(&'static str, &'a File)>,
}

impl<'a> Call<'a> {
    fn new(method: &str, fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self { method: method.to_owned(), fields, file: None }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    fn with_file(mut self, name: &'static str, file: &'a File) -> Self {
        self.file = Some((name, file));
        self
    }

    fn request(self, account: &Account<TelegramSettings>) -> ProviderRequest {
        let (headers, body) = match self.file {
            None => (HeaderMap::new(), Body::Json(Value::Object(self.fields).to_string().into())),
            Some((name, file)) => {
                let form = self.fields.iter().fold(Form::new(), |form, (name, value)| match value {
                    Value::String(text) => form.text(name, text),
                    other => form.text(name, &other.to_string()),
                });
                form.file(name, file).finish()
            }
        };
        let url = format!("{}/bot{URL_SECRET}/{}", account.api_base(API), self.method);
        ProviderRequest { method: Method::POST, url, headers, body }
            .with_url_secret(&account.settings.bot_token)
    }
}

/// The request for one message.
pub(crate) fn encode(
    account: &Account<TelegramSettings>,
    delivery: &Delivery<'_>,
) -> Result<ProviderRequest, Outcome> {
    let peer = Peer::parse(delivery.user_id());
    let peer =
        peer.ok_or_else(|| Outcome::permanent("no_chat", "the address names no chat of Telegram's"))?;
    Ok(call(account, delivery, &peer)?.request(account))
}

/// The same message to the chat that its chat became.
pub(crate) fn migrated(
    account: &Account<TelegramSettings>,
    delivery: &Delivery<'_>,
    response: &ProviderResponse,
) -> Option<Result<ProviderRequest, Outcome>> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    let chat = body["parameters"]["migrate_to_chat_id"].as_i64()?;
    let peer = Peer { chat: chat.to_string(), ..Peer::parse(delivery.user_id())? };
    (!response.status.is_success()).then(|| Ok(call(account, delivery, &peer)?.request(account)))
}

fn call<'a>(
    account: &Account<TelegramSettings>,
    delivery: &Delivery<'a>,
    peer: &Peer,
) -> Result<Call<'a>, Outcome> {
    let content = delivery.message.content.as_ref().and_then(|content| content.kind.as_ref());
    let call = match content {
        Some(Kind::Reaction(reaction)) => {
            let reaction_type = json!({ "type": "emoji", "emoji": reaction.emoji });
            let reactions = if reaction.emoji.is_empty() { json!([]) } else { json!([reaction_type]) };
            return about("setMessageReaction", peer, reaction.target.as_ref())
                .map(|call| call.with("reaction", reactions));
        }
        Some(Kind::Deletion(deletion)) => return deleted(peer, deletion.target.as_ref()),
        Some(Kind::Edit(edit)) => return edited(account, delivery, peer, edit),
        Some(Kind::Text(text)) => text_call("sendMessage", text)?,
        // There is no room for words under a sticker.
        Some(Kind::Media(medium)) if medium.kind() == MediaKind::Sticker => {
            media::call(medium, delivery.file, "", &[])?
        }
        Some(Kind::Media(medium)) => media::call(medium, delivery.file, &medium.caption, &[])?,
        Some(Kind::Location(location)) => place(location, delivery.now_ms),
        Some(Kind::ContactCard(card)) => self::card(card)?,
        Some(Kind::Choice(choice)) => ask::choice(account, choice, delivery.file)?,
        Some(Kind::List(list)) => ask::list(account, list)?,
        Some(Kind::Card(card)) => ask::card(account, card, delivery.file)?,
        Some(Kind::Custom(it)) => custom(it)?,
        _ => {
            let text = "the channel carries text, media, locations, contacts, choices, lists, cards, reactions, edits \
                        and deletions";
            return Err(Outcome::permanent("content_not_supported", text));
        }
    };
    Ok(addressed(call, peer, delivery.message.reply_to.as_ref()))
}

/// Where a new message goes, and what it answers.
fn addressed<'a>(call: Call<'a>, peer: &Peer, reply_to: Option<&MessageReference>) -> Call<'a> {
    let mut call = call.with("chat_id", peer.chat_id());
    if let Some(business) = &peer.business {
        call = call.with("business_connection_id", business.as_str());
    }
    if let Some(topic) = peer.topic {
        call = call.with("message_thread_id", topic);
    }
    // What it answers may have been deleted meanwhile.
    match reply_to.and_then(|reference| message_number(&reference.provider_message_id)) {
        Some(number) => {
            let reply = json!({ "message_id": number, "allow_sending_without_reply": true });
            call.with("reply_parameters", reply)
        }
        None => call,
    }
}

/// A call about a message that is there.
fn about<'a>(method: &str, peer: &Peer, target: Option<&MessageReference>) -> Result<Call<'a>, Outcome> {
    let number = target.and_then(|target| message_number(&target.provider_message_id)).ok_or_else(|| {
        Outcome::permanent("unknown_message", "it is about a message that Telegram has no number for")
    })?;
    Ok(Call::new(method, json!({ "chat_id": peer.chat_id(), "message_id": number })))
}

fn deleted<'a>(peer: &Peer, target: Option<&MessageReference>) -> Result<Call<'a>, Outcome> {
    let mut call = about("deleteMessage", peer, target)?;
    if let (Some(business), Some(number)) = (&peer.business, call.fields.remove("message_id")) {
        let fields = json!({ "business_connection_id": business, "message_ids": [number] });
        return Ok(Call::new("deleteBusinessMessages", fields));
    }
    about("deleteMessage", peer, target)
}

fn edited<'a>(
    account: &Account<TelegramSettings>,
    delivery: &Delivery<'a>,
    peer: &Peer,
    edit: &'a Edit,
) -> Result<Call<'a>, Outcome> {
    let now = match edit.content.as_deref() {
        Some(Content { kind: Some(Kind::Text(text)) }) => text_call("editMessageText", text)?,
        Some(Content { kind: Some(Kind::Choice(choice)) }) if choice.header.is_none() => {
            Call { method: "editMessageText".to_owned(), ..ask::choice(account, choice, None)? }
        }
        Some(Content { kind: Some(Kind::Media(medium)) }) => media::replaced(medium, delivery.file)?,
        _ => {
            let text = "a message can be made to read as another text, choice or medium";
            return Err(Outcome::permanent("edit_not_supported", text));
        }
    };
    let mut call = about(&now.method, peer, edit.target.as_ref())?;
    call.fields.extend(now.fields);
    if let Some(business) = &peer.business {
        call = call.with("business_connection_id", business.as_str());
    }
    Ok(Call { file: now.file, ..call })
}

fn text_call<'a>(method: &str, text: &Text) -> Result<Call<'a>, Outcome> {
    written(method, &Marked::from_text(text))
}

/// A message of text alone.
fn written<'a>(method: &str, marked: &Marked) -> Result<Call<'a>, Outcome> {
    if marked.text.trim().is_empty() {
        return Err(Outcome::permanent("text_empty", "Telegram refuses a text without a visible character"));
    }
    if units(&marked.text) > TEXT {
        let text = format!("the text is longer than Telegram's {TEXT} UTF-16 units");
        return Err(Outcome::permanent("text_too_long", text));
    }
    let call = Call::new(method, json!({ "text": marked.text }));
    Ok(if marked.entities.is_empty() { call } else { call.with("entities", marked.entities.clone()) })
}

fn place<'a>(location: &Location, now_ms: i64) -> Call<'a> {
    let point = json!({ "latitude": location.latitude, "longitude": location.longitude });
    let (name, address) = (location.name.trim(), location.address.trim());
    if name.is_empty() && address.is_empty() {
        let mut call = Call::new("sendLocation", point);
        if location.accuracy_meters > 0.0 {
            call = call.with("horizontal_accuracy", location.accuracy_meters.min(1500.0));
        }
        let live = location.live_until.as_ref().map(|until| until.seconds - now_ms / 1000);
        return match live {
            Some(seconds) if seconds > 0 => call.with("live_period", seconds.clamp(60, 86_400)),
            _ => call,
        };
    }
    // Telegram wants both.
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    Call::new("sendVenue", point).with("title", or(name, address)).with("address", or(address, name))
}

/// Bytes of a card that goes along.
const VCARD: usize = 2048;

fn card<'a>(card: &ContactCard) -> Result<Call<'a>, Outcome> {
    let Some(phone) = card.phones.iter().find(|phone| !phone.value.is_empty()) else {
        // A contact is a number to Telegram; without one it can be read.
        return written("sendMessage", &Marked::plain(&contact::lines(card)));
    };
    let (first, last) = match (card.given_name.as_str(), card.family_name.as_str()) {
        ("", "") if card.formatted_name.is_empty() => (&card.organization, ""),
        ("", _) => (&card.formatted_name, ""),
        (_, family) => (&card.given_name, family),
    };
    let first = if first.is_empty() { &phone.value } else { first };
    let mut call = Call::new("sendContact", json!({ "phone_number": phone.value, "first_name": first }));
    if !last.is_empty() {
        call = call.with("last_name", last);
    }
    let vcard = contact::vcard(card);
    Ok(if vcard.len() <= VCARD { call.with("vcard", vcard) } else { call })
}

/// A method of the API by its name, `sendDice`, with the fields as they are given; or the words that stand in.
fn custom<'a>(custom: &Custom) -> Result<Call<'a>, Outcome> {
    let method =
        custom.kind.strip_prefix("send").filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
    if method.is_some_and(|rest| rest.chars().all(|c| c.is_ascii_alphabetic())) {
        let data = custom.data.as_ref().and_then(|data| serde_json::to_value(data).ok()).unwrap_or_default();
        return Ok(Call::new(&custom.kind, data));
    }
    written("sendMessage", &Marked::plain(&custom.fallback))
}

/// Typing for the next five seconds; and read marks, which only business accounts have.
pub(crate) fn signal(account: &Account<TelegramSettings>, signal: &SignalRequest) -> Option<ProviderRequest> {
    let peer = Peer::parse(&signal.address.as_ref()?.user_id)?;
    let call = match signal.signal.as_ref()? {
        Signal::Typing(typing) if typing.on => {
            addressed(Call::new("sendChatAction", json!({ "action": "typing" })), &peer, None)
        }
        Signal::ReadMark(mark) => {
            let call = about("readBusinessMessage", &peer, mark.up_to.as_ref()).ok()?;
            call.with("business_connection_id", peer.business.as_deref()?)
        }
        Signal::Typing(_) => return None,
    };
    Some(call.request(account))
}
