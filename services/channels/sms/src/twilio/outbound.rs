//! Sending, and what the answers mean.

use base64::{Engine, engine::general_purpose::STANDARD};
use heliograph_channel::{Account, Body, Delivery, Outcome, ProviderRequest, ProviderResponse};
use heliograph_proto::v1::ErrorClass;
use http::{HeaderMap, Method, StatusCode, header};
use secrecy::ExposeSecret;

use super::codes;
use crate::{ShortMessage, SmsSettings, settings::Twilio};

const API: &str = "https://api.twilio.com";

/// `POST /2010-04-01/Accounts/{AC…}/Messages.json`.
pub(crate) fn encode(
    account: &Account<SmsSettings>,
    twilio: &Twilio,
    delivery: &Delivery<'_>,
    sms: &ShortMessage,
) -> ProviderRequest {
    let mut form = vec![("To".to_owned(), delivery.user_id().to_owned())];
    match (&twilio.messaging_service_sid, &account.settings.sender) {
        (Some(service), _) => form.push(("MessagingServiceSid".to_owned(), service.clone())),
        (None, Some(sender)) => form.push(("From".to_owned(), sender.clone())),
        (None, None) => {}
    }
    if !sms.text.is_empty() {
        form.push(("Body".to_owned(), sms.text.clone()));
    }
    if let Some(url) = &sms.media_url {
        form.push(("MediaUrl".to_owned(), url.clone()));
    }
    if let Some(url) = account.webhook_url() {
        // Twilio has no reference field: ours rides in the signed callback URL.
        let reference: String =
            url::form_urlencoded::byte_serialize(delivery.correlation.as_bytes()).collect();
        form.push(("StatusCallback".to_owned(), format!("{url}/status?ref={reference}")));
    }
    let base = account.api_base(API);
    ProviderRequest {
        method: Method::POST,
        url: format!("{base}/2010-04-01/Accounts/{}/Messages.json", twilio.account_sid),
        headers: authorization(twilio),
        body: Body::Form(form),
    }
}

/// Errors are `{"code": 21610, "message": "…", "status": 400}`.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    let body = response.json();
    if response.status.is_success() {
        let parts = body["num_segments"].as_str().and_then(|parts| parts.parse().ok()).unwrap_or(0);
        return Outcome::Delivered {
            provider_message_id: body["sid"].as_str().unwrap_or_default().to_owned(),
            provider_part_ids: Vec::new(),
            parts,
        };
    }
    let number = body["code"].as_i64();
    let code = number.map_or_else(|| response.status.as_u16().to_string(), |code| code.to_string());
    let text = body["message"].as_str().unwrap_or("no explanation given").to_owned();
    match number.and_then(codes::class).unwrap_or_else(|| by_status(response.status)) {
        ErrorClass::OptedOut => Outcome::OptedOut { code, text },
        ErrorClass::Auth => Outcome::auth(code, text),
        ErrorClass::RateLimited => Outcome::rate_limited(response.retry_after(), code, text),
        ErrorClass::Retryable => Outcome::retry(response.retry_after(), code, text),
        _ => Outcome::permanent(code, text),
    }
}

fn by_status(status: StatusCode) -> ErrorClass {
    match status {
        StatusCode::TOO_MANY_REQUESTS => ErrorClass::RateLimited,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ErrorClass::Auth,
        status if status.is_server_error() => ErrorClass::Retryable,
        _ => ErrorClass::Permanent,
    }
}

/// Media of received MMS. The credentials go to Twilio's own host (or the account's `base_url`) alone, never to
/// whatever host a message names.
pub(crate) fn media(account: &Account<SmsSettings>, twilio: &Twilio, url: &str) -> Option<ProviderRequest> {
    let ours = url.starts_with(&format!("{}/", account.api_base(API)));
    let headers = if ours { authorization(twilio) } else { HeaderMap::new() };
    ProviderRequest::fetch(url).map(|request| ProviderRequest { headers, ..request })
}

fn authorization(twilio: &Twilio) -> HeaderMap {
    let pair = format!("{}:{}", twilio.user, twilio.password.expose_secret());
    let mut headers = HeaderMap::new();
    if let Ok(mut value) = header::HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))) {
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    headers
}
