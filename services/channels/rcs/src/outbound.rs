//! Agent messages and events, files and access tokens.

mod content;
mod suggestion;

use std::time::Duration;

use heliograph_channel::{
    Account, Body, Delivery, File, Outcome, ProviderRequest, ProviderResponse, TokenGrant, TokenSource,
    UploadGrant,
};
use heliograph_domain::ids;
use heliograph_proto::v1::{Media, SignalRequest, content::Kind, signal_request::Signal};
use http::{HeaderValue, Method, header};
use secrecy::SecretString;
use serde_json::json;

use crate::{RcsSettings, codes};

pub(crate) use content::{CARD_BODY, CARD_TITLE, CARDS, CARDS_LEAST, FILE_BYTES, TEXT};
pub(crate) use suggestion::{PAYLOAD, SUGGESTION_TEXT, SUGGESTIONS};

const HOST: &str = "rcsbusinessmessaging.googleapis.com";
/// The most a message may weigh; the provider says 250 KB.
const MESSAGE_BYTES: usize = 250_000;
const DAY: Duration = Duration::from_hours(24);

/// The request for one message. Its id there is ours, so the same message that comes again is known.
pub(crate) fn encode(
    account: &Account<RcsSettings>,
    delivery: &Delivery<'_>,
    token: Option<&SecretString>,
) -> Result<ProviderRequest, Outcome> {
    let (message, phone) = (delivery.message, delivery.user_id());
    let kind = message.content.as_ref().and_then(|content| content.kind.as_ref());
    if let Some(Kind::Deletion(deletion)) = kind {
        let target = deletion.target.as_ref().map_or("", |target| target.provider_message_id.as_str());
        if target.is_empty() {
            let text = "the message to take back is not known to the provider";
            return Err(Outcome::permanent("unknown_message", text));
        }
        let path = format!("phones/{}/agentMessages/{}", segment(phone), segment(target));
        let request = ProviderRequest::new(Method::DELETE, url(account, &path, &[]), Body::Empty);
        return Ok(request.with_bearer(token));
    }
    let mut body = json!({ "contentMessage": content::of(&account.settings, delivery)? });
    if let Some(word) = account.settings.traffic_type(message.message_class()) {
        body["messageTrafficType"] = word.into();
    }
    if let Some(seconds) = account.settings.ttl_seconds {
        body["ttl"] = format!("{seconds}s").into();
    }
    let body = body.to_string();
    if body.len() > MESSAGE_BYTES {
        let text = format!("the message is larger than {MESSAGE_BYTES} bytes");
        return Err(Outcome::permanent("message_too_large", text));
    }
    let id = ids::uuid(&[&account.tenant, &account.channel, &account.name, delivery.delivery_id]);
    let path = format!("phones/{}/agentMessages", segment(phone));
    Ok(post(url(account, &path, &[("messageId", &id)]), token, body))
}

/// Typing, which ends by itself, and that a message was read.
pub(crate) fn signal(
    account: &Account<RcsSettings>,
    signal: &SignalRequest,
    now_ms: i64,
    token: Option<&SecretString>,
) -> Option<ProviderRequest> {
    let phone = signal.address.as_ref()?.user_id.as_str();
    let now = now_ms.to_string();
    let (body, parts) = match signal.signal.as_ref()? {
        Signal::Typing(typing) if typing.on => (json!({ "eventType": "IS_TYPING" }), ["typing", &now]),
        Signal::ReadMark(mark) => {
            let id = mark.up_to.as_ref()?.provider_message_id.as_str();
            (!id.is_empty()).then_some(())?;
            (json!({ "eventType": "READ", "messageId": id }), ["read", id])
        }
        Signal::Typing(_) => return None,
    };
    let id = ids::uuid(&[&account.tenant, &account.name, phone, parts[0], parts[1]]);
    let path = format!("phones/{}/agentEvents", segment(phone));
    Some(post(url(account, &path, &[("eventId", &id)]), token, body.to_string()))
}

