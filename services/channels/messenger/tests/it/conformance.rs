//! A Page passes the suite every channel passes.

use heliograph_channel::{RawAccount, Secrets, WebhookRequest};
use heliograph_channel_messenger::Messenger;
use heliograph_testkit::conformance::Conformance;
use http::HeaderValue;
use serde_json::{Value, json};

pub(crate) const PAGE: &str = "682498302938465";

pub(crate) fn raw(settings: Value) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("app_secret", "made-up-app-secret".into());
    secrets.add("verify_token", "made-up-verify-token".into());
    secrets.add("access_token", "EAAmadeuppageaccesstoken0001".into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "main".to_owned(),
        channel: "messenger".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

fn sign(account: &RawAccount, request: &mut WebhookRequest) {
    let signature = heliograph_graph::sign(&account.secrets.all("app_secret")[0], &request.body);
    request.headers.insert(heliograph_graph::SIGNATURE, HeaderValue::try_from(signature).unwrap());
}

#[test]
fn a_page_conforms() {
    let settings = json!({
        "page_id": PAGE, "human_agent": true, "utility_templates": true, "get_started": "GET_STARTED",
    });
    Conformance::new(Messenger, raw(settings))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(sign)
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/messenger"))
        .finish();
}
