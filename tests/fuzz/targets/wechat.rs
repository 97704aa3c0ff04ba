//! Messages and events of WeChat, behind their encryption.
#![no_main]

use heliograph_channel_wechat::Wechat;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Wechat, {
    let given = Given {
        provider: None,
        settings: json!({ "app_id": "wx0123456789abcdef", "mode": "encrypted", "passive_reply": 4 }),
        secrets: &[
            ("token", "madeuptoken2026"),
            ("app_secret", "made-up-app-secret"),
            ("encoding_aes_key", "bWFkZS11cC1mb3ItZGV2ZWxvcG1lbnQtb25seS0wMDA"),
        ],
    };
    Subject::new(Wechat, given, sign::wechat)
});
