//! `POST /desk/login`

use axum::{
    Extension, Json,
    extract::{ConnectInfo, State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use heliograph_proto::v1::SignInRequest;
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, RETRY_AFTER},
};

use super::{Peer, Web, refuse};
use crate::sign_in::SignInError;

pub(super) async fn login(
    State(web): State<Web>,
    peer: Peer,
    request: Result<Json<SignInRequest>, JsonRejection>,
) -> Response {
    let request = match request {
        Ok(Json(request)) => request,
        Err(rejection) => {
            return refuse(
                rejection.status(),
                "bad_request",
                "expected JSON with tenant, login and password",
            );
        }
    };
    let from = peer.map(|Extension(ConnectInfo(peer))| peer.ip().to_string()).unwrap_or_default();
    match web.shared.users.sign_in(&request, &from).await {
        Ok(response) => {
            web.shared.metrics.sign_in("signed_in");
            ([(CACHE_CONTROL, "no-store")], Json(response)).into_response()
        }
        Err(error) => {
            web.shared.metrics.sign_in(error.code());
            let status = match &error {
                SignInError::Off => StatusCode::NOT_IMPLEMENTED,
                SignInError::Wrong => StatusCode::UNAUTHORIZED,
                SignInError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            };
            let mut response = refuse(status, error.code(), error.to_string());
            if let SignInError::TooMany(wait) = error {
                let seconds = wait.as_secs() + 1;
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            response
        }
    }
}
