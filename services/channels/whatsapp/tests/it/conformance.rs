//! The suite every channel passes.

use heliograph_channel_whatsapp::WhatsApp;
use heliograph_testkit::conformance::Conformance;
use serde_json::json;

use crate::support::{raw_account, sign};

#[test]
fn the_channel_conforms() {
    Conformance::new(WhatsApp, raw_account(&json!({})))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(sign)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/whatsapp"))
        .finish();
}
