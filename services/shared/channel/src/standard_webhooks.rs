//! Standard Webhooks 1.0.0: symmetric signatures (`v1`), signing and verifying.
//!
//! Signed are the bytes `<id>.<timestamp>.<body>` with HMAC-SHA256; a header may hold several signatures, separated
//! by spaces, while a secret is being rotated. Source: standardwebhooks.com, specification 1.0.0.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The message's id, the same for every attempt.
pub const ID: &str = "webhook-id";
/// When this attempt was made, seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// `v1,<base64>`, several of them separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// How far the clocks may be apart, and how long an attempt may be on its way. The libraries' own value.
pub const TOLERANCE_SECONDS: i64 = 300;

/// The specification asks for at least this many random bytes.
const SHORTEST_KEY: usize = 24;

/// The secrets of one endpoint. All of them sign and each of them is accepted, so that a secret can be rotated
/// without losing a message. Printing shows how many there are.
#[derive(Clone)]
pub struct Keyring(Vec<Hmac<Sha256>>);

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Keyring({} secrets)", self.0.len())
    }
}

/// A secret that cannot be used. Never holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No secret at all.
    #[error("there is no secret")]
    None,
    /// Not Base64.
    #[error("the secret is not `whsec_` followed by Base64")]
    NotBase64,
    /// Too little to guess.
    #[error("the secret is too short: it holds {0} bytes and must hold at least {SHORTEST_KEY}")]
    Short(usize),
}

/// Why a request is not what the owner of the secret sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is absent, repeated or not readable.
    #[error("the header `{0}` is missing or cannot be read")]
    Header(&'static str),
    /// None of the signatures was made with one of the secrets.
    #[error("no `v1` signature matches")]
    NoMatch,
    /// Signed too long ago, or for a time to come.
    #[error("it was signed {0} s ago and may be at most {TOLERANCE_SECONDS} s old or early")]
    Stale(i64),
}

impl Keyring {
    /// Reads secrets (`whsec_` and Base64; the prefix may be left out), the newest first.
    ///
    /// # Errors
    /// When there is none, or one of them cannot be used.
    pub fn new(secrets: &[SecretString]) -> Result<Self, KeyError> {
        if secrets.is_empty() {
            return Err(KeyError::None);
        }
        secrets.iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The value of the [`SIGNATURE`] header: one signature a secret.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let timestamp = timestamp.to_string();
        let signatures = self.0.iter().map(|key| {
            let code = digest(key, id, &timestamp, body).finalize().into_bytes();
            format!("v1,{}", BASE64.encode(code))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }

    /// The three headers of one attempt at `now_ms`.
    pub fn headers(&self, id: &str, now_ms: i64, body: &[u8]) -> HeaderMap {
        let timestamp = now_ms.div_euclid(1000);
        let signature = HeaderValue::from_str(&self.sign(id, timestamp, body));
        HeaderMap::from_iter([
            (
                ID.parse().expect("a header name"),
                HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("")),
            ),
            (TIMESTAMP.parse().expect("a header name"), HeaderValue::from(timestamp)),
            (SIGNATURE.parse().expect("a header name"), signature.expect("Base64 is ASCII")),
        ])
    }

    /// Verifies a request received at `now_ms` over its raw body, and returns its id.
    ///
    /// # Errors
    /// See [`VerifyError`]. The signature is checked before the time, so that a stranger learns nothing of our clock.
    pub fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &[u8],
        now_ms: i64,
    ) -> Result<&'a str, VerifyError> {
        let id = single(headers, ID)?;
        let timestamp = single(headers, TIMESTAMP)?;
        let signatures = single(headers, SIGNATURE)?;
        let sent_at: i64 = timestamp.parse().map_err(|_| VerifyError::Header(TIMESTAMP))?;
        let matches = self.0.iter().any(|key| matches(key, id, timestamp, body, signatures));
        if !matches {
            return Err(VerifyError::NoMatch);
        }
        let age = now_ms.div_euclid(1000).saturating_sub(sent_at);
        if age.saturating_abs() > TOLERANCE_SECONDS {
            return Err(VerifyError::Stale(age));
        }
        Ok(id)
    }
}

