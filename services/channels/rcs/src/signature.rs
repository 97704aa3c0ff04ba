//! `X-Goog-Signature`: base64 HMAC-SHA512 of the decoded `message.data` with the client token.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha512;
use subtle::ConstantTimeEq as _;

fn mac(token: &str, data: &[u8]) -> Hmac<Sha512> {
    let mut mac = Hmac::<Sha512>::new_from_slice(token.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(data);
    mac
}

/// The signature of `data`, decoded.
pub fn sign(token: &str, data: &[u8]) -> String {
    STANDARD.encode(mac(token, data).finalize().into_bytes())
}

/// Whether one of the account's tokens makes this signature. Compared decoded and in constant time.
pub(crate) fn matches(tokens: &[SecretString], data: &[u8], signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature) else { return false };
    tokens.iter().any(|token| mac(token.expose_secret(), data).verify_slice(&given).is_ok())
}

/// Whether this is one of the account's tokens.
pub(crate) fn is_token(tokens: &[SecretString], given: &str) -> bool {
    tokens.iter().any(|token| bool::from(token.expose_secret().as_bytes().ct_eq(given.as_bytes())))
}
