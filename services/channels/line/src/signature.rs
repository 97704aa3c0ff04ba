//! `x-line-signature`: base64 HMAC-SHA256 of the raw body with the channel secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

fn mac(secret: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

/// The signature of `body`.
pub fn sign(secret: &str, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, body).finalize().into_bytes())
}

/// Whether one of the account's secrets makes this signature. Compared decoded and in constant time.
pub(crate) fn matches(secrets: &[SecretString], body: &[u8], signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature) else { return false };
    secrets.iter().any(|secret| mac(secret.expose_secret(), body).verify_slice(&given).is_ok())
}
