//! Content as `contentMessage`.

use heliograph_channel::{Delivery, Outcome};
use heliograph_proto::v1::{Card, Carousel, Choice, Custom, Location, Media, MediaKind, content::Kind};
use serde_json::{Value, json};

use super::suggestion::{self, SUGGESTIONS, utf16};
use crate::RcsSettings;

/// Longest text, in UTF-16 units.
pub(crate) const TEXT: i32 = 3072;
pub(crate) const CARD_TITLE: i32 = 200;
pub(crate) const CARD_BODY: i32 = 2000;
pub(crate) const CARDS: i32 = 10;
pub(crate) const CARDS_LEAST: i32 = 2;
/// Largest file.
pub(crate) const FILE_BYTES: i64 = 100_000_000;

/// The content of a delivery.
pub(super) fn of(settings: &RcsSettings, delivery: &Delivery<'_>) -> Result<Value, Outcome> {
    let message = delivery.message;
    let kind = message.content.as_ref().and_then(|content| content.kind.as_ref());
    let writer = Writer { settings, id: &message.id };
    match kind {
        Some(Kind::Text(text)) => plain(&text.body),
        Some(Kind::Media(media)) => writer.media(media),
        Some(Kind::Location(place)) => location(place),
        Some(Kind::Choice(choice)) => writer.choice(choice),
        Some(Kind::Card(card)) => writer.card(card),
        Some(Kind::Carousel(carousel)) => writer.carousel(carousel),
        Some(Kind::Custom(custom)) => passed_on(custom),
        _ => Err(unsupported()),
    }
}

struct Writer<'a> {
    settings: &'a RcsSettings,
    id: &'a str,
}

