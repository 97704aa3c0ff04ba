//! The desk over HTTP: its page, signing in, media, the WebSocket, and what the page asks beside its session.

mod assets;
mod colleagues;
mod contacts;
mod login;
mod media;
mod policy;
mod reach;
mod signed;
mod ws;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::ConnectInfo,
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use heliograph_media::{Face, Intake};
use http::StatusCode;
use serde::Serialize;

use crate::session::Shared;
use signed::Signed;

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) shared: Arc<Shared>,
    pub(crate) intake: Intake,
    pub(crate) face: Face,
}

/// The peer, when the server says who it is.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The routes, all of them below `/desk`.
pub(crate) fn router(web: Web) -> Router {
    // What links of events lead to.
    let linked = Router::new().nest("/desk", web.face.clone().router());
    Router::new()
        .route("/desk", get(async || Redirect::permanent("/desk/")))
        .route("/desk/", get(assets::index))
        .route("/desk/{file}", get(assets::file))
        .route("/desk/login", post(login::login))
        .route("/desk/ws", any(ws::open))
        .route("/desk/media", post(media::attach))
        .route("/desk/media/{id}", get(media::get))
        .route("/desk/api/policy", get(policy::overview))
        .route("/desk/api/policy/explain", get(policy::explain))
        .route("/desk/api/policy/traffic", get(policy::traffic))
        .route("/desk/api/colleagues", get(colleagues::get))
        .route("/desk/api/conversations/{id}/reach", get(reach::get))
        .route("/desk/api/contacts/{id}/split", post(contacts::split))
        .route("/desk/api/contacts/{id}/join", post(contacts::join))
        .with_state(web)
        .merge(linked)
}

/// What a request is refused with.
#[derive(Debug, Serialize)]
struct Refusal {
    code: &'static str,
    message: String,
}

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Response {
    (status, [(http::header::CACHE_CONTROL, "no-store")], Json(Refusal { code, message: message.into() }))
        .into_response()
}
