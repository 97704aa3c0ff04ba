//! Options as suggestions: answers and actions below a message or a card.

use heliograph_channel::{Outcome, postback};
use heliograph_proto::v1::{Option as Answer, option::Action};
use serde_json::{Value, json};

/// The most below a message.
pub(crate) const SUGGESTIONS: i32 = 11;
/// Longest text of one, in UTF-16 units.
pub(crate) const SUGGESTION_TEXT: i32 = 25;
/// Longest payload with its option's id: what comes back less the message's id and the marks between.
pub(crate) const PAYLOAD: i32 = 2000;
/// The most that comes back, in UTF-16 units.
const DATA: usize = 2048;
const URL: usize = 2048;

/// The suggestions of a message's options.
pub(super) fn all(message_id: &str, options: &[Answer]) -> Result<Vec<Value>, Outcome> {
    options.iter().map(|option| one(message_id, option)).collect()
}

fn one(message_id: &str, option: &Answer) -> Result<Value, Outcome> {
    let text = if option.title.is_empty() { &option.id } else { &option.title };
    let data = postback::encode(message_id, option, DATA).ok_or_else(|| {
        let why = format!("the option `{text}` carries more than {DATA} characters");
        Outcome::permanent("option_payload_too_long", why)
    })?;
    let action =
        |name: &str, what: Value| json!({ "action": { "text": text, "postbackData": data, name: what } });
    Ok(match &option.action {
        Some(Action::Answer(_)) | None => json!({ "reply": { "text": text, "postbackData": data } }),
        Some(Action::Url(url)) => action("openUrlAction", json!({ "url": short_enough(url)? })),
        Some(Action::Phone(phone)) => action("dialAction", json!({ "phoneNumber": phone })),
        Some(Action::AskLocation(_)) => action("shareLocationAction", json!({})),
    })
}

/// A link that no option stands for, called by where it leads.
pub(super) fn link(url: &str) -> Result<Value, Outcome> {
    let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.filter(|host| utf16(host) <= usize::try_from(SUGGESTION_TEXT).unwrap_or_default());
    Ok(json!({ "action": {
        "text": host.as_deref().unwrap_or("→"), "postbackData": postback::OPENED,
        "openUrlAction": { "url": short_enough(url)? },
    } }))
}

/// A place on the map, called by its name where there is room.
pub(super) fn place(latitude: f64, longitude: f64, name: &str) -> Value {
    let fits = !name.is_empty() && utf16(name) <= usize::try_from(SUGGESTION_TEXT).unwrap_or_default();
    let mut place = json!({ "latLong": { "latitude": latitude, "longitude": longitude } });
    if !name.is_empty() {
        place["label"] = name.into();
    }
    json!({ "action": {
        "text": if fits { name } else { "📍" }, "postbackData": postback::OPENED,
        "viewLocationAction": place,
    } })
}

fn short_enough(url: &str) -> Result<&str, Outcome> {
    if url.chars().count() > URL {
        return Err(Outcome::permanent("url_too_long", format!("a link has more than {URL} characters")));
    }
    Ok(url)
}

pub(super) fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}
