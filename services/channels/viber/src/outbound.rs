//! Messages as Viber shows them: with a keyboard, as cards, or as text for apps that are too old for either.

mod buttons;

use heliograph_channel::{Account, Body, Delivery, Outcome, ProviderRequest, contact};
use heliograph_domain::content::options;
use heliograph_proto::v1::{
    Card, Choice, ContactCard, Custom, Location, Media, MediaKind, Option as Offered, content::Kind,
    option::Action,
};
use http::{HeaderValue, Method};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{
    ViberSettings,
    settings::{CAPTION, FILE_NAME, MESSAGE, NAME, PHONE, TEXT, URL, VIDEO, VIDEO_SECONDS},
    tracking::Tracking,
};

const API: &str = "https://chatapi.viber.com";

impl ViberSettings {
    /// Who messages are from, as the API takes it.
    pub(crate) fn from(&self) -> Value {
        let mut from = json!({ "name": self.sender.name.trim() });
        if let Some(avatar) = &self.sender.avatar {
            from["avatar"] = avatar.as_str().into();
        }
        from
    }
}

/// The request for one message.
pub(crate) fn encode(
    account: &Account<ViberSettings>,
    delivery: &Delivery<'_>,
) -> Result<ProviderRequest, Outcome> {
    let settings = &account.settings;
    let kind = delivery.message.content.as_ref().and_then(|content| content.kind.as_ref());
    let message = match kind {
        Some(Kind::Text(said)) => text(&said.body)?,
        Some(Kind::Media(medium)) => media(settings, medium)?,
        Some(Kind::Location(place)) => location(place)?,
        Some(Kind::ContactCard(card)) => self::card(card)?,
        Some(Kind::Choice(choice)) => question(settings, choice)?,
        Some(Kind::Card(card)) => buttons::cards(settings, std::slice::from_ref(card))?,
        Some(Kind::Carousel(carousel)) => buttons::cards(settings, &carousel.cards)?,
        Some(Kind::Custom(it)) => custom(settings, it)?,
        _ => {
            let text = "the channel carries text, media, locations, contacts, choices, cards and carousels";
            return Err(Outcome::permanent("content_not_supported", text));
        }
    };
    let tracking = Tracking::new(&delivery.message.id, kind.map(options).unwrap_or_default(), false);
    request(account, delivery, message, &tracking)
}

/// The same as text, for an app that cannot show the message; `None` where it was text already.
pub(crate) fn simpler(
    account: &Account<ViberSettings>,
    delivery: &Delivery<'_>,
) -> Option<Result<ProviderRequest, Outcome>> {
    let kind = delivery.message.content.as_ref()?.kind.as_ref()?;
    let mut lines = Vec::new();
    match kind {
        Kind::Choice(choice) => {
            lines.extend(choice.header.as_ref().map(|header| header.url.clone()));
            lines.push(choice.body.clone());
        }
        Kind::Card(card) => read_out(card, &mut lines),
        Kind::Carousel(carousel) => carousel.cards.iter().for_each(|card| read_out(card, &mut lines)),
        Kind::Custom(custom) => lines.push(custom.fallback.clone()),
        _ => return None,
    }
    let offered = options(kind);
    let links = offered.iter().filter_map(|option| match &option.action {
        Some(Action::Url(url)) => Some(format!("{}: {url}", option.title)),
        _ => None,
    });
    let answers = offered.iter().filter(|option| matches!(option.action, None | Some(Action::Answer(_))));
    lines.extend(links);
    lines.extend(answers.enumerate().map(|(index, option)| format!("{}. {}", index + 1, option.title)));
    if let Kind::Choice(choice) = kind {
        lines.push(choice.footer.clone());
    }
    lines.retain(|line| !line.trim().is_empty());
    let tracking = Tracking::new(&delivery.message.id, offered, true);
    Some(text(&lines.join("\n")).and_then(|message| request(account, delivery, message, &tracking)))
}

