//! What customers say.

use heliograph_channel::postback;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Content, Direction, InboundEvent, Location, Media, MediaKind, Message, MessageClass, Selection, Sender,
    SenderKind, content::Kind as ContentKind, inbound_event::Kind,
};
use serde_json::Value;

use super::{Parser, text};

impl Parser<'_> {
    /// `None` when it lacks what its kind needs.
    pub(super) fn message(&self) -> Option<InboundEvent> {
        let address = self.address()?;
        let id = self.item["messageId"].as_str().filter(|id| !id.is_empty())?;
        let said = ["text", "suggestionResponse", "location", "userFile"];
        if said.iter().all(|name| self.item[*name].is_null()) {
            return Some(self.unknown("message"));
        }
        if self.item["suggestionResponse"]["postbackData"] == postback::OPENED {
            return Some(self.unknown("opened"));
        }
        let content = self.content()?;
        let mut message = Message {
            id: self.inbound.message_id(&self.id()),
            direction: Direction::Inbound.into(),
            content: Some(content),
            sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
            message_class: MessageClass::Service.into(),
            time: self.time(),
            provider_message_id: id.to_owned(),
            ..Message::default()
        };
        let tapped = &self.item["suggestionResponse"]["type"];
        for (name, value) in [("carrier", &self.item["carrier"]), ("suggestion", tapped)] {
            if let Some(value) = value.as_str() {
                message.metadata.insert(name.to_owned(), value.to_owned());
            }
        }
        Some(self.made(address, Kind::Message(message)))
    }

    /// `None` where something is missing.
    fn content(&self) -> Option<Content> {
        let (item, response) = (&self.item, &self.item["suggestionResponse"]);
        if let Some(text) = item["text"].as_str() {
            return (!text.is_empty()).then(|| content::text(text));
        }
        let kind = if let Some(data) = response["postbackData"].as_str() {
            ContentKind::Selection(Selection { title: text(&response["text"]), ..postback::decode(data) })
        } else if item["location"].is_object() {
            ContentKind::Location(Location {
                latitude: item["location"]["latitude"].as_f64()?,
                longitude: item["location"]["longitude"].as_f64()?,
                ..Location::default()
            })
        } else {
            ContentKind::Media(file(&item["userFile"])?)
        };
        Some(Content { kind: Some(kind) })
    }
}

/// A file, which the provider keeps for a while at a URL that needs no credentials.
fn file(given: &Value) -> Option<Media> {
    let payload = &given["payload"];
    let content_type = text(&payload["mimeType"]);
    let kind = match content_type.split('/').next() {
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    };
    Some(Media {
        kind: kind.into(),
        url: payload["fileUri"].as_str().filter(|url| !url.is_empty())?.to_owned(),
        content_type,
        file_name: text(&payload["fileName"]),
        // Google writes 64-bit numbers as text, here and there.
        size_bytes: payload["fileSizeBytes"]
            .as_i64()
            .or_else(|| payload["fileSizeBytes"].as_str()?.parse().ok())
            .unwrap_or_default(),
        thumbnail_url: text(&given["thumbnail"]["fileUri"]),
        ..Media::default()
    })
}
