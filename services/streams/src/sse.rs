//! `GET /streams/<tenant>/events`: server-sent events (HTML standard, 9.2), one canonical JSON object each.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures::{StreamExt as _, future, stream};
use heliograph_proto::v1::SubscribeResponse;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use crate::{
    error::Refusal,
    filter::Wanted,
    service::Shared,
    source::{From, Source},
    tokens,
};

const TRANSPORT: &str = "sse";
/// Where a browser says what it saw last.
const LAST_EVENT_ID: &str = "last-event-id";

/// The routes, all of them below `/streams`.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route("/streams/{tenant}/events", get(events)).with_state(shared)
}

/// Lists are separated by commas.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Asked {
    /// After this sequence; 0 is the beginning. Absent: from now on. `Last-Event-ID` goes before it.
    after: Option<u64>,
    regions: String,
    channels: String,
    conversations: String,
    types: String,
}

async fn events(
    State(shared): State<Arc<Shared>>,
    Path(tenant): Path<String>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let source = match open(&shared, &tenant, asked, &headers).await {
        Ok(source) => source,
        Err(refusal) => {
            shared.metrics.refused(TRANSPORT);
            return refused(&refusal);
        }
    };
    // An id without data sets the place to resume from, even if nothing comes before the connection breaks.
    let first = Event::default().id(source.position().to_string()).comment("open");
    let events = shared.subscribe(TRANSPORT, source);
    // A subscription that ends ends the response; whoever listens comes back with the last id.
    let events =
        events.take_while(|event| future::ready(event.is_ok())).filter_map(|event| future::ready(event.ok()));
    let all = stream::once(future::ready(first)).chain(events.map(|event| frame(&event)));
    let keep_alive = KeepAlive::new().interval(shared.config.keep_alive);
    let mut response = Sse::new(all.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response();
    let answered = response.headers_mut();
    answered.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that buffer would hold events back.
    answered.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    answered.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn open(
    shared: &Shared,
    tenant: &str,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    headers: &HeaderMap,
) -> Result<Source, Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if tokens::tenant(&shared.config.api_tokens, header("authorization"))? != tenant {
        return Err(Refusal::OtherTenant);
    }
    let Query(asked) = asked.map_err(|rejection| Refusal::BadFilter(rejection.body_text()))?;
    let from = match (header(LAST_EVENT_ID), asked.after) {
        (Some(last), _) => From::After(last.trim().parse().map_err(|_| {
            Refusal::BadFilter("Last-Event-ID: expected the sequence that was the last event's id".to_owned())
        })?),
        (None, Some(after)) => From::After(after),
        (None, None) => From::Now,
    };
    let wanted = Wanted {
        regions: list(&asked.regions),
        channels: list(&asked.channels),
        conversations: list(&asked.conversations),
        types: list(&asked.types),
    };
    Source::open(&shared.fabric, tenant, wanted, from).await
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn frame(response: &SubscribeResponse) -> Event {
    let json = serde_json::to_string(response).expect("an event is JSON");
    let kind = response.event.as_ref().map_or("", |event| event.r#type.as_str());
    // A line break would end the field; types have none, but they come from outside.
    let kind = if kind.contains(['\r', '\n']) { "unknown" } else { kind };
    Event::default().id(response.sequence.to_string()).event(kind).data(json)
}

pub(crate) fn refused(refusal: &Refusal) -> Response {
    let (status, code) = match refusal {
        Refusal::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
        Refusal::OtherTenant => (StatusCode::FORBIDDEN, "other_tenant"),
        Refusal::BadFilter(_) => (StatusCode::BAD_REQUEST, "bad_request"),
        Refusal::NoLinks => (StatusCode::NOT_IMPLEMENTED, "no_links"),
        Refusal::OutOfRange => (StatusCode::RANGE_NOT_SATISFIABLE, "out_of_range"),
        Refusal::Away(error) => {
            tracing::warn!(%error, "a request cannot be served");
            (StatusCode::SERVICE_UNAVAILABLE, "broker_away")
        }
    };
    let mut response =
        (status, Json(json!({ "code": code, "message": refusal.to_string() }))).into_response();
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
