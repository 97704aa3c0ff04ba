//! Webhooks of Instagram, and answers to messages and for tokens: with Instagram Login, which has its own answers. What
//! comes in is the same behind a Page.
#![no_main]

use heliograph_channel_instagram::Instagram;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Instagram, {
    let given = Given {
        provider: None,
        settings: json!({
            "account_id": "17841400000000001", "login": "instagram", "refresh_token": true, "get_started": "GET_STARTED",
        }),
        secrets: &[
            ("access_token", "IGAAmadeupinstagramtoken0001"),
            ("app_secret", "made-up-app-secret"),
            ("verify_token", "made-up-verify-token"),
        ],
    };
    Subject::new(Instagram, given, sign::meta)
});
