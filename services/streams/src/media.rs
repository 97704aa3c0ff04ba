//! `GET /streams/<tenant>/media/<object id>`: on to a link that whoever has it can open for a while.
//!
//! Events hold ids and no links, because they last longer than any link does.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use heliograph_fabric::subjects::is_token;
use http::{HeaderMap, StatusCode, header};

use crate::{error::Refusal, service::Shared, sse::refused, tokens};

const TRANSPORT: &str = "media";

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/streams/{tenant}/media/{id}", get(link)).with_state(shared)
}

async fn link(
    State(shared): State<Arc<Shared>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match lookup(&shared, &tenant, &id, &headers) {
        Ok(link) => {
            let headers = [(header::LOCATION, link), (header::CACHE_CONTROL, "no-store".to_owned())];
            (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
        }
        Err(refusal) => {
            shared.metrics.refused(TRANSPORT);
            refused(&refusal)
        }
    }
}

fn lookup(shared: &Shared, tenant: &str, id: &str, headers: &HeaderMap) -> Result<String, Refusal> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if tokens::tenant(&shared.config.api_tokens, authorization)? != tenant {
        return Err(Refusal::OtherTenant);
    }
    if !is_token(id) {
        return Err(Refusal::BadFilter("not the id of a medium".to_owned()));
    }
    let now_ms = heliograph_store::now_ms();
    shared.links.outside(tenant, id, now_ms).ok_or(Refusal::NoLinks)
}
