//! Media: sent as what they are shown as, by the id Telegram gave them, by their URL, or along with the message.

use std::time::Duration;

use heliograph_channel::{
    Account, Body, CarrierError, File, Outcome, ProviderRequest, ProviderResponse, URL_SECRET, Upload,
    UploadGrant,
};
use heliograph_proto::v1::{Media, MediaKind};
use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::{API, Call};
use crate::{
    TelegramSettings,
    markup::units,
    settings::{CAPTION, PHOTO, UPLOAD},
};

/// Telegram keeps what its ids name; after so long a file is uploaded anew.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// As what a medium is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Photo,
    Animation,
    Video,
    Audio,
    Voice,
    Sticker,
    Document,
}

impl Shown {
    /// As what a medium of this type and size can be shown; everything can be sent as a file.
    fn of(media: &Media, content_type: &str, size: u64) -> Self {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        let is = |kinds: &[&str]| kind.is_empty() || kinds.contains(&kind);
        match media.kind() {
            MediaKind::Sticker if is(&["image/webp", "application/x-tgsticker", "video/webm"]) => {
                Self::Sticker
            }
            MediaKind::Image if kind == "image/gif" => Self::Animation,
            MediaKind::Image if is(&["image/jpeg", "image/png", "image/webp"]) && size <= PHOTO as u64 => {
                Self::Photo
            }
            MediaKind::Video if media.animated && is(&["video/mp4"]) => Self::Animation,
            MediaKind::Video if is(&["video/mp4", "video/quicktime"]) => Self::Video,
            MediaKind::Audio if media.voice_note && is(&["audio/ogg", "audio/mpeg", "audio/mp4"]) => {
                Self::Voice
            }
            MediaKind::Audio if is(&["audio/mpeg", "audio/mp4", "audio/x-m4a"]) => Self::Audio,
            _ => Self::Document,
        }
    }

    /// The method's name after `send`, the field, and what `InputMedia` calls it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Photo => ("Photo", "photo"),
            Self::Animation => ("Animation", "animation"),
            Self::Video => ("Video", "video"),
            Self::Audio => ("Audio", "audio"),
            Self::Voice => ("Voice", "voice"),
            Self::Sticker => ("Sticker", "sticker"),
            Self::Document => ("Document", "document"),
        }
    }
}

fn shown(media: &Media, file: Option<&File>) -> Shown {
    match file {
        Some(file) => Shown::of(media, &file.content_type, file.bytes.len() as u64),
        None => Shown::of(media, &media.content_type, u64::try_from(media.size_bytes).unwrap_or(0)),
    }
}

/// Telegram fetches from URLs what it can show and what is not too large; the rest goes along.
pub(crate) fn upload(account: &Account<TelegramSettings>, media: &Media) -> Upload {
    let limits = &account.settings.limits;
    let limit = match shown(media, None) {
        Shown::Photo => limits.photo_by_url,
        Shown::Animation | Shown::Video | Shown::Audio => limits.file_by_url,
        Shown::Document if ["application/pdf", "application/zip"].contains(&media.content_type.as_str()) => {
            limits.file_by_url
        }
        Shown::Voice | Shown::Sticker | Shown::Document => 0,
    };
    let by_url = media.object_id.is_empty() && media.size_bytes > 0 && media.size_bytes <= limit;
    if by_url { Upload::Never } else { Upload::Within }
}

/// Where the medium is, for the call's field; and the file itself where it goes along.
fn source<'a>(media: &Media, file: Option<&'a File>) -> Result<(Option<String>, Option<&'a File>), Outcome> {
    if let Some(file) = file {
        if file.bytes.len() > UPLOAD {
            return Err(Outcome::permanent("file_too_large", "a bot's files have 50 MB at most"));
        }
        return Ok((None, Some(file)));
    }
    [&media.provider_media_id, &media.url].into_iter().find(|at| !at.is_empty()).map_or_else(
        || Err(Outcome::permanent("no_medium", "the medium has neither an id nor a URL")),
        |at| Ok((Some(at.clone()), None)),
    )
}

