//! Webhooks of WhatsApp, and answers of the Cloud API.
#![no_main]

use heliograph_channel_whatsapp::WhatsApp;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(WhatsApp, {
    let given = Given {
        provider: None,
        settings: json!({ "phone_number_id": "106540352242922" }),
        secrets: &[
            ("access_token", "EAAmade-up-system-user-token"),
            ("app_secret", "made-up-meta-app-secret-0001"),
            ("verify_token", "made-up-verify-token"),
        ],
    };
    Subject::new(WhatsApp, given, sign::meta)
});
