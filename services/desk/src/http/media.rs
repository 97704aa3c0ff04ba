//! `GET /desk/media/<id>`: what customers and agents sent, for programs that are signed in (pages use the links in events).
//! `POST /desk/media?name=…`: a file that an agent attaches to an answer.

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, Request, State},
    response::{IntoResponse as _, Response},
};
use heliograph_domain::ids;
use heliograph_media::{IntakeError, Origin, file_name, sniff};
use heliograph_proto::v1::Media;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::{Signed, Web, refuse};

pub(super) async fn get(
    State(web): State<Web>,
    Signed(identity): Signed,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    let given = web.face.give(&identity.tenant, &id, &headers).await;
    given.unwrap_or_else(|refused| refused.respond())
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    #[serde(default)]
    name: String,
}

/// Takes a file in and answers with the `Media` that a reply holds.
pub(super) async fn attach(
    State(web): State<Web>,
    Signed(identity): Signed,
    Query(Named { name }): Query<Named>,
    request: Request<Body>,
) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|length| length.parse().ok());
    let arrived = web.intake.collect(request.into_body().into_data_stream(), announced, u64::MAX).await;
    let arrived = match arrived {
        Ok(arrived) => arrived,
        Err(error) => return refused(&error),
    };
    let name = file_name(&name);
    let sha256 = hex::encode(Sha256::digest(arrived.content()));
    // The same file again is the same medium: a repeat costs nothing, and providers that know it need not be told again.
    let tenant = identity.tenant.as_str();
    let id = ids::derive(ids::MEDIA, &[tenant, "desk", &identity.agent, &name, &sha256]);
    match web.intake.store_as(tenant, &id, &name, Origin::Upload, &arrived).await {
        Ok(info) => {
            let media = Media {
                kind: sniff::kind(&info.content_type).into(),
                object_id: id,
                content_type: info.content_type,
                file_name: info.name,
                size_bytes: i64::try_from(info.size).unwrap_or(i64::MAX),
                sha256: info.sha256,
                ..Media::default()
            };
            (StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(media)).into_response()
        }
        Err(error) => refused(&error),
    }
}

fn refused(error: &IntakeError) -> Response {
    match error {
        IntakeError::Refused(refusal) => {
            let (status, code) = match refusal.code.as_str() {
                "too_large" => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
                "file_type" => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_type"),
                _ => (StatusCode::UNPROCESSABLE_ENTITY, "harmful"),
            };
            refuse(status, code, refusal.reason.as_str())
        }
        IntakeError::BrokenOff(_) => refuse(StatusCode::BAD_REQUEST, "broken_off", "the file broke off"),
        IntakeError::Scanner(_) | IntakeError::Store(_) => {
            tracing::warn!(error = error as &dyn std::error::Error, "an agent's file cannot be taken in");
            let scanner = matches!(error, IntakeError::Scanner(_));
            let what = if scanner { "the virus scanner cannot be asked" } else { "files cannot be taken in" };
            refuse(StatusCode::SERVICE_UNAVAILABLE, "media_away", format!("{what} now; try again"))
        }
    }
}