fn read_out(card: &Card, lines: &mut Vec<String>) {
    let picture = card.media.as_ref().map_or("", |media| &media.url);
    lines.extend([card.title.as_str(), &card.body, picture, &card.url].map(str::to_owned));
}

fn request(
    account: &Account<ViberSettings>,
    delivery: &Delivery<'_>,
    mut message: Value,
    tracking: &Tracking,
) -> Result<ProviderRequest, Outcome> {
    if delivery.user_id().is_empty() {
        return Err(Outcome::permanent("no_receiver", "the address names no customer of Viber's"));
    }
    message["receiver"] = delivery.user_id().into();
    message["sender"] = account.settings.from();
    message["tracking_data"] = tracking.encode().into();
    message["min_api_version"] = message["min_api_version"].as_i64().unwrap_or(1).max(1).into();
    let body = message.to_string();
    if body.len() > MESSAGE {
        let text = format!("a message has {MESSAGE} bytes at most, buttons and pictures' URLs included");
        return Err(Outcome::permanent("message_too_large", text));
    }
    let token = account.settings.auth_tokens.first().map_or("", |token| token.expose_secret());
    let mut token = HeaderValue::from_str(token)
        .map_err(|_| Outcome::auth("bad_token", "the account's token holds what no header may"))?;
    token.set_sensitive(true);
    let url = format!("{}/pa/send_message", account.api_base(API));
    let mut request = ProviderRequest::new(Method::POST, url, Body::Json(body.into()));
    request.headers.insert("x-viber-auth-token", token);
    Ok(request)
}

fn text(body: &str) -> Result<Value, Outcome> {
    if body.trim().is_empty() {
        return Err(Outcome::permanent("text_empty", "the text has no visible character"));
    }
    if body.chars().count() > TEXT {
        return Err(Outcome::permanent("text_too_long", format!("a text has {TEXT} characters at most")));
    }
    Ok(json!({ "type": "text", "text": body }))
}

/// The URL Viber fetches; it takes files in no other way.
fn link(medium: &Media) -> Result<&str, Outcome> {
    if medium.url.is_empty() {
        return Err(Outcome::permanent(
            "no_public_url",
            "Viber fetches media from a URL, and this one has none",
        ));
    }
    if medium.url.chars().count() > URL {
        return Err(Outcome::permanent("url_too_long", format!("a URL has {URL} characters at most")));
    }
    Ok(&medium.url)
}

fn media(settings: &ViberSettings, medium: &Media) -> Result<Value, Outcome> {
    let (size, kind) = (medium.size_bytes, medium.content_type.as_str());
    if let (MediaKind::Sticker, Ok(id)) = (medium.kind(), medium.provider_media_id.parse::<u64>()) {
        return Ok(json!({ "type": "sticker", "sticker_id": id }));
    }
    let url = link(medium)?;
    let thumbnail = |mut message: Value| {
        if !medium.thumbnail_url.is_empty() {
            message["thumbnail"] = medium.thumbnail_url.as_str().into();
        }
        message
    };
    let pictures = ["image/jpeg", "image/png", "image/gif"];
    if medium.kind() == MediaKind::Image && pictures.contains(&kind) && size <= settings.limits.picture {
        return Ok(thumbnail(json!({ "type": "picture", "text": medium.caption, "media": url })));
    }
    let seconds = medium.duration_ms / 1000;
    // Viber wants the size of everything that it does not show as a picture.
    let video = medium.kind() == MediaKind::Video && kind == "video/mp4" && seconds <= VIDEO_SECONDS;
    if video && (1..=VIDEO).contains(&size) {
        let mut message =
            thumbnail(json!({ "type": "video", "text": medium.caption, "media": url, "size": size }));
        if seconds > 0 {
            message["duration"] = seconds.into();
        }
        return Ok(message);
    }
    // Of unknown size it can still be opened; and a picture or a video that is too large to be shown as one is a file, under
    // which there is no room for words.
    if size == 0 || !medium.caption.is_empty() {
        let words = [medium.caption.as_str(), url].into_iter().filter(|words| !words.is_empty());
        return text(&words.collect::<Vec<_>>().join("\n"));
    }
    Ok(json!({ "type": "file", "media": url, "size": size, "file_name": file_name(medium) }))
}

