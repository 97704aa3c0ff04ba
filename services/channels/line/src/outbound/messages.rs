//! Content as LINE's message objects, at most five to a request.

use heliograph_channel::{Delivery, Outcome};
use heliograph_domain::{content, limits::measure};
use heliograph_proto::v1::{
    Choice, Custom, Location, Media, MediaKind, Option as Answer, TextUnit, content::Kind, option::Action,
};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::{
    action::{self, Place},
    flex, is_user, tracking_id,
};
use crate::LineSettings;

/// Longest text, in UTF-16 units.
pub(crate) const TEXT_LIMIT: i32 = 5000;
/// The most answers above the keyboard.
pub(crate) const QUICK_REPLIES: i32 = 13;
/// The most buttons of a card.
pub(crate) const CARD_OPTIONS: i32 = 4;
/// Text of buttons without a picture.
const BUTTONS_TEXT: usize = 160;
const BUTTONS: usize = 4;
const SENDER_NAME: usize = 20;
/// LINE shows how long a recording is; this stands for what nobody knows.
const SOME_MILLISECONDS: i64 = 1000;
/// LINE's message objects that content has no word for; they go out as they are given.
const PASSED_ON: [&str; 6] = ["imagemap", "template", "flex", "coupon", "textV2", "sticker"];

/// The message objects of a delivery.
pub(super) fn of(settings: &LineSettings, delivery: &Delivery<'_>) -> Result<Vec<Value>, Outcome> {
    let message = delivery.message;
    let mut messages = Writer { settings, delivery }.write(delivery.kind()?)?;
    if let Some(sender) = &message.sender
        && settings.spec.agent_names
        && !sender.display_name.is_empty()
        // LINE refuses names that might be its own.
        && !sender.display_name.to_ascii_lowercase().contains("line")
    {
        let name = cut(&sender.display_name, SENDER_NAME);
        for message in &mut messages {
            message["sender"] = json!({ "name": name });
        }
    }
    Ok(messages)
}

/// An address that LINE fetches.
pub(super) fn https(url: &str) -> Result<&str, Outcome> {
    if url.starts_with("https://") {
        Ok(url)
    } else {
        Err(Outcome::permanent(
            "not_https",
            "LINE fetches media from addresses that begin with `https://` only",
        ))
    }
}

struct Writer<'a> {
    settings: &'a LineSettings,
    delivery: &'a Delivery<'a>,
}

