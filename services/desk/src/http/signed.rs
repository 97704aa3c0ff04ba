//! Who asks: the holder of the session token in `Authorization: Bearer`.

use axum::{extract::FromRequestParts, response::Response};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};

use super::{Web, refuse};
use crate::auth::Identity;

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Signed(pub(super) Identity);

impl FromRequestParts<Web> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        let bearer =
            parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let Some(token) = bearer else {
            return Err(refuse(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in first"));
        };
        let identity = web.shared.users.identify(token);
        identity.map(Self).map_err(|error| refuse(StatusCode::UNAUTHORIZED, error.code(), error.to_string()))
    }
}
