//! Callbacks of Sinch.
#![no_main]

use heliograph_channel_sms::Sms;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Sms, {
    let given = Given {
        provider: Some("sinch"),
        settings: json!({ "sender": "+12025550134", "service_plan_id": "plan-1", "mms": true }),
        secrets: &[("api_token", "made-up-api-token"), ("webhook_secret", "made-up-webhook-secret")],
    };
    Subject::new(Sms, given, sign::sinch)
});