impl Writer<'_> {
    fn write(&self, kind: &Kind) -> Result<Vec<Value>, Outcome> {
        let id = self.delivery.message.id.as_str();
        Ok(match kind {
            Kind::Text(text) => vec![self.text(&text.body)?],
            Kind::Media(media) => self.media(media)?,
            Kind::Location(place) => vec![self.location(place)?],
            Kind::Choice(choice) => self.choice(choice)?,
            Kind::List(list) => vec![self.flex(&flex::list(id, list)?)],
            Kind::Card(card) => vec![self.flex(&flex::card(id, card)?)],
            Kind::Carousel(carousel) => {
                let cards = self.flex(&flex::carousel(id, &carousel.cards)?);
                if carousel.body.is_empty() { vec![cards] } else { vec![self.text(&carousel.body)?, cards] }
            }
            Kind::Custom(custom) => vec![self.custom(custom)?],
            _ => return Err(unsupported()),
        })
    }

    /// A text, which is what can quote.
    fn text(&self, body: &str) -> Result<Value, Outcome> {
        if body.is_empty() {
            return Err(Outcome::permanent("empty_text", "LINE takes no empty text"));
        }
        let mut message = json!({ "type": "text", "text": body });
        self.quote(&mut message);
        Ok(message)
    }

    fn quote(&self, message: &mut Value) {
        if let Some(token) = self.delivery.quote {
            message["quoteToken"] = token.expose_secret().into();
        }
    }

    /// A medium, and its caption behind it.
    fn media(&self, media: &Media) -> Result<Vec<Value>, Outcome> {
        let mut messages = vec![self.medium(media)?];
        if !media.caption.is_empty() {
            messages.push(self.text(&media.caption)?);
        }
        Ok(messages)
    }

    fn medium(&self, media: &Media) -> Result<Value, Outcome> {
        let thumbnail = (!media.thumbnail_url.is_empty()).then_some(media.thumbnail_url.as_str());
        Ok(match media.kind() {
            MediaKind::Image => {
                let url = https(&media.url)?;
                json!({
                    "type": "image", "originalContentUrl": url,
                    "previewImageUrl": https(thumbnail.unwrap_or(url))?,
                })
            }
            MediaKind::Video => {
                let preview = thumbnail.or(self.settings.spec.video_preview_url.as_deref()).ok_or_else(|| {
                    let text = "a video needs a still picture: give it a thumbnail, or the account `video_preview_url`";
                    Outcome::permanent("no_preview", text)
                })?;
                let mut message = json!({
                    "type": "video", "originalContentUrl": https(&media.url)?,
                    "previewImageUrl": https(preview)?,
                });
                if self.settings.spec.track_videos && is_user(self.delivery.user_id()) {
                    message["trackingId"] = tracking_id(self.delivery.correlation).into();
                }
                message
            }
            MediaKind::Audio => {
                let duration = if media.duration_ms > 0 { media.duration_ms } else { SOME_MILLISECONDS };
                json!({ "type": "audio", "originalContentUrl": https(&media.url)?, "duration": duration })
            }
            MediaKind::Sticker => {
                let (package, sticker) = media.provider_media_id.split_once('/').ok_or_else(|| {
                    let text = "a sticker is named by `provider_media_id: <package>/<sticker>`";
                    Outcome::permanent("unknown_sticker", text)
                })?;
                let mut message = json!({ "type": "sticker", "packageId": package, "stickerId": sticker });
                self.quote(&mut message);
                message
            }
            MediaKind::File | MediaKind::Unspecified => return Err(unsupported()),
        })
    }

    /// LINE wants both a title and an address.
    fn location(&self, place: &Location) -> Result<Value, Outcome> {
        let point = format!("{:.5}, {:.5}", place.latitude, place.longitude);
        let first = |texts: [&str; 3]| {
            texts.into_iter().find(|text| !text.is_empty()).map(str::to_owned).unwrap_or_default()
        };
        let title = first([&place.name, &place.address, &point]);
        let address = first([&place.address, &place.name, &point]);
        let most = self.settings.spec.limits.location;
        if [&title, &address].iter().any(|text| utf16(text) > most) {
            let text = format!("a location's name or address has more than {most} characters");
            return Err(Outcome::permanent("location_too_long", text));
        }
        Ok(json!({
            "type": "location", "title": title, "address": address,
            "latitude": place.latitude, "longitude": place.longitude,
        }))
    }

    /// Buttons that stay where a few fit, or else answers above the keyboard that vanish with the next message.
    fn choice(&self, choice: &Choice) -> Result<Vec<Value>, Outcome> {
        let parts = [choice.body.as_str(), choice.footer.as_str()];
        let body = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n");
        let header = choice.header.as_ref();
        if let Some(template) = self.buttons(choice, &body)? {
            return Ok(vec![json!({
                "type": "template", "altText": self.alt_text(), "template": template,
            })]);
        }
        let mut messages = header.map(|media| self.media(media)).transpose()?.unwrap_or_default();
        let mut asked = self.text(&body)?;
        let item = |option: &Answer| {
            let mut item = json!({ "type": "action", "action": self.action(option, Place::QuickReply)? });
            if let Some(icon) = option.icon.as_ref().filter(|icon| !icon.url.is_empty()) {
                item["imageUrl"] = https(&icon.url)?.into();
            }
            Ok(item)
        };
        let items: Vec<Value> = choice.options.iter().map(item).collect::<Result<_, Outcome>>()?;
        asked["quickReply"] = json!({ "items": items });
        messages.push(asked);
        Ok(messages)
    }

    /// The choice as buttons; `None` where it has no room there.
    fn buttons(&self, choice: &Choice, body: &str) -> Result<Option<Value>, Outcome> {
        let header = choice.header.as_ref();
        let picture = header.filter(|media| media.kind() == MediaKind::Image && media.caption.is_empty());
        let special =
            |option: &Answer| option.icon.is_some() || matches!(option.action, Some(Action::AskLocation(_)));
        let misfit = header.is_some() && picture.is_none();
        if choice.one_time || misfit || body.is_empty() || choice.options.iter().any(special) {
            return Ok(None);
        }
        let (limits, length) = (&self.settings.spec.limits, utf16(body));
        let actions = || -> Result<Vec<Value>, Outcome> {
            choice.options.iter().map(|option| self.action(option, Place::Button)).collect()
        };
        let room = if picture.is_some() { limits.buttons_text_with_picture } else { BUTTONS_TEXT };
        Ok(match choice.options.len() {
            2 if picture.is_none() && length <= limits.confirm_text => {
                Some(json!({ "type": "confirm", "text": body, "actions": actions()? }))
            }
            1..=BUTTONS if length <= room => {
                let mut template = json!({ "type": "buttons", "text": body, "actions": actions()? });
                if let Some(picture) = picture {
                    template["thumbnailImageUrl"] = https(&picture.url)?.into();
                }
                Some(template)
            }
            _ => None,
        })
    }

    fn action(&self, option: &Answer, place: Place) -> Result<Value, Outcome> {
        action::action(&self.delivery.message.id, option, place)
    }

    fn flex(&self, contents: &Value) -> Value {
        json!({ "type": "flex", "altText": self.alt_text(), "contents": contents })
    }

    /// What is read where the message itself cannot be shown. Not the content, so it may be cut.
    fn alt_text(&self) -> String {
        let text = self.delivery.message.content.as_ref().map(content::preview).unwrap_or_default();
        cut(&text, self.settings.spec.limits.alt_text)
    }

    /// One of LINE's own message objects, as it is given.
    fn custom(&self, custom: &Custom) -> Result<Value, Outcome> {
        if !PASSED_ON.contains(&custom.kind.as_str()) {
            return if custom.fallback.is_empty() { Err(unsupported()) } else { self.text(&custom.fallback) };
        }
        let data = custom.data.as_ref().and_then(|data| serde_json::to_value(data).ok());
        let mut message = data.filter(Value::is_object).ok_or_else(|| {
            Outcome::permanent("empty_custom", "`data` holds LINE's message object without its `type`")
        })?;
        whole_numbers(&mut message);
        message["type"] = custom.kind.as_str().into();
        Ok(message)
    }
}

/// `data` knows one kind of number; LINE wants pixels without a point.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Number(number) => {
            if let Some(whole) = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15)
            {
                *value = (whole as i64).into();
            }
        }
        _ => {}
    }
}

fn unsupported() -> Outcome {
    let text = "LINE shows text, images, videos, audio, stickers, locations, choices, lists, cards and its own objects";
    Outcome::permanent("content_not_supported", text)
}

fn utf16(text: &str) -> usize {
    measure(text, TextUnit::Utf16)
}

/// As much of a text as has room.
fn cut(text: &str, limit: usize) -> String {
    let fitting = text.chars().scan(0, |used, char| {
        *used += char.len_utf16();
        (*used <= limit).then_some(char)
    });
    fitting.collect()
}
