//! Signatures as providers make them.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use heliograph_channel::{RawAccount, WebhookRequest, standard_webhooks::Keyring};
use heliograph_channel_rcs as rcs_channel;
use heliograph_channel_wechat as wechat_channel;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use secrecy::ExposeSecret as _;
use sha1::Sha1;
use sha2::Sha256;

fn secret<'a>(account: &'a RawAccount, name: &str) -> &'a str {
    account.secrets.all(name).first().map_or("", |secret| secret.expose_secret())
}

fn header(request: &mut WebhookRequest, name: &'static str, value: &str) {
    request.headers.insert(name, HeaderValue::from_str(value).expect("ASCII"));
}

/// HMAC-SHA256 over `parts`.
fn hmac_sha256(key: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The secret itself, and nothing signed.
pub fn telegram(account: &RawAccount, request: &mut WebhookRequest) {
    header(request, "x-telegram-bot-api-secret-token", secret(account, "webhook_secret"));
}

/// Meta, for WhatsApp, Messenger and Instagram.
pub fn meta(account: &RawAccount, request: &mut WebhookRequest) {
    let signed = hmac_sha256(secret(account, "app_secret"), &[&request.body]);
    header(request, "x-hub-signature-256", &format!("sha256={}", hex::encode(signed)));
}

/// Viber: the body, with the bot's token.
pub fn viber(account: &RawAccount, request: &mut WebhookRequest) {
    let signed = hmac_sha256(secret(account, "auth_token"), &[&request.body]);
    header(request, "x-viber-content-signature", &hex::encode(signed));
}

/// LINE: the body, with the channel's secret.
pub fn line(account: &RawAccount, request: &mut WebhookRequest) {
    let signed = hmac_sha256(secret(account, "channel_secret"), &[&request.body]);
    header(request, "x-line-signature", &STANDARD.encode(signed));
}

/// RCS: what is in the envelope is signed. What fuzzing finds goes into one.
pub fn rcs(account: &RawAccount, request: &mut WebhookRequest) {
    let signature = rcs_channel::sign(secret(account, "client_token"), &request.body);
    header(request, "x-goog-signature", &signature);
    let data = STANDARD.encode(&request.body);
    request.body = format!(r#"{{"message":{{"data":"{data}","messageId":"1"}}}}"#).into();
}

/// Standard Webhooks.
pub fn bottle(account: &RawAccount, request: &mut WebhookRequest) {
    let keys = Keyring::new(account.secrets.all("signing")).expect("the key is one");
    let headers = keys.headers("msg_fuzz", request.now_ms, &request.body);
    request.headers.extend(headers);
}

/// Sinch: body, nonce and time.
pub fn sinch(account: &RawAccount, request: &mut WebhookRequest) {
    let timestamp = (request.now_ms / 1000).to_string();
    let signed =
        hmac_sha256(secret(account, "webhook_secret"), &[&request.body, b".01NONCE.", timestamp.as_bytes()]);
    header(request, "x-sinch-webhook-signature", &STANDARD.encode(signed));
    header(request, "x-sinch-webhook-signature-nonce", "01NONCE");
    header(request, "x-sinch-webhook-signature-timestamp", &timestamp);
    header(request, "x-sinch-webhook-signature-algorithm", "HmacSHA256");
}

/// Twilio: the URL, and the parameters by name.
pub fn twilio(account: &RawAccount, request: &mut WebhookRequest) {
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let mut signed = format!("https://hooks.example.test/sms/fuzzed{}{query}", request.path);
    let parameters: BTreeSet<(String, String)> =
        url::form_urlencoded::parse(&request.body).into_owned().collect();
    for (name, value) in parameters {
        signed.push_str(&name);
        signed.push_str(&value);
    }
    let key = secret(account, "auth_token").as_bytes();
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    header(request, "x-twilio-signature", &STANDARD.encode(mac.finalize().into_bytes()));
}

/// WeChat's encrypted mode: the message is sealed, and the seal signed.
pub fn wechat(account: &RawAccount, request: &mut WebhookRequest) {
    let token = secret(account, "token");
    let (timestamp, nonce) = ((request.now_ms / 1000).to_string(), "1320562132");
    let message = String::from_utf8_lossy(&request.body).into_owned();
    let app_id = account.settings["app_id"].as_str().unwrap_or_default();
    let cipher =
        wechat_channel::Cipher::new(secret(account, "encoding_aes_key"), app_id).expect("the key is one");
    let sealed = cipher.encrypt(&message, *b"0123456789abcdef");
    let signature = wechat_channel::sign(token, &[&timestamp, nonce]);
    let over_body = wechat_channel::sign(token, &[&timestamp, nonce, &sealed]);
    request.query = format!(
        "signature={signature}&timestamp={timestamp}&nonce={nonce}&encrypt_type=aes&msg_signature={over_body}"
    );
    request.body = format!("<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>").into();
}
