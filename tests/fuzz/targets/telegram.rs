//! Updates of a bot, and answers of the Bot API.
#![no_main]

use heliograph_channel_telegram::Telegram;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Telegram, {
    let given = Given {
        provider: None,
        settings: json!({ "business": true, "groups": true }),
        secrets: &[
            ("bot_token", "555000111:made-up_BOT-token-0123456789"),
            ("webhook_secret", "made-up_webhook-secret-001"),
        ],
    };
    Subject::new(Telegram, given, sign::telegram)
});
