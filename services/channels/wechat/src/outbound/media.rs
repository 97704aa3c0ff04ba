//! Media: uploaded for three days, and fetched by their id. Videos are asked for twice.

use std::time::Duration;

use heliograph_channel::{
    Account, Body, CarrierError, File, Outcome, ProviderRequest, ProviderResponse, UploadGrant, able,
    multipart::Form,
};
use heliograph_proto::v1::{Media, MediaCapability, MediaKind};
use http::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{endpoint, written};
use crate::{WechatSettings, codes};

/// In front of the id of a received video: the provider answers with a URL where it gives others' bytes.
pub(crate) const VIDEO: &str = "video:";

/// How long the provider keeps what is uploaded.
const KEPT: Duration = Duration::from_hours(3 * 24);

const MIB: i64 = 1024 * 1024;

/// What is taken.
pub(crate) fn able() -> Vec<MediaCapability> {
    vec![
        able::media(MediaKind::Image, 10 * MIB, "image/png image/jpeg image/gif"),
        able::media(MediaKind::Audio, 2 * MIB, "audio/amr audio/mpeg"),
        able::media(MediaKind::Video, 10 * MIB, "video/mp4"),
    ]
}

fn kind(media: &Media) -> Result<&'static str, Outcome> {
    match media.kind() {
        MediaKind::Image => Ok("image"),
        MediaKind::Audio => Ok("voice"),
        MediaKind::Video => Ok("video"),
        _ => Err(Outcome::permanent("media_kind", "WeChat takes pictures, voices and videos")),
    }
}

/// A message that is a file. What was not uploaded goes as a link.
pub(super) fn message(media: &Media) -> Result<Value, Outcome> {
    let kind = kind(media)?;
    let id = media.provider_media_id.as_str();
    if id.is_empty() {
        return written(&media.url);
    }
    let mut said = json!({ "media_id": id });
    if kind == "video" {
        // The video's own id stands in for a picture of it.
        said = json!({ "media_id": id, "thumb_media_id": id, "title": media.file_name, "description": "" });
    }
    Ok(json!({ "msgtype": kind, kind: said }))
}

/// Uploads a file.
pub(crate) fn upload(
    account: &Account<WechatSettings>,
    media: &Media,
    file: Option<&File>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    // A card's picture goes as a picture.
    let kind = kind(media)?;
    let file = file.ok_or_else(|| Outcome::permanent("no_media", "there is no file to upload"))?;
    let (headers, body) = Form::new().file("media", file).finish();
    let url = format!("{}&type={kind}", endpoint(account, "/cgi-bin/media/upload", token));
    Ok(ProviderRequest { method: Method::POST, url, headers, body })
}

/// `{"type": "image", "media_id": "…", "created_at": …}`, or an error code.
pub(crate) fn read_upload(response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
    let body = response.json();
    match (body["media_id"].as_str(), body["errcode"].as_i64()) {
        (Some(id), _) if !id.is_empty() && response.status.is_success() => {
            Ok(UploadGrant { provider_media_id: id.to_owned(), expires_in: KEPT })
        }
        (_, Some(code)) if code != 0 => {
            Err(codes::failure(code, body["errmsg"].as_str().unwrap_or_default()))
        }
        // An upload shows nothing to anybody, so it can be made again.
        _ => Err(Outcome::retry(response.retry_after(), "upload", "the provider gave no id for an upload")),
    }
}

/// Asks where a received video is.
pub(crate) fn lookup(
    account: &Account<WechatSettings>,
    id: &str,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    id.strip_prefix(VIDEO).map(|id| get(by_id(account, id, token)))
}

/// `{"video_url": "…"}`, or an error code.
pub(crate) fn read_lookup(response: &ProviderResponse) -> Result<String, CarrierError> {
    let body = response.json();
    match (body["video_url"].as_str(), body["errcode"].as_i64()) {
        (Some(url), _) if !url.is_empty() => Ok(url.to_owned()),
        (_, Some(code)) => Err(failure(code)),
        (_, None) => {
            let code = response.status.as_u16();
            Err(CarrierError::Provider(format!("asked where the video is, it answered {code}")))
        }
    }
}

/// An error code in place of a medium; the status is 200 all the same.
pub(crate) fn read_error(response: &ProviderResponse) -> Option<CarrierError> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    body["errcode"].as_i64().filter(|code| *code != 0).map(failure)
}

fn failure(code: i64) -> CarrierError {
    let text = format!("it answered {code}");
    match code {
        // Older than three days, or never there.
        40_007 => CarrierError::NotFound,
        code if codes::is_expired_token(code) => CarrierError::Unauthorized(text),
        _ => CarrierError::Provider(text),
    }
}

/// Media of a received message, by `MediaId`; pictures have a URL too, videos are asked for it.
pub(crate) fn download(
    account: &Account<WechatSettings>,
    id: &str,
    url: &str,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    if id.is_empty() || id.starts_with(VIDEO) {
        return ProviderRequest::fetch(url);
    }
    Some(get(by_id(account, id, token)))
}

fn by_id(account: &Account<WechatSettings>, id: &str, token: Option<&SecretString>) -> String {
    let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("{}&media_id={id}", endpoint(account, "/cgi-bin/media/get", token))
}

fn get(url: String) -> ProviderRequest {
    ProviderRequest::new(Method::GET, url, Body::Empty)
}
