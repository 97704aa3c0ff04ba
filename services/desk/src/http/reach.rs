//! `GET /desk/api/conversations/<id>/reach`: how the customer of a conversation can be answered now.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;

use super::{Signed, Web, policy::fresh, refuse};
use crate::{people::AskError, reach};

pub(super) async fn get(
    State(web): State<Web>,
    Signed(identity): Signed,
    Path(conversation): Path<String>,
) -> Response {
    match reach::reach(&web.shared, &identity, &conversation).await {
        Ok(reach) => fresh(&reach),
        Err(error) => answer(&identity.tenant, &error),
    }
}

/// A question that was not answered, in HTTP's terms.
pub(super) fn answer(tenant: &str, error: &AskError) -> Response {
    let status = match error {
        AskError::Forbidden => StatusCode::FORBIDDEN,
        AskError::NotKnown => StatusCode::NOT_FOUND,
        AskError::Refused { .. } => StatusCode::CONFLICT,
        AskError::Away(reason) => {
            tracing::warn!(tenant, reason, "the desk cannot answer now");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    refuse(status, error.code(), error.to_string())
}
