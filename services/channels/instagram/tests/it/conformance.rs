//! Accounts of both flavours pass the suite every channel passes.

use heliograph_channel::{RawAccount, Secrets, WebhookRequest};
use heliograph_channel_instagram::Instagram;
use heliograph_testkit::conformance::Conformance;
use http::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) const ACCOUNT: &str = "17841400000000001";
/// The second secret of an app with Instagram Login.
pub(crate) const INSTAGRAM_SECRET: &str = "made-up-instagram-secret";

pub(crate) fn raw(settings: Value) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("app_secret", "made-up-app-secret".into());
    secrets.add("instagram_app_secret", INSTAGRAM_SECRET.into());
    secrets.add("verify_token", "made-up-verify-token".into());
    secrets.add("access_token", "IGAAmadeupinstagramtoken0001".into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "main".to_owned(),
        channel: "instagram".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings,
        secrets,
    }
}

fn sign_with(secret: &SecretString, request: &mut WebhookRequest) {
    let signature = heliograph_graph::sign(secret, &request.body);
    request.headers.insert(heliograph_graph::SIGNATURE, HeaderValue::try_from(signature).unwrap());
}

#[test]
fn an_account_behind_a_page_conforms() {
    let settings = json!({ "account_id": ACCOUNT, "human_agent": true, "get_started": "GET_STARTED" });
    Conformance::new(Instagram, raw(settings))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(|account, request| sign_with(&account.secrets.all("app_secret")[0], request))
        .inbound()
        .outbound()
        .finish();
}

/// The same events, signed with the other secret; what goes out differs in its host.
#[test]
fn an_account_by_instagram_login_conforms() {
    let settings = json!({
        "account_id": ACCOUNT, "login": "instagram", "refresh_token": true, "get_started": "GET_STARTED",
    });
    Conformance::new(Instagram, raw(settings))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(|account, request| sign_with(&account.secrets.all("instagram_app_secret")[0], request))
        .inbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/instagram"))
        .finish();
}
