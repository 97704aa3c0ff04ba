//! The suite every channel passes.

use heliograph_channel::{RawAccount, WebhookRequest};
use heliograph_channel_viber::{Viber, ViberSettings, sign};
use heliograph_testkit::conformance::Conformance;
use serde_json::json;

use crate::support::{TOKEN, raw_account, settings};

fn prove(_: &RawAccount, request: &mut WebhookRequest) {
    let signature = sign(TOKEN, &request.body);
    request.headers.insert("x-viber-content-signature", signature.parse().unwrap());
}

#[test]
fn a_bot_conforms() {
    Conformance::new(Viber, raw_account(settings()))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(prove)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/viber"))
        .finish();
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let long = "x".repeat(29);
    for (settings, field) in [
        (json!({ "sender": { "name": " " } }), "spec.settings.sender.name"),
        (json!({ "sender": { "name": long } }), "spec.settings.sender.name"),
        (json!({ "sender": { "name": "Acme" }, "welcome": "" }), "spec.settings.welcome"),
        (
            json!({ "sender": { "name": "Acme" }, "limits": { "keyboard_rows": 0 } }),
            "spec.settings.limits.keyboard_rows",
        ),
        (
            json!({ "sender": { "name": "Acme" }, "limits": { "per_second": 0 } }),
            "spec.settings.limits.per_second",
        ),
    ] {
        assert_eq!(raw_account(settings).load::<ViberSettings>().unwrap_err().field, field);
    }
}
