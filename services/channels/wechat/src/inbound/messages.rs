//! What a customer says.

use heliograph_channel::Refusal;
use heliograph_domain::content;
use heliograph_proto::v1::{
    Address, Card, Content, Custom, Direction, InboundEvent, Location, Media, MediaKind, Message,
    MessageClass, Selection, Sender, SenderKind, content::Kind as ContentKind, inbound_event::Kind,
};

use super::Parser;

impl Parser<'_> {
    pub(super) fn message(&self, address: Address, kind: &str) -> Result<InboundEvent, Refusal> {
        let id = self.fields.need("msgid").map_err(Refusal::Malformed)?;
        let Some(content) = self.content(kind)? else { return Ok(self.unknown(address, kind)) };
        Ok(self.said(address, id, content, "message"))
    }

    /// An inbound message that opens the window `window`.
    pub(super) fn said(&self, address: Address, id: &str, content: Content, window: &str) -> InboundEvent {
        let message = Message {
            id: self.inbound.message_id(id),
            direction: Direction::Inbound.into(),
            content: Some(content),
            sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
            message_class: MessageClass::Service.into(),
            time: self.time(),
            provider_message_id: id.to_owned(),
            ..Message::default()
        };
        let mut event = self.inbound.event(&self.dedupe_id(), address, self.time(), Kind::Message(message));
        window.clone_into(&mut event.opens_window);
        event
    }

    fn content(&self, kind: &str) -> Result<Option<Content>, Refusal> {
        let fields = self.fields;
        let owned = |field: &str| fields.get(field).unwrap_or_default().to_owned();
        let kind = match kind {
            "text" => match fields.get("bizmsgmenuid") {
                Some(option) => ContentKind::Selection(Selection {
                    option_id: option.to_owned(),
                    title: owned("content"),
                    ..Selection::default()
                }),
                None => return Ok(Some(content::text(fields.get("content").unwrap_or(" ")))),
            },
            "image" => self.media(MediaKind::Image, "image/jpeg"),
            "voice" => {
                let media_type =
                    if fields.get("format") == Some("speex") { "audio/speex" } else { "audio/amr" };
                self.media(MediaKind::Audio, media_type)
            }
            "video" | "shortvideo" => self.video(),
            "location" => ContentKind::Location(Location {
                latitude: self.number("location_x")?,
                longitude: self.number("location_y")?,
                name: owned("label"),
                ..Location::default()
            }),
            "link" => ContentKind::Card(Card {
                title: owned("title"),
                body: owned("description"),
                url: owned("url"),
                ..Card::default()
            }),
            "miniprogrampage" => self.custom("miniprogrampage", "title"),
            _ => return Ok(None),
        };
        Ok(Some(Content { kind: Some(kind) }))
    }

    /// The provider keeps media for three days under `MediaId`.
    fn media(&self, kind: MediaKind, content_type: &str) -> ContentKind {
        let owned = |field: &str| self.fields.get(field).unwrap_or_default().to_owned();
        ContentKind::Media(Media {
            kind: kind.into(),
            url: owned("picurl"),
            provider_media_id: owned("mediaid"),
            content_type: content_type.to_owned(),
            transcript: owned("recognition"),
            voice_note: kind == MediaKind::Audio,
            ..Media::default()
        })
    }

    /// The provider says where a video is when it is asked for it.
    fn video(&self) -> ContentKind {
        match self.media(MediaKind::Video, "video/mp4") {
            ContentKind::Media(media) if !media.provider_media_id.is_empty() => ContentKind::Media(Media {
                provider_media_id: format!("{}{}", crate::outbound::media::VIDEO, media.provider_media_id),
                ..media
            }),
            kind => kind,
        }
    }

    fn custom(&self, kind: &str, fallback: &str) -> ContentKind {
        let data: serde_json::Map<String, serde_json::Value> =
            self.fields.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        ContentKind::Custom(Custom {
            kind: kind.to_owned(),
            data: serde_json::from_value(data.into()).ok(),
            fallback: self.fields.get(fallback).unwrap_or_default().to_owned(),
        })
    }

    fn number(&self, field: &str) -> Result<f64, Refusal> {
        let text = self.fields.need(field).map_err(Refusal::Malformed)?;
        text.parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
            .ok_or_else(|| Refusal::Malformed(format!("<{field}> is not a number")))
    }
}
