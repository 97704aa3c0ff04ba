//! What Telegram's answers mean: `ok`, or an `error_code` with a description.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse, json::text};
use serde_json::Value;

use crate::peer::Peer;

/// The outcome of a call.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    let body = response.json();
    if response.status.is_success() {
        return match body["ok"].as_bool() {
            Some(true) => Outcome::delivered(named(&body["result"])),
            _ => Outcome::in_doubt("unreadable_answer", "Telegram's answer does not say `ok`"),
        };
    }
    let status = response.status.as_u16();
    let text = body["description"].as_str().unwrap_or("Telegram gave no reason").to_owned();
    let code = status.to_string();
    match status {
        // The token; or something else polls for updates, with which nothing about the message is wrong.
        401 | 404 | 409 => Outcome::auth(code, text),
        // Said of a chat as a rule, which is why it holds up that chat alone; the rate over all chats is kept by ourselves.
        429 => {
            let wait = body["parameters"]["retry_after"].as_u64().map(Duration::from_secs);
            let after = wait.or(response.retry_after());
            Outcome::Retry { after, account_wide: false, rate_limited: true, code, text }
        }
        500.. => Outcome::retry(response.retry_after(), code, text),
        403 if says(&text, "blocked by the user") => Outcome::OptedOut { code, text },
        400 if says(&text, DONE) => Outcome::delivered(""),
        400 if body["parameters"]["migrate_to_chat_id"].is_i64() => Outcome::permanent("chat_moved", text),
        _ => Outcome::permanent(code, text),
    }
}

/// What Telegram says where what was to be done is done already.
const DONE: &str = "message is not modified, query is too old, message to delete not found";

/// How the message that was sent is named. One that was edited has the name it had, which stands for the original.
fn named(result: &Value) -> String {
    match (result["message_id"].as_i64(), Peer::of(result)) {
        (Some(number), Some(peer)) if result["edit_date"].is_null() => peer.message(number),
        _ => String::new(),
    }
}

/// Whether one of the `phrases`, which commas keep apart, stands in what Telegram says.
pub(crate) fn says(text: &str, phrases: &str) -> bool {
    let text = text.to_lowercase();
    phrases.split(", ").any(|phrase| text.contains(phrase))
}

/// What Telegram says of an id that it does not know, or takes for that of a file of another kind.
const STALE: &str =
    "wrong file identifier, wrong remote file, wrong type of, can't use file of type, file_reference";

/// Whether Telegram does not know the id of a file that it gave us, or takes it for a file of another kind.
pub(crate) fn is_stale_file(response: &ProviderResponse) -> bool {
    !response.status.is_success() && says(text(&response.json(), "description"), STALE)
}
