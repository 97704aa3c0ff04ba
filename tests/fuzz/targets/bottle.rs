//! Letters of the bottle's owner.
#![no_main]

use heliograph_channel_bottle::Bottle;
use heliograph_fuzz::{Given, Subject, sign, target};
use serde_json::json;

target!(Bottle, {
    let given = Given {
        provider: None,
        settings: json!({ "url": "https://bring.example.test/out" }),
        secrets: &[("signing", "whsec_ZmFrZS1zdGFuZGFyZC13ZWJob29rLWtleS0zMmJ5dGU=")],
    };
    Subject::new(Bottle, given, sign::bottle)
});
