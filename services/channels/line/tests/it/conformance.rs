//! Accounts with an issued token and with stateless ones pass the suite every channel passes.

use heliograph_channel::{RawAccount, WebhookRequest};
use heliograph_channel_line::{Line, sign};
use heliograph_testkit::conformance::Conformance;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::support::{SECRET, raw_account};

fn seal(account: &RawAccount, request: &mut WebhookRequest) {
    let secret = account.secrets.all("channel_secret")[0].expose_secret();
    let signature = sign(secret, &request.body).parse().unwrap();
    request.headers.insert("x-line-signature", signature);
}

#[test]
fn an_account_with_stateless_tokens_conforms() {
    let settings = json!({
        "channel_id": "1234567890",
        "video_preview_url": "https://media.example.com/still.png",
        "track_videos": true,
        "agent_names": true,
    });
    Conformance::new(Line, raw_account(settings, &[("channel_secret", SECRET)]))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(seal)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/line"))
        .finish();
}
