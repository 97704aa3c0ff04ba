//! What the provider's `errcode` means. It answers HTTP 200 to everything.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use serde_json::Value;

/// The outcome of a send.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    if !response.status.is_success() {
        let code = response.status.as_u16().to_string();
        return match response.status.as_u16() {
            429 => Outcome::rate_limited(response.retry_after(), code, "too many requests"),
            500.. => Outcome::retry(response.retry_after(), code, "the provider failed"),
            _ => Outcome::permanent(code, "the provider refused the request"),
        };
    }
    let body: Value = match serde_json::from_slice(&response.body) {
        Ok(body) => body,
        Err(_) => return Outcome::in_doubt("unreadable_answer", "the provider's answer is not JSON"),
    };
    match body["errcode"].as_i64() {
        Some(0) => {
            // Customer-service messages get no id; templates get one that the finish event repeats.
            Outcome::delivered(body["msgid"].as_i64().map(|id| id.to_string()).unwrap_or_default())
        }
        Some(code) => failure(code, body["errmsg"].as_str().unwrap_or_default()),
        None => Outcome::in_doubt("unreadable_answer", "the provider's answer has no errcode"),
    }
}

/// Whether a `media_id` of ours is not known (any more).
pub(crate) fn is_stale_upload(response: &ProviderResponse) -> bool {
    let body = response.json();
    matches!(body["errcode"].as_i64(), Some(40_007))
}

/// Whether a fresh token may help.
pub(crate) fn is_expired_token(code: i64) -> bool {
    matches!(code, 40_001 | 40_014 | 42_001)
}

/// The outcome of an error code. `message` holds the provider's `rid:`, which its support asks for.
pub(crate) fn failure(code: i64, message: &str) -> Outcome {
    let (name, text) = (code.to_string(), message.to_owned());
    match code {
        -1 | -1000 => Outcome::retry(None, name, text),
        code if is_expired_token(code) => Outcome::Auth { code: name, text, token_expired: true },
        // Bad secret, app id, IP not on the allow-list, revoked; and what the account may not do at all.
        40002 | 40013 | 40125 | 41001 | 41002 | 41004 | 40164 | 42007 | 48001 | 48004 | 50001 | 50002
        | 61451 => Outcome::auth(name, text),
        45015 | 45047 => Outcome::WindowClosed { code: name, text },
        45011 => Outcome::rate_limited(Some(Duration::from_mins(1)), name, text),
        // The day's quota: asking again at once only uses up more of the next one.
        45009 => Outcome::rate_limited(Some(Duration::from_hours(1)), name, text),
        43004 | 43101 | 48002 | 50005 => Outcome::OptedOut { code: name, text },
        _ => Outcome::permanent(name, text),
    }
}