/// Never empty, with an ending, and not too long for Viber.
fn file_name(medium: &Media) -> String {
    let path =
        medium.url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let name = [medium.file_name.as_str(), path, "file"].into_iter().find(|name| !name.is_empty());
    let name = name.unwrap_or_default();
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let ending: String = ending.chars().take(16).collect();
    if name.chars().count() <= FILE_NAME {
        return name.to_owned();
    }
    let kept: String = name.chars().take(FILE_NAME - ending.chars().count() - 1).collect();
    format!("{kept}.{ending}")
}

/// A point is shown on a map; a place with a name has no room for it there, and is a text with a link.
fn location(place: &Location) -> Result<Value, Outcome> {
    let (lat, lon) = (place.latitude, place.longitude);
    let words = [&place.name, &place.address].map(|words| words.trim());
    if words.iter().all(|words| words.is_empty()) {
        return Ok(json!({ "type": "location", "location": { "lat": lat, "lon": lon } }));
    }
    let map = format!("https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=17/{lat}/{lon}");
    let url = if place.url.is_empty() { &map } else { &place.url };
    let lines = words.into_iter().chain([url.as_str()]).filter(|line| !line.is_empty());
    text(&lines.collect::<Vec<_>>().join("\n"))
}

fn card(card: &ContactCard) -> Result<Value, Outcome> {
    let name = [&card.formatted_name, &card.organization].into_iter().find(|name| !name.is_empty());
    let phone = card.phones.iter().map(|phone| phone.value.as_str()).find(|phone| !phone.is_empty());
    match (name, phone) {
        (Some(name), Some(phone)) if name.chars().count() <= NAME && phone.chars().count() <= PHONE => {
            Ok(json!({ "type": "contact", "contact": { "name": name, "phone_number": phone } }))
        }
        // What is more than a short name and a number can be read.
        _ => text(&contact::lines(card)),
    }
}

/// A text, or a picture, with a keyboard under the chat.
fn question(settings: &ViberSettings, choice: &Choice) -> Result<Value, Outcome> {
    let words = [&choice.body, &choice.footer].into_iter().filter(|words| !words.is_empty());
    let words: String = words.map(String::as_str).collect::<Vec<_>>().join("\n\n");
    let pictured = choice.header.as_ref().filter(|header| {
        header.kind() == MediaKind::Image && !header.url.is_empty() && words.chars().count() <= CAPTION
    });
    let mut message = if let Some(header) = pictured {
        media(settings, &Media { caption: words, ..header.clone() })?
    } else {
        let header = choice.header.as_ref().map_or("", |header| header.url.as_str());
        let lines = [header, &words].into_iter().filter(|line| !line.is_empty());
        text(&lines.collect::<Vec<_>>().join("\n"))?
    };
    let offered: Vec<&Offered> = choice.options.iter().collect();
    if !offered.is_empty() {
        message["keyboard"] = buttons::keyboard(settings, &offered)?;
        message["min_api_version"] = settings.limits.silent_version.into();
    }
    Ok(message)
}

/// `rich_media` as Viber's documents have it; or the words that stand in.
fn custom(settings: &ViberSettings, custom: &Custom) -> Result<Value, Outcome> {
    if custom.kind != "rich_media" {
        return text(&custom.fallback);
    }
    let rich_media =
        custom.data.as_ref().and_then(|data| serde_json::to_value(data).ok()).unwrap_or_default();
    Ok(json!({
        "type": "rich_media",
        "rich_media": rich_media,
        "alt_text": custom.fallback,
        "min_api_version": settings.limits.rich_media_version,
    }))
}
