//! Messages, reactions, typing and read marks, for the Send API.

use heliograph_channel::{Account, Body, Delivery, Outcome, ProviderRequest, provider_id};
use heliograph_proto::v1::{
    Custom, Media, MediaKind, MessageClass, Reaction, SenderKind, SignalRequest, content::Kind,
    signal_request::Signal,
};
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Product, Profile, event::USER_REF, media, template};
use crate::check;

/// Says that a person answers, for which there is more time.
const HUMAN_AGENT: &str = "HUMAN_AGENT";

/// The one sticker of Instagram's that programs may send.
const HEART: &str = "like_heart";

/// The request for one message.
///
/// # Errors
/// The outcome of content that the product cannot show, or shows only shorter.
pub fn encode<S>(
    account: &Account<S>,
    profile: &Profile,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    request(account, profile, delivery, token, None)
}

/// The same request from a person, for when the window is closed to programs; `None` where the account may not, or no
/// person wrote it.
pub fn encode_as_agent<S>(
    account: &Account<S>,
    profile: &Profile,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Option<Result<ProviderRequest, Outcome>> {
    let by = delivery.message.sender.as_ref().map(heliograph_proto::v1::Sender::kind);
    let may = profile.human_agent && by == Some(SenderKind::Agent);
    may.then(|| request(account, profile, delivery, token, Some(HUMAN_AGENT)))
}

fn request<S>(
    account: &Account<S>,
    profile: &Profile,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
    tag: Option<&str>,
) -> Result<ProviderRequest, Outcome> {
    let product = &profile.product;
    let message = delivery.message;
    let kind = delivery.kind()?;
    let mut body = json!({ "recipient": recipient(delivery.user_id()) });
    if let Kind::Reaction(reaction) = kind {
        react(product, reaction, &mut body)?;
        return Ok(post(account, profile, "messages", token, &body));
    }
    let mut said = said(profile, kind)?;
    if product.is_messenger && !delivery.correlation.is_empty() {
        // Echoes repeat it.
        said["metadata"] = delivery.correlation.into();
    }
    body["message"] = said;
    match tag {
        Some(tag) => {
            body["messaging_type"] = "MESSAGE_TAG".into();
            body["tag"] = tag.into();
        }
        None if product.is_messenger => {
            body["messaging_type"] = purpose(kind, message.message_class()).into();
        }
        None => {}
    }
    let quoted = provider_id(message.reply_to.as_ref());
    if profile.quotes && !quoted.is_empty() {
        body["reply_to"] = json!({ "mid": quoted });
    }
    Ok(post(account, profile, "messages", token, &body))
}

/// A call of the account's own edge.
pub(super) fn post<S>(
    account: &Account<S>,
    profile: &Profile,
    edge: &str,
    token: Option<&SecretString>,
    body: &Value,
) -> ProviderRequest {
    let path = format!("me/{edge}");
    let body = Body::Json(body.to_string().into());
    profile.app.call(&account.api_base(profile.host), Method::POST, &path, token, body)
}

fn recipient(user_id: &str) -> Value {
    match user_id.strip_prefix(USER_REF) {
        Some(reference) => json!({ "user_ref": reference }),
        None => json!({ "id": user_id }),
    }
}

/// What Messenger wants to know of every message.
fn purpose(kind: &Kind, class: MessageClass) -> &'static str {
    match class {
        _ if matches!(kind, Kind::Template(_)) => "UTILITY",
        MessageClass::Unspecified | MessageClass::Service => "RESPONSE",
        _ => "UPDATE",
    }
}

