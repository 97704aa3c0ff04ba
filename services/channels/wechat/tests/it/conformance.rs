//! Encrypted and plain accounts pass the suite every channel passes.

use heliograph_channel::{RawAccount, Secrets, WebhookRequest};
use heliograph_channel_wechat::{Cipher, Wechat, sign};
use heliograph_testkit::conformance::Conformance;
use secrecy::ExposeSecret as _;
use serde_json::json;

const APP_ID: &str = "wx0123456789abcdef";
const NONCE: &str = "1320562132";

fn account(mode: &str) -> RawAccount {
    let mut secrets = Secrets::default();
    secrets.add("token", "madeuptoken2026".into());
    secrets.add("app_secret", "made-up-app-secret".into());
    secrets.add("encoding_aes_key", "bWFkZS11cC1mb3ItZGV2ZWxvcG1lbnQtb25seS0wMDA".into());
    RawAccount {
        tenant: "acme".to_owned(),
        name: "official".to_owned(),
        channel: "wechat".to_owned(),
        provider: None,
        base_url: None,
        public_base_url: None,
        settings: json!({ "app_id": APP_ID, "mode": mode, "service_account": true, "kf_account": "ann@acme" }),
        secrets,
    }
}

fn secret<'a>(account: &'a RawAccount, name: &str) -> &'a str {
    account.secrets.all(name)[0].expose_secret()
}

/// Seals the body and signs it, as the provider does in the encrypted mode.
fn seal(account: &RawAccount, request: &mut WebhookRequest) {
    let token = secret(account, "token");
    let timestamp = (request.now_ms / 1000).to_string();
    // The suite also cuts messages in the middle of a character.
    let message = String::from_utf8_lossy(&request.body).into_owned();
    let cipher = Cipher::new(secret(account, "encoding_aes_key"), APP_ID).unwrap();
    let encrypted = cipher.encrypt(&message, *b"0123456789abcdef");
    let signature = sign(token, &[&timestamp, NONCE]);
    let msg_signature = sign(token, &[&timestamp, NONCE, &encrypted]);
    request.query = format!(
        "signature={signature}&timestamp={timestamp}&nonce={NONCE}&encrypt_type=aes&msg_signature={msg_signature}"
    );
    request.body = format!("<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>").into();
}

#[test]
fn an_encrypted_account_conforms() {
    Conformance::new(Wechat, account("encrypted"))
        .fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
        .signed(seal)
        .token_in_url()
        .inbound()
        .outbound()
        .corpus(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/fuzz/corpus/wechat"))
        .finish();
}
