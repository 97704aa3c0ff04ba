//! What Google's answers mean: `{"error": {"code", "message", "status"}}`.

use heliograph_channel::{Outcome, ProviderResponse};

/// The outcome of a send. The id we chose is what tells a message that comes again, so failures may be tried again.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    let body = response.json();
    let status = response.status.as_u16();
    let code = body["error"]["status"].as_str().map_or_else(|| status.to_string(), str::to_owned);
    let text = body["error"]["message"].as_str().unwrap_or("the provider gave no reason").to_owned();
    match status {
        200..300 if body.is_object() => {
            // `phones/+1…/agentMessages/<id>`; nothing when a message was taken back.
            let name = body["name"].as_str().unwrap_or_default();
            Outcome::delivered(name.rsplit('/').next().unwrap_or_default())
        }
        200..300 => Outcome::in_doubt("unreadable_answer", "the provider's answer is not a JSON object"),
        401 => Outcome::Auth { code, text, token_expired: true },
        403 => Outcome::auth(code, text),
        429 => Outcome::rate_limited(response.retry_after(), code, text),
        // 409: the same message is being taken just now.
        408 | 409 | 500.. => Outcome::retry(response.retry_after(), code, text),
        // 404: the phone has no RCS, or the agent is not launched with its carrier. Another channel has to do.
        _ => Outcome::permanent(code, text),
    }
}