/// The object `message`.
fn said(profile: &Profile, kind: &Kind) -> Result<Value, Outcome> {
    let product = &profile.product;
    match kind {
        Kind::Text(text) => plain(product, &text.body),
        Kind::Media(media) => file(product, media),
        Kind::Choice(choice) => template::choice(product, choice),
        Kind::Card(card) => template::cards(product, "", std::slice::from_ref(card)),
        Kind::Carousel(carousel) => template::cards(product, &carousel.body, &carousel.cards),
        Kind::Template(it) if profile.utility_templates => template::utility(it),
        Kind::Custom(custom) => as_it_is(product, custom),
        other => {
            let kind = heliograph_domain::content::kind_name(other);
            let text = format!("this account does not carry `{kind}`");
            Err(Outcome::permanent("content_not_supported", text))
        }
    }
}

pub(super) fn plain(product: &Product, body: &str) -> Result<Value, Outcome> {
    if body.trim().is_empty() {
        return Err(Outcome::permanent("text_empty", "the text is empty"));
    }
    check("text", product.length(body), 0..=product.text_limit)?;
    Ok(json!({ "text": body }))
}

/// A file by the provider's id for it or by its URL; a sticker by its id.
fn file(product: &Product, media: &Media) -> Result<Value, Outcome> {
    if !media.caption.is_empty() {
        return template::captioned(product, media);
    }
    let (id, url) = (media.provider_media_id.as_str(), media.url.as_str());
    let own_sticker = media.kind() == MediaKind::Sticker && url.is_empty() && !id.is_empty();
    if own_sticker && product.is_messenger {
        return Ok(json!({ "sticker_id": id }));
    }
    if own_sticker {
        let heart = (id == HEART).then(|| json!({ "attachment": { "type": HEART } }));
        let text = format!("the only sticker that may be sent here is `{HEART}`");
        return heart.ok_or_else(|| Outcome::permanent("sticker_not_supported", text));
    }
    let payload = match (id, url) {
        ("", "") => return Err(Outcome::permanent("no_public_url", "the provider fetches media from a URL")),
        ("", url) => json!({ "url": url }),
        (id, _) => json!({ "attachment_id": id }),
    };
    Ok(json!({ "attachment": { "type": media::word(media), "payload": payload } }))
}

/// A `message` of the provider's own is handed on as it is; of anything else its text is.
fn as_it_is(product: &Product, custom: &Custom) -> Result<Value, Outcome> {
    let data = custom.data.as_ref().filter(|_| custom.kind == "message");
    match data.and_then(|data| serde_json::to_value(data).ok()) {
        Some(message @ Value::Object(_)) => Ok(message),
        _ => plain(product, &custom.fallback),
    }
}

/// A reaction is an action, and no message.
fn react(product: &Product, reaction: &Reaction, body: &mut Value) -> Result<(), Outcome> {
    let target = provider_id(reaction.target.as_ref());
    if target.is_empty() {
        let text = "the provider's id of the message to react to is not known";
        return Err(Outcome::permanent("reaction_without_target", text));
    }
    let mut payload = json!({ "message_id": target });
    if reaction.emoji.is_empty() {
        body["sender_action"] = "unreact".into();
    } else {
        // Instagram has a word for the one it is known for.
        let heart = !product.is_messenger && reaction.emoji.starts_with('❤');
        payload["reaction"] = if heart { "love" } else { reaction.emoji.as_str() }.into();
        body["sender_action"] = "react".into();
    }
    body["payload"] = payload;
    Ok(())
}

/// Whether a request may be made twice: actions may, messages may not.
pub fn is_idempotent(request: &ProviderRequest) -> bool {
    let Body::Json(body) = &request.body else { return false };
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["sender_action"].is_string()
}

/// Typing, on or off, and the read mark.
pub fn signal<S>(
    account: &Account<S>,
    profile: &Profile,
    signal: &SignalRequest,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    let action = match signal.signal.as_ref()? {
        Signal::Typing(typing) if typing.on => "typing_on",
        Signal::Typing(_) => "typing_off",
        Signal::ReadMark(_) => "mark_seen",
    };
    let user_id = &signal.address.as_ref()?.user_id;
    let body = json!({ "recipient": recipient(user_id), "sender_action": action });
    Some(post(account, profile, "messages", token, &body))
}
