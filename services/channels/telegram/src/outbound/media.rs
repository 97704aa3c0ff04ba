//! Media: sent as what they are shown as, by the id Telegram gave them, by their URL, or along with the message.

use std::time::Duration;

use heliograph_channel::{
    Account, CarrierError, File, Outcome, ProviderRequest, ProviderResponse, URL_SECRET, Upload, UploadGrant,
    json::{list, text, without_empty},
};
use heliograph_proto::v1::{Media, MediaKind};
use serde_json::{Value, json};

use super::{API, Call, Made};
use crate::{
    TelegramSettings,
    codes::says,
    markup::Marked,
    settings::{PHOTO, UPLOAD},
};

/// Telegram keeps what its ids name; after so long a file is uploaded anew.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// As what a medium is shown, which is what the field and the method are called after; everything can be sent as a file.
fn shown(media: &Media, file: Option<&File>) -> &'static str {
    let (content_type, size) = match file {
        Some(file) => (&file.content_type, file.bytes.len()),
        None => (&media.content_type, usize::try_from(media.size_bytes).unwrap_or(0)),
    };
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is = |kinds: &str| kind.is_empty() || kinds.split(' ').any(|known| known == kind);
    match media.kind() {
        MediaKind::Sticker if is("image/webp application/x-tgsticker video/webm") => "sticker",
        MediaKind::Image if kind == "image/gif" => "animation",
        MediaKind::Image if is("image/jpeg image/png image/webp") && size <= PHOTO => "photo",
        MediaKind::Video if media.animated && is("video/mp4") => "animation",
        MediaKind::Video if is("video/mp4 video/quicktime") => "video",
        MediaKind::Audio if media.voice_note && is("audio/ogg audio/mpeg audio/mp4") => "voice",
        MediaKind::Audio if is("audio/mpeg audio/mp4 audio/x-m4a") => "audio",
        _ => "document",
    }
}

/// Telegram fetches from URLs what it can show and what is not too large; the rest goes along.
pub(crate) fn upload(account: &Account<TelegramSettings>, media: &Media) -> Upload {
    let limits = &account.settings.spec.limits;
    let limit = match (shown(media, None), media.content_type.as_str()) {
        ("photo", _) => limits.photo_by_url,
        ("animation" | "video" | "audio", _) | ("document", "application/pdf" | "application/zip") => {
            limits.file_by_url
        }
        _ => 0,
    };
    let by_url = media.object_id.is_empty() && media.size_bytes > 0 && media.size_bytes <= limit;
    if by_url { Upload::Never } else { Upload::Within }
}

/// Where the medium is: what a file that goes `along` is called, or else an id or a URL.
fn source<'m>(media: &'m Media, file: Option<&File>, along: &'m str) -> Result<&'m str, Outcome> {
    match file {
        Some(file) if file.bytes.len() > UPLOAD => {
            Err(Outcome::permanent("file_too_large", "a bot's files have 50 MB at most"))
        }
        Some(_) => Ok(along),
        None => [media.provider_media_id.as_str(), &media.url]
            .into_iter()
            .find(|at| !at.is_empty())
            .ok_or_else(|| Outcome::permanent("no_medium", "the medium has neither an id nor a URL")),
    }
}

/// The call that sends a medium with `caption`.
pub(super) fn call<'a>(media: &Media, file: Option<&'a File>, caption: &Marked) -> Made<'a> {
    let shown = match shown(media, file) {
        "sticker" if !caption.text.is_empty() => "document",
        shown => shown,
    };
    let method = format!("send{}{}", shown[..1].to_ascii_uppercase(), &shown[1..]);
    let at = Some(source(media, file, "")?).filter(|at| !at.is_empty());
    let call = Call::new(&method, described(media, shown, caption)).maybe(shown, at);
    Ok(Call { file: file.map(|file| (shown, file)), ..call })
}

/// The call that puts a medium in the place of another.
pub(super) fn replaced<'a>(media: &Media, file: Option<&'a File>) -> Made<'a> {
    let shown = match shown(media, file) {
        "voice" | "sticker" => "document",
        shown => shown,
    };
    let mut input = described(media, shown, &Marked::plain(&media.caption));
    input["type"] = shown.into();
    input["media"] = source(media, file, "attach://file")?.into();
    let call = Call::new("editMessageMedia", json!({ "media": input }));
    Ok(Call { file: file.map(|file| ("file", file)), ..call })
}

/// What is said of a medium beside the medium.
fn described(media: &Media, shown: &str, caption: &Marked) -> Value {
    let mut fields = without_empty(json!({ "caption": caption.text, "caption_entities": caption.entities }));
    let seconds = media.duration_ms / 1000;
    if seconds > 0 && matches!(shown, "animation" | "video" | "audio" | "voice") {
        fields["duration"] = seconds.into();
    }
    if matches!(shown, "animation" | "video") && media.width > 0 && media.height > 0 {
        fields["width"] = media.width.into();
        fields["height"] = media.height.into();
    }
    fields
}

/// What Telegram calls the file of a message that was sent.
pub(crate) fn uploaded(response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
    let result = &response.json()["result"];
    // An animation comes as a document, too.
    let kinds = ["animation", "video", "audio", "voice", "sticker", "document"];
    let file = kinds.iter().map(|kind| &result[*kind]).find(|file| file.is_object());
    match file.or(list(result, "photo").last()).and_then(|file| file["file_id"].as_str()) {
        Some(id) => Ok(UploadGrant { provider_media_id: id.to_owned(), expires_in: KEPT }),
        None => Err(Outcome::in_doubt("no_file_id", "the message that was sent names no file")),
    }
}

/// Asks for the path of a received file.
pub(crate) fn lookup(account: &Account<TelegramSettings>, file_id: &str) -> Option<ProviderRequest> {
    let call = Call::new("getFile", json!({ "file_id": file_id }));
    (!file_id.is_empty()).then(|| call.request(account))
}

/// The URL of a received file; the bot's token comes into it when it is fetched.
pub(crate) fn found(
    account: &Account<TelegramSettings>,
    response: &ProviderResponse,
) -> Result<String, CarrierError> {
    let body = response.json();
    let why = text(&body, "description");
    match body["result"]["file_path"].as_str() {
        Some(path) if response.status.is_success() => Ok(format!("{}{path}", files(account))),
        _ if says(why, "file is too big") => {
            Err(CarrierError::Refused("bots cannot have files above 20 MB".to_owned()))
        }
        _ if says(why, "file_id, file identifier, temporarily unavailable") => Err(CarrierError::NotFound),
        _ => Err(CarrierError::Provider(format!("it answered {}", response.status))),
    }
}

fn files(account: &Account<TelegramSettings>) -> String {
    format!("{}/file/bot{URL_SECRET}/", account.api_base(API))
}

/// Fetches a file: one of Telegram's with the token, whatever else is at `url` without.
pub(crate) fn fetch(account: &Account<TelegramSettings>, url: &str) -> Option<ProviderRequest> {
    let request = ProviderRequest::fetch(url)?;
    let own = url.starts_with(&files(account));
    Some(if own { request.with_url_secret(&account.settings.bot_token) } else { request })
}
