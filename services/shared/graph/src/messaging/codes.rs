//! What the provider's error codes mean. It answers 400 to nearly all of them, so the code decides.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use http::StatusCode;
use serde_json::Value;

use super::Profile;
use crate::GraphError;

/// Where the provider says how much of an account's rate is used, and when it may go on.
const USAGE: &str = "x-business-use-case-usage";
/// Too fast, and no word about until when.
const BREATH: Duration = Duration::from_mins(1);
/// A Page that is restricted; asking more often keeps it so.
const RESTRICTED: Duration = Duration::from_hours(1);
/// One customer got enough messages of a kind for now.
const FREQUENCY: Duration = Duration::from_hours(24);

/// The outcome of a send.
pub fn classify(profile: &Profile, response: &ProviderResponse) -> Outcome {
    if response.status.is_success() {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().filter(|id| !id.is_empty());
        return match text("message_id") {
            Some(id) => Outcome::delivered(id),
            // Reactions and other actions are no messages.
            None if text("recipient_id").is_some() || body["success"] == true => Outcome::delivered(""),
            None => Outcome::in_doubt("unreadable_answer", "the provider's answer names no message"),
        };
    }
    match GraphError::read(&response.body) {
        Some(error) => failure(profile, &error, response),
        None => by_status(response),
    }
}

/// The outcome of an error.
pub(super) fn failure(profile: &Profile, error: &GraphError, response: &ProviderResponse) -> Outcome {
    let (name, text) = (error.name(), described(error));
    match (error.code, error.subcode) {
        (190, _) => Outcome::Auth { code: name, text, token_expired: true },
        (10, _) if is_window(profile, error) => Outcome::WindowClosed { code: name, text },
        (10, 1_893_063) => paused(response, RESTRICTED, true, name, text),
        // Missing permissions; and 368: blocked for what was sent, until somebody looks into it.
        (3 | 10 | 200..=299 | 368, _) => Outcome::auth(name, text),
        (4, 2_018_354) | (9, 2_018_352) => paused(response, FREQUENCY, false, name, text),
        (4 | 32 | 613, _) => paused(response, BREATH, true, name, text),
        (1, 99) | (2 | 1200, _) => Outcome::retry(response.retry_after(), name, text),
        // 551: not available; 100: no such person, not addressable from here, too large, or a mistake of ours.
        (100 | 551, _) => Outcome::permanent(name, text),
        _ if response.status == StatusCode::TOO_MANY_REQUESTS => paused(response, BREATH, true, name, text),
        _ if error.transient || response.status.is_server_error() => {
            Outcome::retry(response.retry_after(), name, text)
        }
        _ => Outcome::permanent(name, text),
    }
}

/// Subcodes move; the sentence has not.
fn is_window(profile: &Profile, error: &GraphError) -> bool {
    profile.window_subcodes.contains(&error.subcode) || error.message.contains("outside of allowed window")
}

/// Its own support asks for the trace.
fn described(error: &GraphError) -> String {
    if error.trace.is_empty() {
        error.message.clone()
    } else {
        format!("{} (fbtrace_id {})", error.message, error.trace)
    }
}

/// Too fast: as long as the provider says, or else `usual`.
fn paused(
    response: &ProviderResponse,
    usual: Duration,
    account_wide: bool,
    code: String,
    text: String,
) -> Outcome {
    let after = response.retry_after().or_else(|| regained(response)).unwrap_or(usual);
    Outcome::Retry { after: Some(after), account_wide, rate_limited: true, code, text }
}

/// `{"<account>": [{"type": "messenger", "estimated_time_to_regain_access": 5, …}]}`, in minutes.
fn regained(response: &ProviderResponse) -> Option<Duration> {
    let usage: Value = serde_json::from_slice(response.headers.get(USAGE)?.as_bytes()).ok()?;
    let uses = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = uses.filter_map(|used| used["estimated_time_to_regain_access"].as_u64()).max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)))
}

/// An answer without an error: of a proxy, or of an outage.
fn by_status(response: &ProviderResponse) -> Outcome {
    let code = response.status.as_u16().to_string();
    match response.status.as_u16() {
        429 => Outcome::rate_limited(response.retry_after().or(Some(BREATH)), code, "too many requests"),
        401 | 403 => Outcome::auth(code, "the provider refused the credentials"),
        408 | 500.. => Outcome::retry(response.retry_after(), code, "the provider failed"),
        _ => Outcome::permanent(code, "the provider refused the request"),
    }
}
