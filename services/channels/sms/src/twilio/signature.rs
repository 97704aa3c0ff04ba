//! `X-Twilio-Signature`: a MAC over the URL as Twilio calls it and the sorted form parameters.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine, engine::general_purpose::STANDARD};
use heliograph_channel::{Account, Refusal, WebhookRequest};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

use crate::{SmsSettings, settings::Twilio};

const SETTINGS_HEADER: &str = "x-twilio-webhooks-signature-settings";

/// Which MAC a request claims to carry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    HmacSha1,
    HmacSha256,
}

/// Checks the request against the account's tokens or shared keys.
pub(super) fn verify(
    account: &Account<SmsSettings>,
    twilio: &Twilio,
    request: &WebhookRequest,
) -> Result<(), Refusal> {
    let signature = request
        .header("x-twilio-signature")
        .ok_or_else(|| Refusal::Forged("header X-Twilio-Signature is missing".to_owned()))?;
    let expected = STANDARD
        .decode(signature)
        .map_err(|_| Refusal::Forged("X-Twilio-Signature is not base64".to_owned()))?;
    let base = account.webhook_url().unwrap_or_default();
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let suffix = if is_form(request) { parameters(&request.body) } else { body_digest(request)? };
    let (algorithm, keys) = accepted(twilio, request)?;
    let matches = spellings(&format!("{base}{}{query}", request.path))
        .iter()
        .any(|url| keys.iter().any(|key| mac_matches(algorithm, key, url, &suffix, &expected)));
    if matches {
        Ok(())
    } else {
        Err(Refusal::Forged(format!(
            "X-Twilio-Signature does not match; Twilio must call exactly {base}{}",
            request.path
        )))
    }
}

/// The algorithm the request names, and the keys that go with it. An account with shared keys accepts no SHA-1:
/// a header must not talk us into the weaker one.
fn accepted<'a>(
    twilio: &'a Twilio,
    request: &WebhookRequest,
) -> Result<(Algorithm, &'a [SecretString]), Refusal> {
    let algorithm = match request.header(SETTINGS_HEADER) {
        None => Algorithm::HmacSha1,
        Some(settings) => {
            let named = settings.split(',').find_map(|pair| pair.trim().strip_prefix("algorithm="));
            match named {
                Some("HMAC_SHA256") => Algorithm::HmacSha256,
                Some("HMAC_SHA1") => Algorithm::HmacSha1,
                _ => return Err(Refusal::Forged(format!("{SETTINGS_HEADER} names an unknown algorithm"))),
            }
        }
    };
    match (algorithm, twilio.shared_keys.is_empty()) {
        (Algorithm::HmacSha256, false) => Ok((algorithm, &twilio.shared_keys)),
        (Algorithm::HmacSha256, true) => {
            Err(Refusal::Forged("signed with a shared key, and the account has none".to_owned()))
        }
        (Algorithm::HmacSha1, true) => Ok((algorithm, &twilio.auth_tokens)),
        (Algorithm::HmacSha1, false) => {
            Err(Refusal::Forged("the account accepts only signatures made with its shared key".to_owned()))
        }
    }
}

fn is_form(request: &WebhookRequest) -> bool {
    request.header("content-type").is_none_or(|value| !value.starts_with("application/json"))
}

/// Every form parameter sorted by name, name and value without separators; a repeated name with its distinct values.
fn parameters(body: &[u8]) -> String {
    let mut sorted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(body).into_owned() {
        sorted.entry(name).or_default().insert(value);
    }
    let mut joined = String::new();
    for (name, values) in sorted {
        for value in values {
            joined.push_str(&name);
            joined.push_str(&value);
        }
    }
    joined
}

/// A JSON body is bound by its digest in the URL; then nothing is appended to the URL.
fn body_digest(request: &WebhookRequest) -> Result<String, Refusal> {
    let claimed = request
        .query_value("bodySHA256")
        .ok_or_else(|| Refusal::Forged("bodySHA256 is missing from the URL of a JSON request".to_owned()))?;
    let digest = hex::encode(Sha256::digest(&request.body));
    if bool::from(digest.as_bytes().ct_eq(claimed.as_bytes())) {
        Ok(String::new())
    } else {
        Err(Refusal::Forged("bodySHA256 does not match the body".to_owned()))
    }
}

/// The URL with and without its port: Twilio signs either. The port is the given or the scheme's own.
fn spellings(url: &str) -> Vec<String> {
    let mut spellings = vec![url.to_owned()];
    let Ok(parsed) = Url::parse(url) else { return spellings };
    let (Some(host), Some(port)) = (parsed.host_str(), parsed.port_or_known_default()) else {
        return spellings;
    };
    // The rest is taken from the text, so that its encoding stays as configured.
    let Some((scheme, rest)) = url.split_once("://") else { return spellings };
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    spellings.push(format!("{scheme}://{host}{path}"));
    spellings.push(format!("{scheme}://{host}:{port}{path}"));
    spellings
}

fn mac_matches(algorithm: Algorithm, key: &SecretString, url: &str, suffix: &str, expected: &[u8]) -> bool {
    let key = key.expose_secret().as_bytes();
    match algorithm {
        Algorithm::HmacSha1 => {
            let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(url.as_bytes());
            mac.update(suffix.as_bytes());
            mac.verify_slice(expected).is_ok()
        }
        Algorithm::HmacSha256 => {
            let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
            mac.update(url.as_bytes());
            mac.update(suffix.as_bytes());
            mac.verify_slice(expected).is_ok()
        }
    }
}
