//! Calls: the token in a header, and beside it the proof that it is ours.

use heliograph_channel::{Body, ProviderRequest};
use hmac::Mac as _;
use http::{HeaderMap, HeaderValue, Method, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};

use crate::digest;

/// Proves that who uses `token` also knows the app's secret: lower-case hex HMAC-SHA256. Apps can demand it.
pub fn appsecret_proof(app_secret: &SecretString, token: &SecretString) -> String {
    let code = digest(app_secret.expose_secret(), token.expose_secret().as_bytes()).finalize().into_bytes();
    hex::encode(code)
}

/// A call of `url` with `token`, proven with `app_secret` where one is given.
pub fn call(
    method: Method,
    mut url: String,
    token: &SecretString,
    app_secret: Option<&SecretString>,
    body: Body,
) -> ProviderRequest {
    if let Some(app_secret) = app_secret {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str("appsecret_proof=");
        url.push_str(&appsecret_proof(app_secret, token));
    }
    let mut headers = HeaderMap::new();
    // A token that no header can hold is none the provider gave; without it, it says so.
    if let Ok(mut bearer) = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())) {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    ProviderRequest { method, url, headers, body }
}
