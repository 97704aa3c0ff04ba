//! The token of Instagram Login: good for 60 days, and for 60 more each time it is renewed.

use std::time::Duration;

use heliograph_channel::{
    Account, Body, Outcome, ProviderRequest, ProviderResponse, TokenGrant, TokenSource,
};
use heliograph_graph::messaging::{self, Profile};
use http::{HeaderMap, Method};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::InstagramSettings;

/// A token that is younger than a day cannot be renewed, and is used as it is until it is asked for again.
const YOUNG: Duration = Duration::from_hours(6);

/// Where a renewed token comes from.
pub(crate) fn source(account: &Account<InstagramSettings>) -> TokenSource {
    let profile = &account.settings.profile;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "ig_refresh_token")
        .append_pair("access_token", profile.app.access_token.expose_secret())
        .finish();
    let url = format!("{}/refresh_access_token?{query}", account.api_base(profile.host));
    let request = ProviderRequest { method: Method::GET, url, headers: HeaderMap::new(), body: Body::Empty };
    TokenSource { key: profile.id.clone(), request }
}

/// `{"access_token": …, "token_type": "bearer", "expires_in": 5183944}`.
pub(crate) fn read(profile: &Profile, response: &ProviderResponse) -> Result<TokenGrant, Outcome> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if let (Some(token), Some(seconds)) = (body["access_token"].as_str(), body["expires_in"].as_u64()) {
        return Ok(TokenGrant { token: token.into(), expires_in: Duration::from_secs(seconds) });
    }
    match messaging::classify(profile, response) {
        // It is over, and no call can mend that.
        Outcome::Auth { code, text, .. } => Err(Outcome::auth(code, text)),
        Outcome::Permanent { .. } => {
            Ok(TokenGrant { token: profile.app.access_token.clone(), expires_in: YOUNG })
        }
        retry @ Outcome::Retry { .. } => Err(retry),
        _ => Err(Outcome::retry(response.retry_after(), "token", "the provider gave no access token")),
    }
}
