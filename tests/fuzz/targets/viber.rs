//! Callbacks of a bot, and answers of the REST Bot API.
#![no_main]

use heliograph_channel_viber::Viber;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Viber, {
    let given = Given {
        provider: None,
        settings: json!({ "sender": { "name": "Acme" }, "welcome": "Hi! Ask us anything." }),
        secrets: &[("auth_token", "445da6az1s345z78-made-up-token-0001")],
    };
    Subject::new(Viber, given, sign::viber)
});