fn key(secret: &SecretString) -> Result<Hmac<Sha256>, KeyError> {
    let secret = secret.expose_secret();
    let bytes =
        BASE64.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).map_err(|_| KeyError::NotBase64)?;
    if bytes.len() < SHORTEST_KEY {
        return Err(KeyError::Short(bytes.len()));
    }
    Ok(Hmac::new_from_slice(&bytes).expect("HMAC takes keys of any length"))
}

fn digest(key: &Hmac<Sha256>, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut digest = key.clone();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        digest.update(part);
    }
    digest
}

/// Whether one of the `v1` signatures was made with `key`; other versions are skipped. Compares in constant time.
fn matches(key: &Hmac<Sha256>, id: &str, timestamp: &str, body: &[u8], signatures: &str) -> bool {
    let digest = digest(key, id, timestamp, body);
    let candidates = signatures.split(' ').filter_map(|signature| signature.strip_prefix("v1,"));
    candidates
        .filter_map(|encoded| BASE64.decode(encoded).ok())
        .any(|code| digest.clone().verify_slice(&code).is_ok())
}

fn single<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, VerifyError> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (Some(Ok(value)), None) if !value.is_empty() => Ok(value),
        _ => Err(VerifyError::Header(name)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{BASE64, ID, KeyError, Keyring, SIGNATURE, TIMESTAMP, VerifyError};
    use base64::Engine as _;
    use http::HeaderMap;

    /// The specification's own example.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const EXPECTED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn ring(secrets: &[&str]) -> Keyring {
        Keyring::new(&secrets.iter().map(|secret| (*secret).into()).collect::<Vec<_>>()).unwrap()
    }

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = ring(&[SECRET]).headers(MESSAGE, AT * 1000, BODY);
        headers.insert(SIGNATURE, signature.parse().unwrap());
        headers
    }

    #[test]
    fn signs_like_the_specification() {
        assert_eq!(ring(&[SECRET]).sign(MESSAGE, AT, BODY), EXPECTED);
        assert_eq!(ring(&[SECRET]).verify(&headers(EXPECTED), BODY, AT * 1000), Ok(MESSAGE));
    }

    #[test]
    fn a_rotated_secret_is_accepted_and_unknown_versions_are_skipped() {
        let other = format!("whsec_{}", BASE64.encode([7; 32]));
        let both = ring(&[&other, SECRET]);
        assert_eq!(both.verify(&headers(&format!("v1a,AAAA {EXPECTED}")), BODY, AT * 1000), Ok(MESSAGE));
        assert_eq!(both.sign(MESSAGE, AT, BODY).split(' ').count(), 2);
        assert_eq!(ring(&[&other]).verify(&headers(EXPECTED), BODY, AT * 1000), Err(VerifyError::NoMatch));
    }

    #[test]
    fn forged_and_stale_requests_are_told_apart() {
        let ring = ring(&[SECRET]);
        let good = headers(EXPECTED);
        assert_eq!(ring.verify(&good, b"{}", AT * 1000), Err(VerifyError::NoMatch));
        assert_eq!(ring.verify(&good, BODY, (AT + 300) * 1000), Ok(MESSAGE));
        assert_eq!(ring.verify(&good, BODY, (AT + 301) * 1000), Err(VerifyError::Stale(301)));
        assert_eq!(ring.verify(&good, BODY, (AT - 301) * 1000), Err(VerifyError::Stale(-301)));
        for name in [ID, TIMESTAMP, SIGNATURE] {
            let mut without = good.clone();
            without.remove(name);
            assert_eq!(ring.verify(&without, BODY, AT * 1000), Err(VerifyError::Header(name)));
            let mut twice = good.clone();
            twice.append(name, "x".parse().unwrap());
            assert_eq!(ring.verify(&twice, BODY, AT * 1000), Err(VerifyError::Header(name)));
        }
    }

    #[test]
    fn bad_secrets_are_named_without_being_shown() {
        assert_eq!(Keyring::new(&[]).unwrap_err(), KeyError::None);
        assert_eq!(Keyring::new(&["whsec_###".into()]).unwrap_err(), KeyError::NotBase64);
        let short = BASE64.encode([1; 8]);
        assert_eq!(Keyring::new(&[short.into()]).unwrap_err(), KeyError::Short(8));
        assert_eq!(format!("{:?}", ring(&[SECRET])), "Keyring(1 secrets)");
    }
}
