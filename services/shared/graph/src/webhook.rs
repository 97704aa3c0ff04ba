//! Webhooks: the handshake that subscribes a URL, and the signature of what is posted to it.

use heliograph_channel::{Answer, Received, Refusal, WebhookRequest};
use hmac::Mac as _;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use crate::digest;

/// `sha256=` and the HMAC-SHA256 of the raw body in lower-case hex. Its older sibling with SHA-1 may come as well and
/// proves nothing.
pub const SIGNATURE: &str = "x-hub-signature-256";

/// Answers the GET that subscribes the URL: `hub.challenge` as it stands, to whoever knows one of the verify tokens.
///
/// # Errors
/// [`Refusal::Forged`] when it does not; anything but 200 tells the provider so.
pub fn handshake(request: &WebhookRequest, verify_tokens: &[SecretString]) -> Result<Received, Refusal> {
    let value = |name: &str| request.query_value(name).filter(|value| !value.is_empty());
    let given = value("hub.verify_token")
        .ok_or_else(|| Refusal::Forged("query parameter `hub.verify_token` is missing".to_owned()))?;
    let known = |token: &SecretString| bool::from(token.expose_secret().as_bytes().ct_eq(given.as_bytes()));
    if !verify_tokens.iter().any(known) {
        return Err(Refusal::Forged("`hub.verify_token` is not the account's".to_owned()));
    }
    if request.query_value("hub.mode").as_deref() != Some("subscribe") {
        return Err(Refusal::Malformed("query parameter `hub.mode` is not `subscribe`".to_owned()));
    }
    let challenge = value("hub.challenge")
        .ok_or_else(|| Refusal::Malformed("query parameter `hub.challenge` is missing".to_owned()))?;
    Ok(Received { answer: Answer::ok("text/plain; charset=utf-8", challenge), ..Received::default() })
}

/// Verifies what was posted over its raw bytes. Each of the app secrets is accepted, so that one can be rotated.
///
/// # Errors
/// [`Refusal::Forged`].
pub fn verify(request: &WebhookRequest, app_secrets: &[SecretString]) -> Result<(), Refusal> {
    let header = request
        .header(SIGNATURE)
        .ok_or_else(|| Refusal::Forged(format!("the header `{SIGNATURE}` is missing or there twice")))?;
    let code = header
        .strip_prefix("sha256=")
        .filter(|code| !code.bytes().any(|byte| byte.is_ascii_uppercase()))
        .and_then(|code| hex::decode(code).ok())
        .ok_or_else(|| Refusal::Forged(format!("`{SIGNATURE}` is not `sha256=` and lower-case hex")))?;
    let made_it =
        |secret: &SecretString| digest(secret.expose_secret(), &request.body).verify_slice(&code).is_ok();
    if app_secrets.iter().any(made_it) {
        Ok(())
    } else {
        Err(Refusal::Forged(format!("`{SIGNATURE}` was not made with the account's app secret")))
    }
}

/// The value of the header [`SIGNATURE`] for a body.
pub fn sign(app_secret: &SecretString, body: &[u8]) -> String {
    let code = digest(app_secret.expose_secret(), body).finalize().into_bytes();
    format!("sha256={}", hex::encode(code))
}
