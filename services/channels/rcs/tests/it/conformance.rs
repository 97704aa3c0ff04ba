//! The suite every channel passes. Its fixtures are what the envelope carries, which is what is signed.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_channel::{RawAccount, WebhookRequest};
use heliograph_channel_rcs::{Rcs, sign};
use heliograph_testkit::conformance::Conformance;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::{TOKEN, raw_account};

/// Puts the event into its envelope and signs it.
fn seal(account: &RawAccount, request: &mut WebhookRequest) {
    let token = account.secrets.all("client_token")[0].expose_secret();
    request.headers.insert("x-goog-signature", sign(token, &request.body).parse().unwrap());
    let data = STANDARD.encode(&request.body);
    request.body = json!({ "message": { "data": data, "messageId": "1" } }).to_string().into();
}

#[test]
fn an_account_conforms() {
    let settings = json!({ "agent_id": "acme@rbm.goog", "ttl_seconds": 600 });
    Conformance::new(Rcs, raw_account(settings, TOKEN))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(seal)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/rcs"))
        .finish();
}
