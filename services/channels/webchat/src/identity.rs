//! Who a visitor is, when the page's server vouches for it: a signed token (JWT, HS256) or a keyed hash of the user id.
//! Prefer tokens: a hash never expires.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::Sha256;

/// The longest life of a token.
const LONGEST_SECONDS: i64 = 24 * 60 * 60;
/// How far two clocks may be apart.
const LEEWAY_SECONDS: i64 = 60;
/// Longest user id, e-mail address or name that is taken over.
const LONGEST_CLAIM: usize = 256;
/// Longest token that is looked at.
const LONGEST_TOKEN: usize = 8 * 1024;

/// What a page says of its visitor.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Claim {
    /// A signed token.
    #[serde(default)]
    pub jwt: Option<String>,
    /// The user's id on the page's side.
    #[serde(default)]
    pub user_id: Option<String>,
    /// Lower-case hex of HMAC-SHA256(secret, `user_id`).
    #[serde(default)]
    pub user_hash: Option<String>,
}

/// A user whose identity was proven.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// The user's id on the page's side.
    pub id: String,
    /// From a token; empty when it does not say.
    #[serde(default)]
    pub email: String,
    /// From a token, E.164; empty when it does not say.
    #[serde(default)]
    pub phone: String,
    /// From a token; empty when it does not say.
    #[serde(default)]
    pub name: String,
}

/// Why an identity is refused. Never holds the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The account has no identity secret.
    #[error("this account takes no identities")]
    NotConfigured,
    /// Neither a token nor a user id with its hash.
    #[error("the identity is incomplete")]
    Incomplete,
    /// Not a token, or one of another algorithm.
    #[error("the identity token is malformed or not HS256")]
    Malformed,
    /// Signed with another secret.
    #[error("the identity is not signed with this account's secret")]
    Forged,
    /// Expired, not valid yet, without an expiry, or valid for longer than a day.
    #[error("the identity token is outside its time, or valid for more than 24 hours")]
    Time,
    /// For somebody else.
    #[error("the identity token is for another audience")]
    Audience,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    crit: Option<Value>,
}

/// Checks `claim` against every secret; `now_ms` is our clock.
///
/// # Errors
/// See [`Refused`].
pub fn verify(
    claim: &Claim,
    secrets: &[SecretString],
    audience: Option<&str>,
    now_ms: i64,
) -> Result<User, Refused> {
    if secrets.is_empty() {
        return Err(Refused::NotConfigured);
    }
    match (&claim.jwt, &claim.user_id, &claim.user_hash) {
        (Some(token), _, _) => token_user(token, secrets, audience, now_ms.div_euclid(1000)),
        (None, Some(user_id), Some(hash)) => hashed_user(user_id, hash, secrets),
        _ => Err(Refused::Incomplete),
    }
}

fn hashed_user(user_id: &str, hash: &str, secrets: &[SecretString]) -> Result<User, Refused> {
    if user_id.is_empty() || user_id.len() > LONGEST_CLAIM {
        return Err(Refused::Incomplete);
    }
    let given = hex::decode(hash).map_err(|_| Refused::Forged)?;
    if !signed(user_id.as_bytes(), &given, secrets) {
        return Err(Refused::Forged);
    }
    Ok(User { id: user_id.to_owned(), ..User::default() })
}

fn token_user(
    token: &str,
    secrets: &[SecretString],
    audience: Option<&str>,
    now: i64,
) -> Result<User, Refused> {
    if token.len() > LONGEST_TOKEN {
        return Err(Refused::Malformed);
    }
    let (signing_input, signature) = token.rsplit_once('.').ok_or(Refused::Malformed)?;
    let (header, claims) = signing_input.split_once('.').ok_or(Refused::Malformed)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Malformed);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refused::Malformed)?;
    // The one algorithm the secret is for: never what the token asks for.
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(Refused::Malformed);
    }
    if !signed(signing_input.as_bytes(), &decode(signature)?, secrets) {
        return Err(Refused::Forged);
    }
    let claims: Value = serde_json::from_slice(&decode(claims)?).map_err(|_| Refused::Malformed)?;
    in_time(&claims, now)?;
    if let (Some(wanted), Some(given)) = (audience, claims.get("aud")) {
        let named = given.as_str() == Some(wanted)
            || given.as_array().is_some_and(|all| all.iter().any(|one| one.as_str() == Some(wanted)));
        if !named {
            return Err(Refused::Audience);
        }
    }
    let text = |name: &str| match claims.get(name) {
        Some(Value::String(text)) if text.len() <= LONGEST_CLAIM => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let id = Some(text("user_id")).filter(|id| !id.is_empty()).unwrap_or_else(|| text("sub"));
    if id.is_empty() {
        return Err(Refused::Incomplete);
    }
    // The page's server vouches for what it signs, but for what it calls unverified itself (OpenID Connect Core, 5.1).
    let vouched = |name: &str| {
        let disowned = claims.get(format!("{name}_verified")) == Some(&Value::Bool(false));
        if disowned { String::new() } else { text(name) }
    };
    let phone = heliograph_domain::phone::normalize(&vouched("phone_number")).unwrap_or_default();
    Ok(User { id, email: vouched("email"), phone, name: text("name") })
}

fn in_time(claims: &Value, now: i64) -> Result<(), Refused> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a time beyond 64 bits saturates, and is refused as one"
    )]
    let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(|value| value as i64);
    let expires = seconds("exp").ok_or(Refused::Time)?;
    let too_late = now > expires.saturating_add(LEEWAY_SECONDS);
    let too_long = expires > now.saturating_add(LONGEST_SECONDS + LEEWAY_SECONDS);
    let too_early =
        ["nbf", "iat"].iter().filter_map(|name| seconds(name)).any(|from| from > now + LEEWAY_SECONDS);
    if too_late || too_long || too_early { Err(Refused::Time) } else { Ok(()) }
}

fn signed(data: &[u8], signature: &[u8], secrets: &[SecretString]) -> bool {
    secrets.iter().any(|secret| {
        let key = secret.expose_secret().as_bytes();
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(data);
        // Compares in constant time.
        mac.verify_slice(signature).is_ok()
    })
}

#[cfg(test)]
mod tests;
