//! What Telegram's answers mean: `ok`, or an `error_code` with a description.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use serde_json::Value;

use crate::peer::Peer;

/// The outcome of a call.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status.is_success() {
        return match body["ok"].as_bool() {
            Some(true) => Outcome::delivered(named(&body["result"])),
            _ => Outcome::in_doubt("unreadable_answer", "Telegram's answer does not say `ok`"),
        };
    }
    let status = response.status.as_u16();
    let text = body["description"].as_str().unwrap_or("Telegram gave no reason").to_owned();
    let says = |words: &[&str]| words.iter().any(|word| text.to_lowercase().contains(word));
    let code = status.to_string();
    match status {
        // The token; or something else polls for updates, with which nothing about the message is wrong.
        401 | 404 | 409 => Outcome::auth(code, text),
        // Said of a chat as a rule, which is why it holds up that chat alone; the rate over all chats is kept by ourselves.
        429 => Outcome::Retry {
            after: body["parameters"]["retry_after"]
                .as_u64()
                .map(Duration::from_secs)
                .or(response.retry_after()),
            account_wide: false,
            rate_limited: true,
            code,
            text,
        },
        500.. => Outcome::retry(response.retry_after(), code, text),
        403 if says(&["blocked by the user"]) => Outcome::OptedOut { code, text },
        // What was to be done is done already.
        400 if says(&["message is not modified", "query is too old", "message to delete not found"]) => {
            Outcome::delivered("")
        }
        400 if body["parameters"]["migrate_to_chat_id"].is_i64() => Outcome::permanent("chat_moved", text),
        _ => Outcome::permanent(code, text),
    }
}

/// How the message that was sent is named. One that was edited has the name it had, which stands for the original.
fn named(result: &Value) -> String {
    let (Some(number), Some(chat)) = (result["message_id"].as_i64(), result["chat"]["id"].as_i64()) else {
        return String::new();
    };
    if !result["edit_date"].is_null() {
        return String::new();
    }
    let business = result["business_connection_id"].as_str().map(str::to_owned);
    Peer { business, chat: chat.to_string(), topic: None }.message(number)
}

/// Whether Telegram does not know the id of a file that it gave us, or takes it for a file of another kind.
pub(crate) fn is_stale_file(response: &ProviderResponse) -> bool {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let text = body["description"].as_str().unwrap_or_default().to_lowercase();
    let words = [
        "wrong file identifier",
        "wrong remote file",
        "wrong type of",
        "can't use file of type",
        "file_reference",
    ];
    !response.status.is_success() && words.iter().any(|word| text.contains(word))
}