/// Hands a file to the provider: the bytes, or where it finds them.
pub(crate) fn upload(
    account: &Account<RcsSettings>,
    media: &Media,
    file: Option<&File>,
    token: Option<&SecretString>,
) -> ProviderRequest {
    let Some(file) = file else {
        let mut body = json!({ "fileUrl": media.url, "agentId": account.settings.agent_id });
        if !media.thumbnail_url.is_empty() {
            body["thumbnailUrl"] = media.thumbnail_url.as_str().into();
        }
        return post(format!("{}/v1/files", base(account)), token, body.to_string());
    };
    let query = query(account, &[("uploadType", "media")]);
    let url = format!("{}/upload/v1/files?{query}", base(account));
    let request = ProviderRequest::new(Method::POST, url, Body::Raw(file.bytes.clone()));
    let mut request = request.with_bearer(token);
    let kind = HeaderValue::from_str(&file.content_type);
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    request.headers.insert(header::CONTENT_TYPE, kind);
    request
}

/// `{"name": "files/…"}`.
pub(crate) fn read_upload(
    account: &Account<RcsSettings>,
    response: &ProviderResponse,
) -> Result<UploadGrant, Outcome> {
    let body = response.json();
    match body["name"].as_str().filter(|_| response.status.is_success()) {
        Some(name) => Ok(UploadGrant {
            provider_media_id: name.to_owned(),
            expires_in: DAY.saturating_mul(u32::try_from(account.settings.file_days).unwrap_or(u32::MAX)),
        }),
        None => Err(match codes::classify(response) {
            Outcome::Delivered { .. } | Outcome::InDoubt { .. } => {
                Outcome::retry(None, "no_file_name", "the provider gave no name for the file")
            }
            other => other,
        }),
    }
}

/// A token for an assertion (RFC 7523). A sandbox has its own place for it.
pub(crate) fn token_source(account: &Account<RcsSettings>, now_ms: i64) -> TokenSource {
    let identity = &account.settings.service_account;
    let url = match &account.base_url {
        Some(_) => format!("{}/token", base(account)),
        None => identity.token_uri.clone(),
    };
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".to_owned()),
        ("assertion", identity.assertion(&identity.token_uri, now_ms)),
    ];
    TokenSource {
        key: identity.client_email.clone(),
        request: ProviderRequest::new(
            Method::POST,
            url,
            Body::Form(fields.map(|(name, value)| (name.to_owned(), value)).to_vec()),
        ),
    }
}

/// `{"access_token": …, "expires_in": 3599}`, or `{"error": …, "error_description": …}`.
pub(crate) fn read_token(response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
    let body = response.json();
    if let (Some(token), Some(seconds)) = (body["access_token"].as_str(), body["expires_in"].as_u64()) {
        return Ok(TokenGrant { token: token.into(), expires_in: Duration::from_secs(seconds) });
    }
    let text = body["error_description"].as_str().unwrap_or("Google gave no access token");
    Err(match response.status.as_u16() {
        429 => Outcome::rate_limited(response.retry_after(), "token", text),
        400..500 => Outcome::auth(body["error"].as_str().unwrap_or("token"), text),
        _ => Outcome::retry(response.retry_after(), "token", text),
    })
}

fn base(account: &Account<RcsSettings>) -> String {
    let host = match &account.settings.region {
        Some(region) => format!("https://{region}-{HOST}"),
        None => format!("https://{HOST}"),
    };
    account.api_base(&host)
}

fn url(account: &Account<RcsSettings>, path: &str, parameters: &[(&str, &str)]) -> String {
    format!("{}/v1/{path}?{}", base(account), query(account, parameters))
}

fn query(account: &Account<RcsSettings>, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters).append_pair("agentId", &account.settings.agent_id);
    query.finish()
}

/// Part of a path: a number keeps its `+`, and nothing else gets through that a path would read.
fn segment(text: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    encoded.replace('+', "%20").replace("%2B", "+")
}

fn post(url: String, token: Option<&SecretString>, body: String) -> ProviderRequest {
    ProviderRequest::new(Method::POST, url, Body::Json(body.into())).with_bearer(token)
}
