//! The desk over HTTP: its page, signing in, media, and the WebSocket.

mod assets;
mod login;
mod media;
mod ws;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json, Router,
    extract::ConnectInfo,
    response::{IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use heliograph_store::media::MediaStore;
use http::StatusCode;
use serde::Serialize;

use crate::session::Shared;

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    pub(crate) shared: Arc<Shared>,
    pub(crate) media: MediaStore,
}

/// The peer, when the server says who it is.
type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

/// The routes, all of them below `/desk`.
pub(crate) fn router(web: Web) -> Router {
    Router::new()
        .route("/desk", get(async || Redirect::permanent("/desk/")))
        .route("/desk/", get(assets::index))
        .route("/desk/{file}", get(assets::file))
        .route("/desk/login", post(login::login))
        .route("/desk/ws", any(ws::open))
        .route("/desk/media/{id}", get(media::get))
        .with_state(web)
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
