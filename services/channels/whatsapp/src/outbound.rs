//! What goes to the provider: every message by one call.

mod interactive;
pub(crate) mod media;
mod template;

use heliograph_channel::{
    Body, Delivery, Outcome, ProviderRequest, ProviderResponse,
    json::{or, without_empty},
    provider_id,
};
use heliograph_graph::{API, GraphError, check};
use heliograph_proto::v1::{
    ContactCard, ContactPoint, Custom, Location, Reaction, SignalRequest, Typing, content::Kind,
    signal_request::Signal,
};
use http::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{capabilities::TEXT, codes, settings::Number};

/// Interactive types beyond choices, lists and cards, by which [`Custom`] content is passed on as it is.
const INTERACTIVE: [&str; 6] =
    ["address_message", "call_permission_request", "catalog_message", "flow", "product", "product_list"];

/// The request for one message.
pub(crate) fn encode(account: &Number, delivery: &Delivery<'_>) -> Result<ProviderRequest, Outcome> {
    let is_number = delivery.user_id().bytes().all(|byte| byte.is_ascii_digit() || byte == b'+');
    send(account, delivery, is_number)
}

/// The same message to the customer's number, where it is known and the provider does not take their user id.
pub(crate) fn by_phone_instead(
    account: &Number,
    delivery: &Delivery<'_>,
    response: &ProviderResponse,
) -> Option<Result<ProviderRequest, Outcome>> {
    let address = delivery.message.address.as_ref()?;
    let refused = GraphError::read(&response.body)?.code == codes::NOT_BY_USER_ID;
    (refused && address.thread.is_empty() && !address.phone.is_empty()).then(|| send(account, delivery, true))
}

fn send(account: &Number, delivery: &Delivery<'_>, by_number: bool) -> Result<ProviderRequest, Outcome> {
    let kind = delivery.kind()?;
    let address = delivery.message.address.as_ref();
    let address = address.ok_or_else(|| Outcome::permanent("no_address", "the message has no address"))?;
    let mut body = said(account, kind)?;
    body["recipient_type"] = if address.thread.is_empty() { "individual" } else { "group" }.into();
    if !address.thread.is_empty() {
        body["to"] = address.thread.as_str().into();
    } else if by_number {
        let number = or(&address.phone, &address.user_id);
        check("number", number.len(), 1..=40)?;
        body["to"] = number.trim_start_matches('+').into();
    } else {
        body["recipient"] = address.user_id.as_str().into();
    }
    if !delivery.correlation.is_empty() {
        body["biz_opaque_callback_data"] = delivery.correlation.into();
    }
    let quoted = provider_id(delivery.message.reply_to.as_ref());
    if !quoted.is_empty() && !matches!(kind, Kind::Reaction(_)) {
        body["context"] = json!({ "message_id": quoted });
    }
    Ok(post(account, body))
}

/// `type`, and what belongs to it.
fn said(account: &Number, kind: &Kind) -> Result<Value, Outcome> {
    let spec = &account.settings.spec;
    match kind {
        Kind::Text(text) => written(&text.body, spec.preview_url),
        Kind::Media(media) => media::message(media),
        Kind::Location(place) => Ok(of_type("location", location(place))),
        Kind::ContactCard(card) => Ok(of_type("contacts", json!([contact(card)]))),
        Kind::Choice(choice) => interactive::choice(choice),
        Kind::List(list) => interactive::list(list, spec),
        Kind::Card(card) => interactive::card(card, spec),
        Kind::Carousel(carousel) => interactive::carousel(carousel),
        Kind::Template(filled) => template::template(filled),
        Kind::Reaction(reaction) => react(reaction),
        Kind::Custom(custom) => pass_on(custom),
        _ => Err(Outcome::permanent("content_not_supported", "WhatsApp has no form for this content")),
    }
}

fn of_type(kind: &str, said: Value) -> Value {
    Value::from_iter([("type", kind.into()), (kind, said)])
}