impl Writer<'_> {
    /// A file. One with a caption is a card where it is a picture or a video; other files have no room for words, so the
    /// words go out with a link to it.
    fn media(&self, media: &Media) -> Result<Value, Outcome> {
        if media.caption.is_empty() {
            return file(media).map(Value::Object);
        }
        if matches!(media.kind(), MediaKind::Image | MediaKind::Video) {
            let card = Card { body: media.caption.clone(), media: Some(media.clone()), ..Card::default() };
            return self.card(&card);
        }
        if media.url.is_empty() {
            let text =
                "a recording or file with a caption needs a public URL: words and file do not go together";
            return Err(Outcome::permanent("no_public_url", text));
        }
        plain(&format!("{}\n{}", media.caption, media.url))
    }

    fn choice(&self, choice: &Choice) -> Result<Value, Outcome> {
        let parts = [choice.body.as_str(), choice.footer.as_str()];
        let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let mut content = match &choice.header {
            Some(media) => {
                let card = Card { body, media: Some(media.clone()), ..Card::default() };
                self.card(&card)?
            }
            None => plain(&body)?,
        };
        content["suggestions"] = suggestion::all(self.id, &choice.options)?.into();
        Ok(content)
    }

    fn card(&self, card: &Card) -> Result<Value, Outcome> {
        let mut below = Vec::new();
        let card = self.card_content(card, &mut below)?;
        let card = json!({ "cardOrientation": "VERTICAL", "cardContent": card });
        rich(json!({ "standaloneCard": card }), below)
    }

    /// Cards side by side.
    fn carousel(&self, carousel: &Carousel) -> Result<Value, Outcome> {
        let mut below = Vec::new();
        let cards = carousel.cards.iter().map(|card| self.card_content(card, &mut below));
        let cards: Vec<Value> = cards.collect::<Result<_, _>>()?;
        rich(json!({ "carouselCard": { "cardWidth": "MEDIUM", "cardContents": cards } }), below)
    }

    /// A card's content. A link for which its suggestions have no room goes `below` the message.
    fn card_content(&self, card: &Card, below: &mut Vec<Value>) -> Result<Value, Outcome> {
        let mut content = json!({});
        for (name, text) in [("title", &card.title), ("description", &card.body)] {
            if !text.is_empty() {
                content[name] = text.as_str().into();
            }
        }
        let mut links = Vec::new();
        if let Some(media) = &card.media {
            if matches!(media.kind(), MediaKind::Image | MediaKind::Video) {
                let mut shown = Value::Object(file(media)?);
                shown["height"] = "MEDIUM".into();
                content["media"] = shown;
            } else if media.url.is_empty() {
                let text =
                    "a card shows a picture or a video, and another file needs a public URL to be linked";
                return Err(Outcome::permanent("no_public_url", text));
            } else {
                links.push(suggestion::link(&media.url)?);
            }
        }
        if !card.url.is_empty() {
            links.push(suggestion::link(&card.url)?);
        }
        let most = self.settings.card_suggestions;
        let mut suggestions = suggestion::all(self.id, &card.options)?;
        for link in links {
            let room = suggestions.len() < usize::try_from(most).unwrap_or_default();
            let place = if room { &mut suggestions } else { &mut *below };
            place.push(link);
        }
        if !suggestions.is_empty() {
            content["suggestions"] = suggestions.into();
        }
        if ["title", "description", "media"].iter().all(|name| content[*name].is_null()) {
            return Err(Outcome::permanent("empty_card", "a card needs a title, a text or a picture"));
        }
        Ok(content)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it becomes a part of what is made")]
fn rich(card: Value, below: Vec<Value>) -> Result<Value, Outcome> {
    let mut content = json!({ "richCard": card });
    if below.len() > usize::try_from(SUGGESTIONS).unwrap_or_default() {
        return Err(Outcome::permanent(
            "too_many_options",
            "the cards have more links than there is room for",
        ));
    }
    if !below.is_empty() {
        content["suggestions"] = below.into();
    }
    Ok(content)
}

fn plain(text: &str) -> Result<Value, Outcome> {
    if text.is_empty() {
        return Err(Outcome::permanent("empty_text", "the provider takes no empty text"));
    }
    if utf16(text) > usize::try_from(TEXT).unwrap_or_default() {
        let why = format!("a text has more than {TEXT} UTF-16 units");
        return Err(Outcome::permanent("text_too_long", why));
    }
    Ok(json!({ "text": text }))
}

/// The file by the name it was uploaded as, or by its URL.
fn file(media: &Media) -> Result<serde_json::Map<String, Value>, Outcome> {
    let (name, value) = if !media.provider_media_id.is_empty() {
        ("uploadedRbmFile", json!({ "fileName": media.provider_media_id }))
    } else if media.url.is_empty() {
        return Err(Outcome::permanent("no_public_url", "the file has no URL"));
    } else {
        let mut info = json!({ "fileUrl": media.url, "forceRefresh": false });
        if !media.thumbnail_url.is_empty() {
            info["thumbnailUrl"] = media.thumbnail_url.as_str().into();
        }
        ("contentInfo", info)
    };
    Ok(serde_json::Map::from_iter([(name.to_owned(), value)]))
}

/// What is known of a place, and where it is on the map.
fn location(place: &Location) -> Result<Value, Outcome> {
    let point = format!("{:.5}, {:.5}", place.latitude, place.longitude);
    let known = [place.name.as_str(), place.address.as_str(), place.url.as_str()];
    let lines: Vec<&str> = known.into_iter().filter(|line| !line.is_empty()).collect();
    let mut content = plain(&if lines.is_empty() { point } else { lines.join("\n") })?;
    content["suggestions"] = json!([suggestion::place(place.latitude, place.longitude, &place.name)]);
    Ok(content)
}

/// A whole `contentMessage`, as it is given.
fn passed_on(custom: &Custom) -> Result<Value, Outcome> {
    if custom.kind != "contentMessage" {
        return if custom.fallback.is_empty() { Err(unsupported()) } else { plain(&custom.fallback) };
    }
    let data = custom.data.as_ref().and_then(|data| serde_json::to_value(data).ok());
    data.filter(Value::is_object)
        .ok_or_else(|| Outcome::permanent("empty_custom", "`data` holds the provider's `contentMessage`"))
}

fn unsupported() -> Outcome {
    let text = "RCS shows text, files, locations, choices, cards, carousels and the provider's own messages";
    Outcome::permanent("content_not_supported", text)
}
