//! Webhooks of Twilio.
#![no_main]

use heliograph_channel_sms::Sms;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Sms, {
    let given = Given {
        provider: Some("twilio"),
        settings: json!({ "account_sid": "AC00000000000000000000000000000000", "sender": "+12025550134" }),
        secrets: &[("auth_token", "made-up-auth-token")],
    };
    Subject::new(Sms, given, sign::twilio)
});