/// The call that sends a medium with `caption`.
pub(super) fn call<'a>(
    media: &Media,
    file: Option<&'a File>,
    caption: &str,
    entities: &[Value],
) -> Result<Call<'a>, Outcome> {
    let shown = match shown(media, file) {
        Shown::Sticker if !caption.is_empty() => Shown::Document,
        shown => shown,
    };
    let (method, field) = shown.names();
    let mut call = Call::new(&format!("send{method}"), described(media, shown, caption, entities)?);
    let (at, file) = source(media, file)?;
    if let Some(at) = at {
        call = call.with(field, at);
    }
    Ok(match file {
        Some(file) => call.with_file(field, file),
        None => call,
    })
}

/// The call that puts a medium in the place of another.
pub(super) fn replaced<'a>(media: &Media, file: Option<&'a File>) -> Result<Call<'a>, Outcome> {
    let mut shown = shown(media, file);
    if matches!(shown, Shown::Voice | Shown::Sticker) {
        shown = Shown::Document;
    }
    let (_, kind) = shown.names();
    let mut input = described(media, shown, &media.caption, &[])?;
    let (at, file) = source(media, file)?;
    input["type"] = kind.into();
    input["media"] = at.unwrap_or_else(|| "attach://file".to_owned()).into();
    let call = Call::new("editMessageMedia", json!({ "media": input }));
    Ok(match file {
        Some(file) => call.with_file("file", file),
        None => call,
    })
}

/// What is said of a medium beside the medium.
fn described(media: &Media, shown: Shown, caption: &str, entities: &[Value]) -> Result<Value, Outcome> {
    let mut fields = json!({});
    if units(caption) > CAPTION {
        let text = format!("what stands under a medium has {CAPTION} UTF-16 units at most");
        return Err(Outcome::permanent("caption_too_long", text));
    }
    if !caption.is_empty() {
        fields["caption"] = caption.into();
        if !entities.is_empty() {
            fields["caption_entities"] = entities.into();
        }
    }
    let seconds = media.duration_ms / 1000;
    if seconds > 0 && matches!(shown, Shown::Animation | Shown::Video | Shown::Audio | Shown::Voice) {
        fields["duration"] = seconds.into();
    }
    if matches!(shown, Shown::Animation | Shown::Video) && media.width > 0 && media.height > 0 {
        fields["width"] = media.width.into();
        fields["height"] = media.height.into();
    }
    Ok(fields)
}

/// What Telegram calls the file of a message that was sent.
pub(crate) fn uploaded(response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let result = &body["result"];
    // An animation comes as a document, too.
    let kinds = ["animation", "video", "audio", "voice", "sticker", "document"];
    let file = kinds.iter().map(|kind| &result[*kind]).find(|file| file.is_object());
    let largest = || result["photo"].as_array().and_then(|sizes| sizes.last());
    let id = file.or_else(largest).and_then(|file| file["file_id"].as_str());
    match id {
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
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = body["description"].as_str().unwrap_or_default();
    match body["result"]["file_path"].as_str() {
        Some(path) if response.status.is_success() => Ok(format!("{}{path}", files(account))),
        _ if text.contains("file is too big") => {
            Err(CarrierError::Refused("bots cannot have files above 20 MB".to_owned()))
        }
        _ if text.contains("file_id")
            || text.contains("file identifier")
            || text.contains("temporarily unavailable") =>
        {
            Err(CarrierError::NotFound)
        }
        _ => Err(CarrierError::Provider(format!("it answered {}", response.status))),
    }
}

fn files(account: &Account<TelegramSettings>) -> String {
    format!("{}/file/bot{URL_SECRET}/", account.api_base(API))
}

/// Fetches a file: one of Telegram's with the token, whatever else is at `url` without.
pub(crate) fn fetch(account: &Account<TelegramSettings>, url: &str) -> Option<ProviderRequest> {
    let request = ProviderRequest {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Body::Empty,
    };
    if url.starts_with(&files(account)) {
        return Some(request.with_url_secret(&account.settings.bot_token));
    }
    (!url.is_empty()).then_some(request)
}
