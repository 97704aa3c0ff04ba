//! Bearer tokens (RFC 6750, section 2.1): reading one from a request, and finding whose it is.

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The token in an `Authorization` header, when it holds one.
pub fn token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Whether `given` is `known`; an empty secret is nobody's. How long it takes says nothing: what is compared are hashes,
/// in constant time.
pub fn same(known: &SecretString, given: &str) -> bool {
    let known = known.expose_secret();
    let hash = |text: &str| Sha256::digest(text.as_bytes());
    bool::from(hash(known).as_slice().ct_eq(hash(given).as_slice())) && !known.is_empty()
}

/// The entry whose `secret` is `given`. Every entry is compared, so that timing tells nothing of its place.
pub fn find<'a, T>(known: &'a [T], secret: impl Fn(&T) -> &SecretString, given: &str) -> Option<&'a T> {
    let found = known.iter().filter(|entry| same(secret(entry), given));
    found.last()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_whatever_the_case_of_its_scheme_and_nothing_else_is() {
        assert_eq!(token("Bearer one"), Some("one"));
        assert_eq!(token("bearer  two "), Some("two"));
        for bad in ["", "Bearer", "Bearer ", "Basic one", "one"] {
            assert_eq!(token(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_the_whole_secret_is_found() {
        let known = ["one", "two", ""].map(SecretString::from);
        let at = |given: &str| {
            let found = find(&known, |secret| secret, given)?;
            Some(found.expose_secret().to_owned())
        };
        assert_eq!(at("one").as_deref(), Some("one"));
        assert_eq!(at("two").as_deref(), Some("two"));
        for bad in ["", "on", "onee", "three"] {
            assert_eq!(at(bad), None, "{bad:?}");
        }
    }
}
