//! Webhooks of a Page, and answers of the Send API.
#![no_main]

use heliograph_channel_messenger::Messenger;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Messenger, {
    let given = Given {
        provider: None,
        settings: json!({
            "page_id": "682498302938465", "human_agent": true, "utility_templates": true, "get_started": "GET_STARTED",
        }),
        secrets: &[
            ("access_token", "EAAmadeuppageaccesstoken0001"),
            ("app_secret", "made-up-app-secret"),
            ("verify_token", "made-up-verify-token"),
        ],
    };
    Subject::new(Messenger, given, sign::meta)
});
