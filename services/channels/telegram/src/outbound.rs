//! Messages as calls of the Bot API.

mod ask;
pub(crate) mod media;

use heliograph_channel::{
    Account, Body, Delivery, File, Outcome, ProviderRequest, ProviderResponse, URL_SECRET, contact,
    multipart::Form, provider_id,
};
use heliograph_proto::v1::{
    ContactCard, Content, Custom, Edit, Location, MediaKind, MessageReference, SignalRequest, content::Kind,
    signal_request::Signal,
};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use crate::{
    TelegramSettings,
    markup::Marked,
    peer::{Peer, message_number},
};

const API: &str = "https://api.telegram.org";

type Made<'a> = Result<Call<'a>, Outcome>;

/// One call: a method and its fields.
struct Call<'a> {
    method: String,
    fields: Value,
    /// A file that goes along, by the name of its field.
    file: Option<(&'static str, &'a File)>,
}

impl Call<'_> {
    fn new(method: &str, fields: Value) -> Self {
        Self { method: method.to_owned(), fields, file: None }
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields[name] = value.into();
        self
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn request(self, account: &Account<TelegramSettings>) -> ProviderRequest {
        let (headers, body) = match self.file {
            None => (HeaderMap::new(), Body::Json(self.fields.to_string().into())),
            Some((name, file)) => Form::new().fields(&self.fields).file(name, file).finish(),
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
    Ok(call(delivery, &peer)?.request(account))
}

/// The same message to the chat that its chat became.
pub(crate) fn migrated(
    account: &Account<TelegramSettings>,
    delivery: &Delivery<'_>,
    response: &ProviderResponse,
) -> Option<Result<ProviderRequest, Outcome>> {
    let chat = response.json()["parameters"]["migrate_to_chat_id"].as_i64()?;
    let peer = Peer { chat: chat.to_string(), ..Peer::parse(delivery.user_id())? };
    (!response.status.is_success()).then(|| Ok(call(delivery, &peer)?.request(account)))
}

fn call<'a>(delivery: &Delivery<'a>, peer: &Peer) -> Made<'a> {
    let call = match delivery.kind()? {
        Kind::Reaction(reaction) => {
            let reaction_type = json!({ "type": "emoji", "emoji": reaction.emoji });
            let reactions = if reaction.emoji.is_empty() { json!([]) } else { json!([reaction_type]) };
            let call = Call::new("setMessageReaction", json!({ "reaction": reactions }));
            return about(call, peer, reaction.target.as_ref());
        }
        Kind::Deletion(deletion) => return deleted(peer, deletion.target.as_ref()),
        Kind::Edit(edit) => return edited(delivery, peer, edit),
        Kind::Text(text) => written("sendMessage", Marked::from_text(text))?,
        // There is no room for words under a sticker.
        Kind::Media(medium) if medium.kind() == MediaKind::Sticker => {
            media::call(medium, delivery.file, &Marked::default())?
        }
        Kind::Media(medium) => media::call(medium, delivery.file, &Marked::plain(&medium.caption))?,
        Kind::Location(location) => place(location, delivery.now_ms),
        Kind::ContactCard(card) => self::card(card)?,
        Kind::Choice(choice) => ask::choice(choice, delivery.file)?,
        Kind::List(list) => ask::list(list)?,
        Kind::Card(card) => ask::card(card, delivery.file)?,
        Kind::Custom(it) => custom(it)?,
        _ => return Err(Outcome::permanent("content_not_supported", "Telegram has nothing like it")),
    };
    Ok(addressed(call, peer, delivery.message.reply_to.as_ref()))
}

/// Where a new message goes, and what it answers.
fn addressed<'a>(call: Call<'a>, peer: &Peer, reply_to: Option<&MessageReference>) -> Call<'a> {
    // What it answers may have been deleted meanwhile.
    let reply = message_number(provider_id(reply_to))
        .map(|number| json!({ "message_id": number, "allow_sending_without_reply": true }));
    call.with("chat_id", peer.chat_id())
        .maybe("business_connection_id", peer.business.as_deref())
        .maybe("message_thread_id", peer.topic)
        .maybe("reply_parameters", reply)
}

/// A call about a message that is there.
fn about<'a>(call: Call<'a>, peer: &Peer, target: Option<&MessageReference>) -> Made<'a> {
    Ok(call.with("chat_id", peer.chat_id()).with("message_id", number_of(target)?))
}

fn number_of(target: Option<&MessageReference>) -> Result<i64, Outcome> {
    message_number(provider_id(target)).ok_or_else(|| {
        Outcome::permanent("unknown_message", "it is about a message that Telegram has no number for")
    })
}

fn deleted<'a>(peer: &Peer, target: Option<&MessageReference>) -> Made<'a> {
    let Some(business) = &peer.business else {
        return about(Call::new("deleteMessage", json!({})), peer, target);
    };
    let fields = json!({ "business_connection_id": business, "message_ids": [number_of(target)?] });
    Ok(Call::new("deleteBusinessMessages", fields))
}

