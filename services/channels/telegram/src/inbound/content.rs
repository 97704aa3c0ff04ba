//! The content of a message.

use heliograph_channel::{
    events::seconds,
    json::{flag, list, owned, text, whole},
};
use heliograph_proto::v1::{
    ContactCard, ContactPoint, Custom, Location, Media, MediaKind, content::Kind as ContentKind,
};
use serde_json::{Value, json};

use super::name;
use crate::markup;

/// What a customer may say that is nobody else's kind of content.
pub(super) const CUSTOM: &str = "chat_shared checklist dice game gift giveaway invoice paid_media poll rich_message story \
                                 successful_payment users_shared web_app_data";

/// What may hold a file, as what, and of which type where it does not say. An animation comes as a document, too, so the
/// document is last.
const FILES: [(&str, MediaKind, &str); 8] = [
    ("photo", MediaKind::Image, "image/jpeg"),
    ("animation", MediaKind::Video, "video/mp4"),
    ("video", MediaKind::Video, "video/mp4"),
    ("video_note", MediaKind::Video, "video/mp4"),
    ("voice", MediaKind::Audio, "audio/ogg"),
    ("audio", MediaKind::Audio, ""),
    ("sticker", MediaKind::Sticker, "image/webp"),
    ("document", MediaKind::File, ""),
];

/// What the message says; `None` when it says nothing.
pub(super) fn of(message: &Value) -> Option<ContentKind> {
    if let Some(text) = message["text"].as_str() {
        return Some(ContentKind::Text(markup::to_text(text, list(message, "entities"))));
    }
    if let Some(media) = media(message) {
        return Some(ContentKind::Media(media));
    }
    if let Some(place) = location(message) {
        return Some(ContentKind::Location(place));
    }
    if message["contact"].is_object() {
        return Some(ContentKind::ContactCard(card(&message["contact"])));
    }
    let name = CUSTOM.split_whitespace().find(|name| message.get(*name).is_some())?;
    Some(custom(name, &message[name]))
}

fn media(message: &Value) -> Option<Media> {
    let (name, file, kind, usual) = FILES.iter().find_map(|(name, kind, usual)| {
        let area = |photo: &&Value| whole(photo, "width") * whole(photo, "height");
        let largest = list(message, name).max_by_key(area);
        let file = largest.unwrap_or(&message[*name]);
        (!text(file, "file_id").is_empty()).then_some((*name, file, *kind, *usual))
    })?;
    let usual = match name {
        "sticker" if flag(file, "is_animated") => "application/x-tgsticker",
        "sticker" if flag(file, "is_video") => "video/webm",
        _ => usual,
    };
    let content_type = text(file, "mime_type");
    let number = |name: &str| i32::try_from(whole(file, name)).unwrap_or_default();
    Some(Media {
        kind: kind.into(),
        provider_media_id: owned(file, "file_id"),
        content_type: if content_type.is_empty() { usual } else { content_type }.to_owned(),
        file_name: file_name(file),
        size_bytes: whole(file, "file_size").max(0),
        caption: if name == "sticker" { owned(file, "emoji") } else { owned(message, "caption") },
        duration_ms: i64::from(number("duration").max(0)) * 1000,
        width: number("width"),
        height: number("height"),
        voice_note: name == "voice",
        animated: name == "animation" || flag(file, "is_animated") || flag(file, "is_video"),
        ..Media::default()
    })
}

/// Music is known by who plays it rather than by its file.
fn file_name(file: &Value) -> String {
    match (text(file, "file_name"), text(file, "performer"), text(file, "title")) {
        ("", "", title) => title.to_owned(),
        ("", performer, title) => format!("{performer} - {title}"),
        (name, ..) => name.to_owned(),
    }
}

/// A place, with its name where it is a venue.
fn location(message: &Value) -> Option<Location> {
    let venue = &message["venue"];
    let place = if venue.is_object() { &venue["location"] } else { &message["location"] };
    let number = |name: &str| place[name].as_f64().unwrap_or_default();
    // A period of all ones has no end.
    let until = place["live_period"].as_i64().map(|period| whole(message, "date").saturating_add(period));
    place.is_object().then(|| Location {
        latitude: number("latitude"),
        longitude: number("longitude"),
        name: owned(venue, "title"),
        address: owned(venue, "address"),
        accuracy_meters: number("horizontal_accuracy"),
        live_until: until.and_then(|until| seconds(&until.into())),
        ..Location::default()
    })
}

fn card(contact: &Value) -> ContactCard {
    let phone = ContactPoint { value: owned(contact, "phone_number"), ..ContactPoint::default() };
    ContactCard {
        formatted_name: name(contact),
        given_name: owned(contact, "first_name"),
        family_name: owned(contact, "last_name"),
        phones: if phone.value.is_empty() { Vec::new() } else { vec![phone] },
        vcard: owned(contact, "vcard"),
        ..ContactCard::default()
    }
}

fn custom(name: &str, data: &Value) -> ContentKind {
    let words = ["question", "title", "button_text", "emoji"];
    let fallback = words.iter().find_map(|word| data.get(word)).and_then(Value::as_str).unwrap_or_default();
    let data = if data.is_object() { data.clone() } else { json!({ name: data }) };
    ContentKind::Custom(Custom {
        kind: name.to_owned(),
        data: serde_json::from_value(data).ok(),
        fallback: fallback.to_owned(),
    })
}
