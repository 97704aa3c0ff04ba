//! What customers say.

use heliograph_channel::{
    events::named,
    json::{flag, list, owned, text, whole},
};
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, InboundEvent, Location, Media, MediaKind, Message, content::Kind as ContentKind,
    inbound_event::Kind,
};
use serde_json::Value;

use super::Parser;

/// What a message holds that is read.
pub(super) const KNOWN: &str = "id type text emojis mention quoteToken quotedMessageId markAsReadToken contentProvider \
     imageSet duration fileName fileSize title address latitude longitude packageId stickerId stickerResourceType \
     keywords";

/// The kinds of messages that are read.
const KINDS: [&str; 7] = ["text", "image", "video", "audio", "file", "sticker", "location"];

impl Parser<'_> {
    /// A message event; `None` when it lacks what its kind needs.
    pub(super) fn message(&self, address: Address) -> Option<InboundEvent> {
        let said = &self.item["message"];
        let kind = said["type"].as_str()?;
        if !KINDS.contains(&kind) {
            return Some(self.unknown(&format!("message.{kind}")));
        }
        let content = self.content(said, kind)?;
        let id = said["id"].as_str().filter(|id| !id.is_empty())?;
        let mut message = self.said(id, content);
        // A message of ours, or of the customer's: the provider's id tells.
        message.reply_to = said["quotedMessageId"].as_str().map(named);
        message.metadata.extend(metadata(said));
        Some(self.event(&self.id(), address, Kind::Message(message)))
    }

    /// An inbound message with what all of them have. In a group or room, who wrote it stands in its metadata.
    pub(super) fn said(&self, id: &str, content: ContentKind) -> Message {
        let source = &self.item["source"];
        let mut message = self.inbound.message(id, String::new(), self.time(), content);
        if let Some(kind @ ("group" | "room")) = source["type"].as_str() {
            message.metadata.insert("source".to_owned(), kind.to_owned());
            message.metadata.insert("sender".to_owned(), owned(source, "userId"));
        }
        message
    }

    /// `None` where something is missing.
    fn content(&self, said: &Value, kind: &str) -> Option<ContentKind> {
        match kind {
            "text" => content::text(said["text"].as_str().filter(|text| !text.is_empty())?).kind,
            "image" => media(said, MediaKind::Image),
            "video" => media(said, MediaKind::Video),
            "audio" => media(said, MediaKind::Audio),
            "file" => media(said, MediaKind::File),
            "sticker" => self.sticker(said),
            _ => Some(ContentKind::Location(Location {
                latitude: said["latitude"].as_f64()?,
                longitude: said["longitude"].as_f64()?,
                name: owned(said, "title"),
                address: owned(said, "address"),
                ..Location::default()
            })),
        }
    }

    /// A sticker is named by its package and itself, as it is when one is sent.
    fn sticker(&self, said: &Value) -> Option<ContentKind> {
        let (package, id) = (said["packageId"].as_str()?, said["stickerId"].as_str()?);
        let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let url = if plain { self.settings.spec.sticker_url.replace("{id}", id) } else { String::new() };
        Some(ContentKind::Media(Media {
            kind: MediaKind::Sticker.into(),
            provider_media_id: format!("{package}/{id}"),
            url,
            content_type: "image/png".to_owned(),
            caption: owned(said, "text"),
            animated: text(said, "stickerResourceType").contains("ANIMATION"),
            ..Media::default()
        }))
    }
}

/// LINE keeps it for a while under the message's id, or somebody else has it at a URL.
fn media(said: &Value, kind: MediaKind) -> Option<ContentKind> {
    let provider = &said["contentProvider"];
    let elsewhere = provider["type"] == "external";
    Some(ContentKind::Media(Media {
        kind: kind.into(),
        provider_media_id: if elsewhere { String::new() } else { said["id"].as_str()?.to_owned() },
        url: if elsewhere { provider["originalContentUrl"].as_str()?.to_owned() } else { String::new() },
        thumbnail_url: owned(provider, "previewImageUrl"),
        file_name: owned(said, "fileName"),
        size_bytes: whole(said, "fileSize"),
        duration_ms: whole(said, "duration"),
        voice_note: kind == MediaKind::Audio && !elsewhere,
        ..Media::default()
    }))
}

/// What else LINE says of a message: its album, who and what stands in it.
fn metadata(said: &Value) -> impl Iterator<Item = (String, String)> {
    let album = &said["imageSet"];
    let is_self = list(&said["mention"], "mentionees").any(|who| flag(who, "isSelf"));
    let shown = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    [
        ("album", shown(&album["id"])),
        ("album_index", shown(&album["index"])),
        ("album_total", shown(&album["total"])),
        ("emojis", shown(&said["emojis"])),
        ("mentions", shown(&said["mention"]["mentionees"])),
        ("mentions_us", if is_self { "true".to_owned() } else { String::new() }),
        ("sticker_keywords", shown(&said["keywords"])),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty() && value != "[]")
    .map(|(name, value)| (name.to_owned(), value))
}
