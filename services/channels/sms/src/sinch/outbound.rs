//! Sending a batch of one.

use heliograph_channel::{Account, Delivery, Outcome, ProviderRequest, ProviderResponse};
use http::StatusCode;
use serde_json::json;

use crate::{ShortMessage, SmsSettings, address, settings::Sinch};

/// `POST /xms/v1/{plan}/batches`. One recipient a batch, so that one id is one message.
pub(crate) fn encode(
    account: &Account<SmsSettings>,
    sinch: &Sinch,
    delivery: &Delivery<'_>,
    sms: &ShortMessage,
) -> ProviderRequest {
    let base = account.api_base(&format!("https://{}.sms.api.sinch.com", sinch.region));
    let sender = account.settings.sender.as_deref().unwrap_or_default();
    let mut batch = json!({
        "from": address::without_plus(sender),
        "to": [address::without_plus(delivery.user_id())],
        "delivery_report": "per_recipient",
        "client_reference": delivery.correlation,
    });
    match &sms.media_url {
        None => {
            batch["type"] = "mt_text".into();
            batch["body"] = sms.text.as_str().into();
            batch["max_number_of_message_parts"] = account.settings.max_parts.into();
        }
        Some(url) => {
            batch["type"] = "mt_media".into();
            batch["body"] = json!({ "url": url });
            if !sms.text.is_empty() {
                batch["body"]["message"] = sms.text.as_str().into();
            }
        }
    }
    if let Some(url) = account.webhook_url() {
        batch["callback_url"] = url.into();
    }
    let url = format!("{base}/xms/v1/{}/batches", sinch.service_plan_id);
    ProviderRequest::post(url, &batch).with_bearer(Some(&sinch.api_token))
}

/// Errors are `{"code": "syntax_constraint_violation", "text": "…"}`.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    let body = response.json();
    if response.status.is_success() {
        // Without an id the batch stands nevertheless: the report carries our reference.
        return Outcome::delivered(body["id"].as_str().unwrap_or_default());
    }
    let code = body["code"].as_str().map_or_else(|| response.status.as_u16().to_string(), str::to_owned);
    let text = body["text"].as_str().unwrap_or("no explanation given").to_owned();
    match response.status {
        StatusCode::TOO_MANY_REQUESTS => Outcome::rate_limited(response.retry_after(), code, text),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Outcome::auth(code, text),
        status if status.is_server_error() => Outcome::retry(response.retry_after(), code, text),
        _ => Outcome::permanent(code, text),
    }
}
