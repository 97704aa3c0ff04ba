//! Around every request: the caller's trace, a span, a deadline and a count.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::Body,
    extract::MatchedPath,
    response::{IntoResponse, Response},
};
use http::{Method, Request, StatusCode, header};
use opentelemetry::{KeyValue, global, metrics::Histogram};
use tokio::time::{Instant, timeout};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    health::OPERATIONS_PATHS,
    telemetry::{self, DURATION_BOUNDS},
};

/// Wraps every route.
#[derive(Clone)]
pub(super) struct ObserveLayer {
    deadline: Duration,
    duration: Option<Histogram<f64>>,
}

impl ObserveLayer {
    pub(super) fn new(deadline: Duration) -> Self {
        let duration = telemetry::metrics_enabled().then(|| {
            global::meter("heliograph")
                .f64_histogram("http.server.request.duration")
                .with_unit("s")
                .with_description("From the head of a request to the head of its response.")
                .with_boundaries(DURATION_BOUNDS.to_vec())
                .build()
        });
        Self { deadline, duration }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, layer: self.clone() }
    }
}

/// One route, observed.
#[derive(Clone)]
pub(super) struct Observe<S> {
    inner: S,
    layer: ObserveLayer,
}

impl<S> Service<Request<Body>> for Observe<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let matched = request.extensions().get::<MatchedPath>().cloned();
        let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str);
        if OPERATIONS_PATHS.contains(&route) {
            return Box::pin(self.inner.call(request));
        }
        let method = method_name(request.method());
        let span = span(&request, method, route);
        let duration = self.layer.duration.clone();
        let deadline = self.layer.deadline;
        let started = Instant::now();
        let answer = self.inner.call(request);
        let observed = async move {
            let response = if let Ok(response) = timeout(deadline, answer).await {
                response?
            } else {
                tracing::warn!(seconds = deadline.as_secs_f64(), "the request took too long");
                // Not 408: a sender that meets a fault of ours should come again.
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], "took too long\n")
                    .into_response()
            };
            let status = response.status();
            let span = Span::current();
            span.record("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.record("otel.status_code", "ERROR");
            }
            if let Some(duration) = duration {
                let route = matched.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
                let labels = [
                    KeyValue::new("http.request.method", method),
                    KeyValue::new("http.route", route),
                    KeyValue::new("http.response.status_code", i64::from(status.as_u16())),
                ];
                duration.record(started.elapsed().as_secs_f64(), &labels);
            }
            Ok(response)
        };
        Box::pin(observed.instrument(span))
    }
}

/// The method as a label: whatever else a client may invent counts as one.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

fn span(request: &Request<Body>, method: &'static str, route: &str) -> Span {
    let span = tracing::info_span!(
        "http.request",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        url.path = request.uri().path(),
        http.response.status_code = Empty,
    );
    if !span.is_disabled() {
        span.record("otel.name", format!("{method} {route}"));
        // Refused only for a span that has started, which this one has not.
        let _ = span.set_parent(telemetry::extract(request.headers()));
    }
    span
}