/// A text message, with or without a preview of its link.
fn written(body: &str, preview: bool) -> Result<Value, Outcome> {
    check("text", body.chars().count(), 1..=TEXT)?;
    Ok(of_type("text", json!({ "body": body, "preview_url": preview })))
}

fn location(place: &Location) -> Value {
    let Location { latitude, longitude, name, address, .. } = place;
    without_empty(json!({ "latitude": latitude, "longitude": longitude, "name": name, "address": address }))
}

/// A person's or company's card.
fn contact(card: &ContactCard) -> Value {
    let points = |points: &[ContactPoint], name: &str| {
        let point = |point: &ContactPoint| {
            without_empty(json!({ name: point.value, "type": point.label.to_uppercase() }))
        };
        points.iter().map(point).collect::<Value>()
    };
    // A name in one piece is not enough for the provider.
    let given = or(&card.given_name, &card.formatted_name);
    let name = json!({
        "formatted_name": card.formatted_name, "first_name": given, "last_name": card.family_name,
    });
    let addresses: Value = card.postal_addresses.iter().map(|line| json!({ "street": line })).collect();
    without_empty(json!({
        "name": name,
        "org": { "company": card.organization, "title": card.title },
        "phones": points(&card.phones, "phone"),
        "emails": points(&card.emails, "email"),
        "urls": points(&card.urls, "url"),
        "addresses": addresses,
        "birthday": card.birthday,
    }))
}

fn react(reaction: &Reaction) -> Result<Value, Outcome> {
    let target = provider_id(reaction.target.as_ref());
    if target.is_empty() {
        return Err(Outcome::permanent("no_target", "WhatsApp does not know the message that is reacted to"));
    }
    Ok(of_type("reaction", json!({ "message_id": target, "emoji": reaction.emoji })))
}

/// Content that only this provider knows, or what is said of it where it knows it not.
fn pass_on(custom: &Custom) -> Result<Value, Outcome> {
    if !INTERACTIVE.contains(&custom.kind.as_str()) {
        if custom.fallback.is_empty() {
            let text = format!("WhatsApp has no interactive message of type {}", custom.kind);
            return Err(Outcome::permanent("content_not_supported", text));
        }
        return written(&custom.fallback, false);
    }
    let mut interactive = serde_json::to_value(&custom.data).unwrap_or_default();
    if !interactive["action"].is_object() {
        let text = "custom content for WhatsApp needs `action` in its data";
        return Err(Outcome::permanent("no_action", text));
    }
    interactive["type"] = custom.kind.as_str().into();
    Ok(of_type("interactive", interactive))
}

/// Marks a message of the customer's, and those before it, as read.
pub(crate) fn read_mark(account: &Number, signal: &SignalRequest) -> Option<ProviderRequest> {
    let Some(Signal::ReadMark(mark)) = &signal.signal else { return None };
    let message_id = provider_id(mark.up_to.as_ref());
    let read = json!({ "status": "read", "message_id": message_id });
    (!message_id.is_empty()).then(|| post(account, read))
}

/// Shows that somebody types, and marks what the customer wrote last as read: one is not to be had without the other. It ends
/// by itself.
pub(crate) fn typing(
    account: &Number,
    signal: &SignalRequest,
    last: &SecretString,
) -> Option<ProviderRequest> {
    let Some(Signal::Typing(Typing { on: true })) = &signal.signal else { return None };
    let mut read = json!({ "status": "read", "message_id": last.expose_secret() });
    read["typing_indicator"] = json!({ "type": "text" });
    Some(post(account, read))
}

fn post(account: &Number, mut body: Value) -> ProviderRequest {
    body["messaging_product"] = "whatsapp".into();
    let path = format!("{}/messages", account.settings.spec.phone_number_id);
    call(account, Method::POST, &path, Body::Json(body.to_string().into()))
}

fn call(account: &Number, method: Method, path: &str, body: Body) -> ProviderRequest {
    account.settings.app.call(&account.api_base(API), method, path, None, body)
}
