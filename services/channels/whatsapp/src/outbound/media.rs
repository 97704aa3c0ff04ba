//! Media: as messages, as headers, uploaded before and fetched after.

use std::time::Duration;

use heliograph_channel::{
    Account, Body, CarrierError, File, Outcome, ProviderRequest, ProviderResponse, UploadGrant,
    multipart::Form,
};
use heliograph_graph::GraphError;
use heliograph_proto::v1::{Media, MediaKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{call, check, of_type};
use crate::{WhatsAppSettings, capabilities, codes};

/// How long the provider keeps what is uploaded.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// A message that is a file.
pub(super) fn message(media: &Media, caption_limit: usize) -> Result<Value, Outcome> {
    let kind = kind(media)?;
    let mut object = source(media)?;
    if !media.caption.is_empty() {
        if matches!(kind, "audio" | "sticker") {
            let text = format!("WhatsApp shows no caption below {kind}: send it as a message of its own");
            return Err(Outcome::permanent("caption_not_supported", text));
        }
        check("caption", &media.caption, 0..=caption_limit)?;
        object["caption"] = media.caption.as_str().into();
    }
    if media.voice_note && kind == "audio" {
        object["voice"] = true.into();
    }
    Ok(of_type(kind, object))
}

/// The file above a question, a card or a template: `{"type": "image", "image": {…}}`.
pub(super) fn header(media: &Media) -> Result<Value, Outcome> {
    match kind(media)? {
        kind @ ("image" | "video" | "document") => Ok(of_type(kind, source(media)?)),
        kind => {
            let text = format!("WhatsApp shows no {kind} above a message: image, video or document");
            Err(Outcome::permanent("header_not_supported", text))
        }
    }
}

/// `{"id": …}` of what was uploaded, or `{"link": …}`; documents keep their name.
fn source(media: &Media) -> Result<Value, Outcome> {
    let able = capabilities::media().into_iter().find(|able| able.kind == media.kind);
    if let Some(able) = able.filter(|able| media.size_bytes > able.max_bytes) {
        let text = format!("the file is larger than {} bytes", able.max_bytes);
        return Err(Outcome::permanent("media_too_large", text));
    }
    let mut object = match (media.provider_media_id.as_str(), media.url.as_str()) {
        ("", "") => return Err(Outcome::permanent("no_media", "the medium has neither an id nor a URL")),
        ("", url) => json!({ "link": url }),
        (id, _) => json!({ "id": id }),
    };
    if media.kind() == MediaKind::File && !media.file_name.is_empty() {
        object["filename"] = media.file_name.as_str().into();
    }
    Ok(object)
}

fn kind(media: &Media) -> Result<&'static str, Outcome> {
    Ok(match media.kind() {
        MediaKind::Image => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File => "document",
        MediaKind::Sticker => "sticker",
        MediaKind::Unspecified => {
            return Err(Outcome::permanent("media_kind", "the medium does not say what it is"));
        }
    })
}

/// Uploads a file; its id is good for messages of this number.
pub(crate) fn upload(
    account: &Account<WhatsAppSettings>,
    _media: &Media,
    file: Option<&File>,
) -> Result<ProviderRequest, Outcome> {
    let file = file.ok_or_else(|| Outcome::permanent("no_media", "there is no file to upload"))?;
    let form = Form::new().text("messaging_product", "whatsapp").text("type", &file.content_type);
    let (headers, body) = form.file("file", file).finish();
    let path = format!("{}/media", account.settings.spec.phone_number_id);
    let mut request = call(account, Method::POST, &path, body);
    request.headers.extend(headers);
    Ok(request)
}

/// `{"id": "…"}`.
pub(crate) fn read_upload(response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match body["id"].as_str() {
        Some(id) if !id.is_empty() && response.status.is_success() => {
            Ok(UploadGrant { provider_media_id: id.to_owned(), expires_in: KEPT })
        }
        // An upload shows nothing to anybody, so it can be made again.
        _ => Err(match codes::classify(response) {
            Outcome::InDoubt { .. } | Outcome::Delivered { .. } => {
                Outcome::retry(None, "upload_without_id", "the provider gave no id for an upload")
            }
            outcome => outcome,
        }),
    }
}

/// Where a received medium is; the URL in the answer is good for some minutes.
pub(crate) fn lookup(account: &Account<WhatsAppSettings>, id: &str) -> Option<ProviderRequest> {
    // What is no id must not become another path.
    let plain =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    plain.then(|| call(account, Method::GET, id, Body::Empty))
}

/// `{"url": "…", "mime_type": …, "sha256": …, "file_size": …}`.
pub(crate) fn read_lookup(response: &ProviderResponse) -> Result<String, CarrierError> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match (body["url"].as_str(), GraphError::read(&response.body)) {
        (Some(url), None) if response.status.is_success() => Ok(url.to_owned()),
        // Deleted, or never ours; or older than a week.
        (_, Some(error)) if matches!(error.code, 100 | 131_052) => Err(CarrierError::NotFound),
        _ if response.status == StatusCode::NOT_FOUND => Err(CarrierError::NotFound),
        (_, error) => {
            let code = error.map_or_else(|| response.status.as_u16().to_string(), |error| error.name());
            Err(CarrierError::Provider(format!("asked where the medium is, it answered {code}")))
        }
    }
}

/// The medium itself, with the same token.
pub(crate) fn download(account: &Account<WhatsAppSettings>, url: &str) -> Option<ProviderRequest> {
    let settings = &account.settings;
    (!url.is_empty()).then(|| {
        heliograph_graph::call(Method::GET, url.to_owned(), &settings.access_token, None, Body::Empty)
    })
}
