//! Media: ours, which the provider fetches once and knows by an id from then on; and the customers'.

use heliograph_channel::{Account, Body, Outcome, ProviderRequest, ProviderResponse, Upload, UploadGrant};
use heliograph_proto::v1::{Media, MediaKind};
use http::{HeaderMap, Method};
use secrecy::SecretString;
use serde_json::json;

use super::{Profile, codes, outbound};
use crate::GraphError;

/// The provider knows no such upload (any more).
const NO_SUCH_ATTACHMENT: i64 = 2_018_074;

/// How a medium gets there: Messenger fetches it beforehand, Instagram with the message.
pub fn upload(profile: &Profile, media: &Media) -> Upload {
    let kept = profile.product.is_messenger && !profile.attachments_last.is_zero();
    if kept && media.kind() != MediaKind::Sticker { Upload::BeforeByLink } else { Upload::Never }
}

/// The request by which the provider fetches a medium.
///
/// # Errors
/// When there is no URL to fetch it from.
pub fn encode_upload<S>(
    account: &Account<S>,
    profile: &Profile,
    media: &Media,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    if media.url.is_empty() {
        return Err(Outcome::permanent("no_public_url", "the provider fetches media from a URL"));
    }
    let payload = json!({ "url": media.url, "is_reusable": true });
    let attachment = json!({ "type": word(media), "payload": payload });
    let body = json!({ "message": { "attachment": attachment } });
    Ok(outbound::post(account, profile, "message_attachments", token, &body))
}

/// The provider's id of what it fetched.
///
/// # Errors
/// What it answered instead.
pub fn read_upload(profile: &Profile, response: &ProviderResponse) -> Result<UploadGrant, Outcome> {
    let id = super::batch::id(&response.json()["attachment_id"]);
    UploadGrant::of(&id, profile.attachments_last, codes::classify(profile, response))
}

/// Whether the provider does not know an attachment (any more) that it had fetched before.
pub fn is_stale_upload(response: &ProviderResponse) -> bool {
    let error = GraphError::read(&response.body).filter(|error| error.code == 100);
    error.is_some_and(|error| {
        error.subcode == NO_SUCH_ATTACHMENT || error.message.to_ascii_lowercase().contains("attachment id")
    })
}

/// The request that fetches a customer's medium. Its link is all it takes: no token goes to where links lead.
pub fn fetch(url: &str) -> Option<ProviderRequest> {
    let request = || ProviderRequest {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Body::Empty,
    };
    (!url.is_empty()).then(request)
}

/// What the provider calls a medium of this kind.
pub(super) fn word(media: &Media) -> &'static str {
    match media.kind() {
        MediaKind::Image | MediaKind::Sticker => "image",
        MediaKind::Audio => "audio",
        MediaKind::Video => "video",
        MediaKind::File | MediaKind::Unspecified => "file",
    }
}
