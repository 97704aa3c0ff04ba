//! Media: as messages, as headers, uploaded before and fetched after.

use std::time::Duration;

use heliograph_channel::{
    Body, CarrierError, File, Outcome, ProviderRequest, ProviderResponse, UploadGrant,
    json::{text, without_empty},
    multipart::Form,
};
use heliograph_domain::content::media_word;
use heliograph_graph::GraphError;
use heliograph_proto::v1::{Media, MediaKind};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{call, of_type};
use crate::{codes, settings::Number};

/// How long the provider keeps what is uploaded.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// A message that is a file.
pub(super) fn message(media: &Media) -> Result<Value, Outcome> {
    let (kind, mut object) = (kind(media), source(media)?);
    if !media.caption.is_empty() {
        if matches!(kind, "audio" | "sticker") {
            let text = format!("WhatsApp shows no caption below {kind}: send it as a message of its own");
            return Err(Outcome::permanent("caption_not_supported", text));
        }
        object["caption"] = media.caption.as_str().into();
    }
    if media.voice_note && kind == "audio" {
        object["voice"] = true.into();
    }
    Ok(of_type(kind, object))
}

/// The file above a question, a card or a template: `{"type": "image", "image": {…}}`.
pub(super) fn header(media: &Media) -> Result<Value, Outcome> {
    match kind(media) {
        kind @ ("image" | "video" | "document") => Ok(of_type(kind, source(media)?)),
        kind => {
            let text = format!("WhatsApp shows no {kind} above a message: image, video or document");
            Err(Outcome::permanent("header_not_supported", text))
        }
    }
}

/// `{"id": …}` of what was uploaded, or `{"link": …}`; documents keep their name.
fn source(media: &Media) -> Result<Value, Outcome> {
    let Media { provider_media_id: id, url, file_name, .. } = media;
    if id.is_empty() && url.is_empty() {
        return Err(Outcome::permanent("no_media", "the medium has neither an id nor a URL"));
    }
    let link = if id.is_empty() { url } else { "" };
    let name = if media.kind() == MediaKind::File { file_name } else { "" };
    Ok(without_empty(json!({ "id": id, "link": link, "filename": name })))
}

fn kind(media: &Media) -> &'static str {
    match media_word(media) {
        "file" => "document",
        word => word,
    }
}

/// Uploads a file; its id is good for messages of this number.
pub(crate) fn upload(account: &Number, file: Option<&File>) -> Result<ProviderRequest, Outcome> {
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
    UploadGrant::of(text(&response.json(), "id"), KEPT, codes::classify(response))
}

/// Where a received medium is; the URL in the answer is good for some minutes.
pub(crate) fn lookup(account: &Number, id: &str) -> Option<ProviderRequest> {
    // What is no id must not become another path.
    let plain =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    plain.then(|| call(account, Method::GET, id, Body::Empty))
}

/// `{"url": "…", "mime_type": …, "sha256": …, "file_size": …}`.
pub(crate) fn read_lookup(response: &ProviderResponse) -> Result<String, CarrierError> {
    match (response.json()["url"].as_str(), GraphError::read(&response.body)) {
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
pub(crate) fn download(account: &Number, url: &str) -> Option<ProviderRequest> {
    Some(ProviderRequest::fetch(url)?.with_bearer(Some(&account.settings.app.access_token)))
}
