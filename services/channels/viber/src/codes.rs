//! What Viber's `status` means. It answers HTTP 200 to everything.

use heliograph_channel::{Account, Outcome, ProviderResponse};
use serde_json::Value;

use crate::ViberSettings;

/// The outcome of a send.
pub(crate) fn classify(account: &Account<ViberSettings>, response: &ProviderResponse) -> Outcome {
    if !response.status.is_success() {
        let code = response.status.as_u16().to_string();
        return match response.status.as_u16() {
            401 | 403 => Outcome::auth(code, "Viber refused the request"),
            429 => Outcome::rate_limited(response.retry_after(), code, "too many requests"),
            500.. => Outcome::retry(response.retry_after(), code, "Viber failed"),
            _ => Outcome::permanent(code, "Viber refused the request"),
        };
    }
    let body = response.json();
    let Some(status) = body["status"].as_i64() else {
        return Outcome::in_doubt("unreadable_answer", "Viber's answer has no `status`");
    };
    let code = status.to_string();
    let text = body["status_message"].as_str().unwrap_or("Viber gave no reason").to_owned();
    match status {
        0 => Outcome::delivered(token(&body["message_token"]).unwrap_or_default()),
        // A message that cannot be as it is, and a customer, a device or a country that cannot be reached.
        3 | 4 | 5 | 11 | 13 | 14 | 21 | 22 => Outcome::permanent(code, text),
        6 => Outcome::OptedOut { code, text },
        // Said of one customer who got too many messages without answering.
        12 => Outcome::Retry {
            after: Some(account.settings.limits.wait()),
            account_wide: false,
            rate_limited: true,
            code,
            text,
        },
        // The token, the webhook, what the bot may do, and what its owner pays for: somebody has to put it right.
        1 | 2 | 7..=10 | 15..=18 | 20 | 23 | 24 => Outcome::auth(code, text),
        _ => Outcome::retry(None, code, text),
    }
}

/// Whether the customer's app cannot show what was sent.
pub(crate) fn is_too_new(response: &ProviderResponse) -> bool {
    let body = response.json();
    response.status.is_success() && matches!(body["status"].as_i64(), Some(13 | 14))
}

/// A message's token: a number of 64 bits, which is a text here.
pub(crate) fn token(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.as_u64()?.to_string()),
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}
