//! The content of a message.

use heliograph_proto::v1::{
    ContactCard, ContactPoint, Custom, Location, Media, MediaKind, content::Kind as ContentKind,
};
use serde_json::{Map, Value};

use super::time;
use crate::{
    markup,
    payload::{Contact, File, Message, Place},
};

/// What a customer may say that is nobody else's kind of content.
pub(super) const CUSTOM: &str = "chat_shared checklist dice game gift giveaway invoice paid_media poll rich_message story \
                                 successful_payment users_shared web_app_data";

/// What the message says; `None` when it says nothing.
pub(super) fn of(message: &Message) -> Option<ContentKind> {
    if let Some(text) = &message.text {
        return Some(ContentKind::Text(markup::to_text(text, &message.entities)));
    }
    if let Some(media) = media(message) {
        return Some(ContentKind::Media(media));
    }
    if let Some(venue) = &message.venue {
        let (name, address) = (venue.title.clone(), venue.address.clone());
        return Some(ContentKind::Location(Location {
            name,
            address,
            ..location(&venue.location, message.date)
        }));
    }
    if let Some(place) = &message.location {
        return Some(ContentKind::Location(location(place, message.date)));
    }
    if let Some(contact) = &message.contact {
        return Some(ContentKind::ContactCard(card(contact)));
    }
    CUSTOM
        .split_whitespace()
        .find_map(|name| message.other.get_key_value(name))
        .map(|(name, data)| custom(name, data))
}

fn media(message: &Message) -> Option<Media> {
    let area = |photo: &&File| i64::from(photo.width) * i64::from(photo.height);
    let largest = message.photo.as_ref().and_then(|sizes| sizes.iter().max_by_key(area));
    // An animation comes as a document, too, so the document is last.
    let (kind, file, usual) = [
        (MediaKind::Image, largest, "image/jpeg"),
        (MediaKind::Video, message.animation.as_ref(), "video/mp4"),
        (MediaKind::Video, message.video.as_ref(), "video/mp4"),
        (MediaKind::Video, message.video_note.as_ref(), "video/mp4"),
        (MediaKind::Audio, message.voice.as_ref(), "audio/ogg"),
        (MediaKind::Audio, message.audio.as_ref(), ""),
        (MediaKind::Sticker, message.sticker.as_ref(), message.sticker.as_ref().map_or("", sticker_type)),
        (MediaKind::File, message.document.as_ref(), ""),
    ]
    .into_iter()
    .find_map(|(kind, file, usual)| {
        file.filter(|file| !file.file_id.is_empty()).map(|file| (kind, file, usual))
    })?;
    let caption = if kind == MediaKind::Sticker { &file.emoji } else { &message.caption };
    Some(Media {
        kind: kind.into(),
        provider_media_id: file.file_id.clone(),
        content_type: if file.mime_type.is_empty() { usual.to_owned() } else { file.mime_type.clone() },
        file_name: file_name(file),
        size_bytes: file.file_size.max(0),
        caption: caption.clone(),
        duration_ms: file.duration.clamp(0, i64::from(i32::MAX)) * 1000,
        width: file.width,
        height: file.height,
        voice_note: message.voice.is_some(),
        animated: message.animation.is_some() || file.is_animated || file.is_video,
        ..Media::default()
    })
}

fn sticker_type(file: &File) -> &'static str {
    match (file.is_animated, file.is_video) {
        (true, _) => "application/x-tgsticker",
        (false, true) => "video/webm",
        (false, false) => "image/webp",
    }
}

/// Music is known by who plays it rather than by its file.
fn file_name(file: &File) -> String {
    match (file.performer.as_str(), file.title.as_str()) {
        _ if !file.file_name.is_empty() => file.file_name.clone(),
        ("", title) => title.to_owned(),
        (performer, title) => format!("{performer} - {title}"),
    }
}

fn location(place: &Place, date: i64) -> Location {
    Location {
        latitude: place.latitude,
        longitude: place.longitude,
        accuracy_meters: place.horizontal_accuracy,
        // A period of all ones has no end.
        live_until: place.live_period.and_then(|seconds| time(date.saturating_add(seconds))),
        ..Location::default()
    }
}

fn card(contact: &Contact) -> ContactCard {
    let phone = ContactPoint { value: contact.phone_number.clone(), ..ContactPoint::default() };
    ContactCard {
        formatted_name: format!("{} {}", contact.first_name, contact.last_name).trim().to_owned(),
        given_name: contact.first_name.clone(),
        family_name: contact.last_name.clone(),
        phones: if phone.value.is_empty() { Vec::new() } else { vec![phone] },
        vcard: contact.vcard.clone(),
        ..ContactCard::default()
    }
}

fn custom(name: &str, data: &Value) -> ContentKind {
    let words = ["question", "title", "button_text", "emoji"];
    let fallback = words.iter().find_map(|word| data.get(word)).and_then(Value::as_str).unwrap_or_default();
    let data = if data.is_object() {
        data.clone()
    } else {
        Value::Object(Map::from_iter([(name.to_owned(), data.clone())]))
    };
    ContentKind::Custom(Custom {
        kind: name.to_owned(),
        data: serde_json::from_value(data).ok(),
        fallback: fallback.to_owned(),
    })
}