fn edited<'a>(delivery: &Delivery<'a>, peer: &Peer, edit: &'a Edit) -> Made<'a> {
    let now = match edit.content.as_deref() {
        Some(Content { kind: Some(Kind::Text(text)) }) => {
            written("editMessageText", Marked::from_text(text))?
        }
        Some(Content { kind: Some(Kind::Choice(choice)) }) if choice.header.is_none() => {
            Call { method: "editMessageText".to_owned(), ..ask::choice(choice, None)? }
        }
        Some(Content { kind: Some(Kind::Media(medium)) }) => media::replaced(medium, delivery.file)?,
        _ => {
            let text = "a message can be made to read as another text, choice or medium";
            return Err(Outcome::permanent("edit_not_supported", text));
        }
    };
    let now = now.maybe("business_connection_id", peer.business.as_deref());
    about(now, peer, edit.target.as_ref())
}

/// A message of text alone.
fn written<'a>(method: &str, marked: Marked) -> Made<'a> {
    if marked.text.trim().is_empty() {
        return Err(Outcome::permanent("text_empty", "Telegram refuses a text without a visible character"));
    }
    let entities = Some(marked.entities).filter(|entities| !entities.is_empty());
    Ok(Call::new(method, json!({ "text": marked.text })).maybe("entities", entities))
}

fn place<'a>(location: &Location, now_ms: i64) -> Call<'a> {
    let point = json!({ "latitude": location.latitude, "longitude": location.longitude });
    let (name, address) = (location.name.trim(), location.address.trim());
    if name.is_empty() && address.is_empty() {
        let accuracy = Some(location.accuracy_meters.min(1500.0)).filter(|meters| *meters > 0.0);
        let live = location.live_until.as_ref().map(|until| until.seconds - now_ms / 1000);
        let live = live.filter(|seconds| *seconds > 0).map(|seconds| seconds.clamp(60, 86_400));
        return Call::new("sendLocation", point)
            .maybe("horizontal_accuracy", accuracy)
            .maybe("live_period", live);
    }
    // Telegram wants both.
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { text.to_owned() };
    Call::new("sendVenue", point).with("title", or(name, address)).with("address", or(address, name))
}

/// Bytes of a card that goes along.
const VCARD: usize = 2048;

fn card<'a>(card: &ContactCard) -> Made<'a> {
    let Some(phone) = card.phones.iter().find(|phone| !phone.value.is_empty()) else {
        // A contact is a number to Telegram; without one it can be read.
        return written("sendMessage", Marked::plain(&contact::lines(card)));
    };
    let (first, last) = match (card.given_name.as_str(), card.family_name.as_str()) {
        ("", "") if card.formatted_name.is_empty() => (&card.organization, ""),
        ("", _) => (&card.formatted_name, ""),
        (_, family) => (&card.given_name, family),
    };
    let first = if first.is_empty() { &phone.value } else { first };
    let call = Call::new("sendContact", json!({ "phone_number": phone.value, "first_name": first }));
    let vcard = Some(contact::vcard(card)).filter(|vcard| vcard.len() <= VCARD);
    Ok(call.maybe("last_name", Some(last).filter(|last| !last.is_empty())).maybe("vcard", vcard))
}

/// A method of the API by its name, `sendDice`, with the fields as they are given; or the words that stand in.
fn custom<'a>(custom: &Custom) -> Made<'a> {
    let rest = custom.kind.strip_prefix("send").unwrap_or_default();
    let is_upper = |c: char| c.is_ascii_uppercase();
    if rest.starts_with(is_upper) && rest.chars().all(|c| c.is_ascii_alphabetic()) {
        let data = custom.data.as_ref().and_then(|data| serde_json::to_value(data).ok()).unwrap_or_default();
        return Ok(Call::new(&custom.kind, data));
    }
    written("sendMessage", Marked::plain(&custom.fallback))
}

/// Typing for the next five seconds; and read marks, which only business accounts have.
pub(crate) fn signal(account: &Account<TelegramSettings>, signal: &SignalRequest) -> Option<ProviderRequest> {
    let peer = Peer::parse(&signal.address.as_ref()?.user_id)?;
    let call = match signal.signal.as_ref()? {
        Signal::Typing(typing) if typing.on => {
            addressed(Call::new("sendChatAction", json!({ "action": "typing" })), &peer, None)
        }
        Signal::ReadMark(mark) => {
            let fields = json!({ "business_connection_id": peer.business.as_deref()? });
            about(Call::new("readBusinessMessage", fields), &peer, mark.up_to.as_ref()).ok()?
        }
        Signal::Typing(_) => return None,
    };
    Some(call.request(account))
}
