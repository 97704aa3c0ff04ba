//! Around every call: the caller's trace and deadline, a span and a count.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, response::Response};
use http::{HeaderMap, Request};
use opentelemetry::{KeyValue, global, metrics::Histogram};
use tokio::time::{Instant, timeout};
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::telemetry::{self, DURATION_BOUNDS};

/// Wraps every service.
#[derive(Clone)]
pub(super) struct ObserveLayer {
    duration: Option<Histogram<f64>>,
}

impl ObserveLayer {
    pub(super) fn new() -> Self {
        let duration = telemetry::metrics_enabled().then(|| {
            global::meter("heliograph")
                .f64_histogram("rpc.server.duration")
                .with_unit("s")
                .with_description("From the head of a call to the head of its answer.")
                .with_boundaries(DURATION_BOUNDS.to_vec())
                .build()
        });
        Self { duration }
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, layer: self.clone() }
    }
}

/// One service, observed.
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
        let path = request.uri().path().trim_start_matches('/').to_owned();
        if path.starts_with("grpc.health.") {
            return Box::pin(self.inner.call(request));
        }
        let span = span(&request, &path);
        let deadline = deadline(request.headers());
        let duration = self.layer.duration.clone();
        let started = Instant::now();
        let answer = self.inner.call(request);
        let observed = async move {
            let response = match deadline {
                None => answer.await?,
                Some(deadline) => match timeout(deadline, answer).await {
                    Ok(response) => response?,
                    Err(_) => Status::deadline_exceeded("the caller's deadline has passed").into_http(),
                },
            };
            let code = Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code());
            let span = Span::current();
            span.record("rpc.grpc.status_code", code as i32);
            if is_our_fault(code) {
                span.record("otel.status_code", "ERROR");
            }
            if let Some(duration) = duration {
                duration.record(started.elapsed().as_secs_f64(), &labels(&path, code));
            }
            Ok(response)
        };
        Box::pin(observed.instrument(span))
    }
}

/// Names a client made up must not become labels.
fn labels(path: &str, code: Code) -> [KeyValue; 3] {
    let known = code != Code::Unimplemented;
    let (service, method) = path.split_once('/').filter(|_| known).unwrap_or(("_OTHER", "_OTHER"));
    [
        KeyValue::new("rpc.service", service.to_owned()),
        KeyValue::new("rpc.method", method.to_owned()),
        KeyValue::new("rpc.grpc.status_code", i64::from(code as i32)),
    ]
}

fn is_our_fault(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

fn span(request: &Request<Body>, path: &str) -> Span {
    let span = tracing::info_span!(
        "rpc.request",
        otel.name = path,
        otel.kind = "server",
        otel.status_code = Empty,
        rpc.system = "grpc",
        rpc.grpc.status_code = Empty,
    );
    if !span.is_disabled() {
        // Refused only for a span that has started, which this one has not.
        let _ = span.set_parent(telemetry::extract(request.headers()));
    }
    span
}

/// `grpc-timeout`: up to eight digits and a unit, as "gRPC over HTTP2" defines it. Anything else counts as none.
fn deadline(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}
