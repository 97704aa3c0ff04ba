//! What is attached to a customer's message.

use heliograph_proto::v1::{Card, Custom, Location, Media, MediaKind, content::Kind};
use serde_json::{Value, json};

use super::{batch::id, event::text};

/// An attachment.
pub(super) enum Attached {
    /// Part of what was said.
    Content(Kind),
    /// What the provider found behind a link; the link itself stands in the text, if there is one.
    Preview(Kind),
}

/// Reads one; what is not known is kept as it came.
pub(super) fn read(attachment: &Value) -> Attached {
    let payload = &attachment["payload"];
    let url = url_of(attachment);
    let word = text(attachment, "type").unwrap_or("attachment");
    let kind = match (word, url) {
        ("image", Some(_)) if payload.get("sticker_id").is_some() => media(MediaKind::Sticker, payload),
        ("sticker", _) if url.is_some() || payload.get("sticker_id").is_some() => {
            media(MediaKind::Sticker, payload)
        }
        ("image", Some(_)) => media(MediaKind::Image, payload),
        ("audio", Some(_)) => media(MediaKind::Audio, payload),
        ("video" | "reel" | "ig_reel", Some(_)) => media(MediaKind::Video, payload),
        ("file", Some(_)) => media(MediaKind::File, payload),
        ("share" | "ig_post", Some(url)) => link(attachment, url),
        ("fallback", Some(url)) => return Attached::Preview(link(attachment, url)),
        ("location", _) => match place(attachment) {
            Some(place) => place,
            None => other(word, attachment),
        },
        // A story is its author's: the link is kept, never the picture behind it.
        _ => other(word, attachment),
    };
    Attached::Content(kind)
}

/// The link of a preview.
pub(super) fn link_of_preview(attachment: &Value) -> Option<&str> {
    (attachment["type"] == "fallback").then(|| url_of(attachment))?
}

/// The story in which the account was named.
pub(super) fn link_of_mention(attachment: &Value) -> Option<&str> {
    (attachment["type"] == "story_mention").then(|| url_of(attachment))?
}

/// Previews have it outside their payload.
fn url_of(attachment: &Value) -> Option<&str> {
    text(&attachment["payload"], "url").or_else(|| text(attachment, "url"))
}

fn title_of(attachment: &Value) -> String {
    let title = text(&attachment["payload"], "title").or_else(|| text(attachment, "title"));
    title.unwrap_or_default().to_owned()
}

/// Where the file is, until its link expires. Stickers have an id for ever.
fn media(kind: MediaKind, payload: &Value) -> Kind {
    let sticker = if kind == MediaKind::Sticker { id(&payload["sticker_id"]) } else { String::new() };
    Kind::Media(Media {
        kind: kind.into(),
        url: text(payload, "url").unwrap_or_default().to_owned(),
        provider_media_id: sticker,
        caption: text(payload, "title").unwrap_or_default().to_owned(),
        ..Media::default()
    })
}

fn link(attachment: &Value, url: &str) -> Kind {
    Kind::Card(Card { title: title_of(attachment), url: url.to_owned(), ..Card::default() })
}

fn place(attachment: &Value) -> Option<Kind> {
    let at = &attachment["payload"]["coordinates"];
    let number = |name: &str| at[name].as_f64();
    Some(Kind::Location(Location {
        latitude: number("lat")?,
        longitude: number("long")?,
        name: title_of(attachment),
        url: text(attachment, "url").unwrap_or_default().to_owned(),
        ..Location::default()
    }))
}

fn other(word: &str, attachment: &Value) -> Kind {
    let title = title_of(attachment);
    let fallback = if title.is_empty() { url_of(attachment).unwrap_or_default().to_owned() } else { title };
    let data = match &attachment["payload"] {
        payload @ Value::Object(_) => payload.clone(),
        _ => json!({ "attachment": attachment }),
    };
    Kind::Custom(Custom { kind: word.to_owned(), data: serde_json::from_value(data).ok(), fallback })
}
