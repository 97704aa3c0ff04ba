//! Who may call: a signature (one scheme with Sinch's Conversation API), or basic authorization.

use base64::{Engine, engine::general_purpose::STANDARD};
use heliograph_channel::{Refusal, WebhookRequest};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::settings::Sinch;

/// How far a signed timestamp may be from our clock, seconds.
const WINDOW_SECONDS: i64 = 300;

/// Checks the callback against the account's secrets. An account with signing secrets accepts nothing unsigned.
pub(super) fn verify(sinch: &Sinch, request: &WebhookRequest) -> Result<(), Refusal> {
    if sinch.webhook_secrets.is_empty() { basic(sinch, request) } else { signed(sinch, request) }
}

fn signed(sinch: &Sinch, request: &WebhookRequest) -> Result<(), Refusal> {
    let header = |name: &'static str| {
        request.header(name).ok_or_else(|| Refusal::Forged(format!("header {name} is missing")))
    };
    let signature = header("x-sinch-webhook-signature")?;
    let nonce = header("x-sinch-webhook-signature-nonce")?;
    let timestamp = header("x-sinch-webhook-signature-timestamp")?;
    if header("x-sinch-webhook-signature-algorithm")? != "HmacSHA256" {
        return Err(Refusal::Forged("the algorithm is not HmacSHA256".to_owned()));
    }
    let expected = STANDARD
        .decode(signature)
        .map_err(|_| Refusal::Forged("x-sinch-webhook-signature is not base64".to_owned()))?;
    let matches = sinch.webhook_secrets.iter().any(|secret| {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            .expect("HMAC takes keys of any length");
        mac.update(&request.body);
        mac.update(b".");
        mac.update(nonce.as_bytes());
        mac.update(b".");
        mac.update(timestamp.as_bytes());
        mac.verify_slice(&expected).is_ok()
    });
    if !matches {
        return Err(Refusal::Forged(
            "x-sinch-webhook-signature matches none of the account's secrets".to_owned(),
        ));
    }
    let signed_at: i64 = timestamp
        .parse()
        .map_err(|_| Refusal::Malformed("x-sinch-webhook-signature-timestamp is not a number".to_owned()))?;
    let age = request.now_ms.div_euclid(1000) - signed_at;
    if age.abs() > WINDOW_SECONDS {
        return Err(Refusal::Stale(format!("signed {age} s ago; at most {WINDOW_SECONDS} s are accepted")));
    }
    Ok(())
}

fn basic(sinch: &Sinch, request: &WebhookRequest) -> Result<(), Refusal> {
    let given = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Basic "))
        .and_then(|value| STANDARD.decode(value.trim()).ok())
        .ok_or_else(|| Refusal::Forged("basic authorization is missing".to_owned()))?;
    let matches = sinch
        .callback_credentials
        .iter()
        .any(|pair| bool::from(pair.expose_secret().as_bytes().ct_eq(given.as_slice())));
    if matches { Ok(()) } else { Err(Refusal::Forged("user or password is wrong".to_owned())) }
}
