//! SHA-1 over sorted strings: of the token and the query, and in the encrypted modes of the ciphertext too.

use secrecy::{ExposeSecret, SecretString};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

/// The signature of `parts` with `token`: lower-case hex SHA-1 of all of them, sorted by bytes and joined.
pub fn sign(token: &str, parts: &[&str]) -> String {
    let mut sorted: Vec<&str> = parts.iter().copied().chain([token]).collect();
    sorted.sort_unstable();
    hex::encode(Sha1::digest(sorted.concat()))
}

/// Whether one of the account's tokens makes this signature.
pub(crate) fn matches(tokens: &[SecretString], parts: &[&str], signature: &str) -> bool {
    tokens.iter().any(|token| {
        let expected = sign(token.expose_secret(), parts);
        bool::from(expected.as_bytes().ct_eq(signature.as_bytes()))
    })
}
