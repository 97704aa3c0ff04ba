//! What LINE's answers mean.

use std::time::Duration;

use heliograph_channel::{
    Outcome, ProviderResponse,
    json::{list, text},
};
use serde_json::Value;

use crate::{LineSettings, settings::Access};

/// So long a limit that is counted by the second is left alone where LINE does not say how long.
const TOO_FAST: Duration = Duration::from_secs(1);

/// The outcome of a send.
pub(crate) fn classify(settings: &LineSettings, response: &ProviderResponse) -> Outcome {
    let body = response.json();
    let status = response.status.as_u16();
    let (code, text) = (status.to_string(), explanation(&body));
    match status {
        200..300 if body.is_object() => sent(&body),
        200..300 => Outcome::in_doubt("unreadable_answer", "LINE's answer is not a JSON object"),
        400 if is_stale_reply(response) => Outcome::permanent("invalid_reply_token", text),
        401 => {
            let token_expired = matches!(settings.access, Access::Stateless(_));
            Outcome::Auth { code, text, token_expired }
        }
        403 => Outcome::auth(code, text),
        // Accepted before with this retry key: by an attempt whose answer we did not get.
        409 => match (sent_ids(&body), accepted_request(response)) {
            (Some(_), _) => sent(&body),
            (None, Some(request)) => Outcome::delivered(request),
            (None, None) => Outcome::in_doubt(code, text),
        },
        // The month's messages are used up. Replies go on being free, so nothing else waits for this.
        429 if says(&body, "monthly limit") => {
            let wait = Duration::from_secs(settings.spec.quota_wait_seconds);
            Outcome::retry(Some(wait), "monthly_quota", text)
        }
        429 => Outcome::rate_limited(response.retry_after().or(Some(TOO_FAST)), code, text),
        408 | 500.. => Outcome::retry(response.retry_after(), code, text),
        _ => Outcome::permanent(code, text),
    }
}

/// The reply token was used before, or is older than LINE takes it.
pub(crate) fn is_stale_reply(response: &ProviderResponse) -> bool {
    response.status.as_u16() == 400 && says(&response.json(), "reply token")
}

/// The message that is quoted is one LINE does not know (any more).
pub(crate) fn is_unknown_quote(response: &ProviderResponse) -> bool {
    let text = explanation(&response.json()).to_ascii_lowercase();
    response.status.as_u16() == 400 && ["quotetoken", "quote token"].iter().any(|words| text.contains(words))
}

fn says(body: &Value, words: &str) -> bool {
    text(body, "message").to_ascii_lowercase().contains(words)
}

fn sent(body: &Value) -> Outcome {
    let mut ids = sent_ids(body).unwrap_or_default().into_iter();
    Outcome::Delivered {
        provider_message_id: ids.next().unwrap_or_default(),
        provider_part_ids: ids.collect(),
        parts: 0,
    }
}

fn sent_ids(body: &Value) -> Option<Vec<String>> {
    let sent = body["sentMessages"].as_array()?.iter();
    let ids: Vec<String> = sent.filter_map(|sent| sent["id"].as_str().map(str::to_owned)).collect();
    (!ids.is_empty()).then_some(ids)
}

fn accepted_request(response: &ProviderResponse) -> Option<&str> {
    let id = response.headers.get("x-line-accepted-request-id")?.to_str().ok()?;
    (!id.is_empty()).then_some(id)
}

/// LINE's words: `message`, and each of `details` with the property it is about.
fn explanation(body: &Value) -> String {
    let details = list(body, "details")
        .map(|detail| format!("{}: {}", text(detail, "property"), text(detail, "message")));
    let all: Vec<String> = std::iter::once(text(body, "message").to_owned()).chain(details).collect();
    let all = all.join("; ");
    if all.is_empty() { "LINE gave no reason".to_owned() } else { all }
}
