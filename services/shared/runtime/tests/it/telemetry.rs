//! Telemetry against a collector of our own.

use std::{
    io::Write,
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::HeaderMap, routing::get};
use heliograph_runtime::{
    Health, TelemetryGuard,
    config::{LogFormat, TelemetrySettings},
    http_client::{HttpClient, HttpClientOptions, read_body},
    telemetry,
};
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{self, within};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Keeps the spans it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let scopes =
            request.into_inner().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        self.0.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        addr
    }

    fn named(&self, name: &str) -> Vec<Span> {
        self.0.lock().unwrap().iter().filter(|span| span.name == name).cloned().collect()
    }
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn line(&self, message: &str) -> Value {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .into_iter()
            .find(|line| line["message"] == message)
            .unwrap_or_else(|| panic!("{message} in {text}"))
    }
}

/// Telemetry for this thread; the tests' runtimes have no other.
fn start(settings: &TelemetrySettings) -> (TelemetryGuard, Log, DefaultGuard) {
    let log = Log::default();
    let (subscriber, guard) = telemetry::build(settings, log.clone(), false).unwrap();
    (guard, log, tracing::subscriber::set_default(subscriber))
}

fn settings(collector: Option<SocketAddr>) -> TelemetrySettings {
    TelemetrySettings {
        otlp_endpoint: collector.map(|addr| format!("http://{addr}")),
        service_name: "test".to_owned(),
        ..TelemetrySettings::default()
    }
}

/// Also what TRAPS call a deadlock: a runtime of one thread, which the exporter needs while it is flushed.
#[tokio::test(flavor = "current_thread")]
async fn a_request_continues_its_callers_trace_and_the_last_span_arrives() {
    let collector = Collector::default();
    // Traces only: the sink takes no metrics.
    let settings = TelemetrySettings { metrics: false, ..settings(Some(collector.start().await)) };
    let (guard, log, _default) = start(&settings);
    let router = Router::new().route(
        "/things/{id}",
        get(async || {
            tracing::info!(answer = 42, "handling");
            telemetry::current_trace_id().unwrap_or_default()
        }),
    );
    let server = support::http(&support::http_settings(), router).await;
    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    let request = client.get(server.url("/things/7")).header("traceparent", PARENT);
    let body = read_body(client.send(request).await.unwrap(), 100).await.unwrap();
    assert_eq!(body, PARENT[3..35]);

    assert!(guard.shutdown(Duration::from_secs(20)).await);
    let spans = collector.named("GET /things/{id}");
    let [span] = spans.as_slice() else { panic!("{spans:?}") };
    let span_id = |bytes: &[u8]| SpanId::from_bytes(bytes.try_into().unwrap()).to_string();
    assert_eq!(TraceId::from_bytes(span.trace_id.as_slice().try_into().unwrap()).to_string(), PARENT[3..35]);
    assert_eq!(span_id(&span.parent_span_id), PARENT[36..52]);
    let line = log.line("handling");
    assert_eq!(line["trace_id"], PARENT[3..35]);
    assert_eq!(line["span_id"], span_id(&span.span_id));
    assert_eq!(
        (&line["answer"], &line["service"], &line["level"]),
        (&42.into(), &"test".into(), &"INFO".into())
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_call_carries_the_trace_on() {
    let collector = Collector::default();
    let (_guard, _log, _default) = start(&settings(Some(collector.start().await)));
    let route = axum::routing::post(async |headers: HeaderMap| {
        [("grpc-status", "0".to_owned()), ("x-parent", headers["traceparent"].to_str().unwrap().to_owned())]
    });
    let routes = heliograph_runtime::grpc::Routes::from(Router::new().route("/test.Echo/Say", route));
    let server = support::grpc(&support::grpc_settings(), &Health::new(), routes).await;
    let channel = heliograph_runtime::grpc::channel(&server.url("")).unwrap();
    let client =
        HttpClient::new(&HttpClientOptions { propagate_trace: true, ..HttpClientOptions::default() })
            .unwrap();
    let http = support::http(
        &support::http_settings(),
        Router::new()
            .route("/", get(async |headers: HeaderMap| headers["traceparent"].to_str().unwrap().to_owned())),
    )
    .await;
    let span = tracing::info_span!("outer");
    let (grpc_parent, http_parent, id) = tracing::Instrument::instrument(
        async {
            let request =
                axum::http::Request::post("/test.Echo/Say").body(tonic::body::Body::empty()).unwrap();
            let answer = within(tower::ServiceExt::oneshot(channel, request)).await.unwrap();
            let response = client.send(client.get(http.url("/"))).await.unwrap();
            let body = read_body(response, 100).await.unwrap();
            let parent = answer.headers()["x-parent"].to_str().unwrap().to_owned();
            (parent, String::from_utf8(body.to_vec()).unwrap(), telemetry::current_trace_id().unwrap())
        },
        span,
    )
    .await;
    assert_eq!(grpc_parent[3..35], id);
    assert_eq!(http_parent[3..35], id);
}

#[tokio::test]
async fn a_collector_that_is_away_does_not_hold_the_process() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Accepts and never answers: worse than refusing.
    let (guard, _log, default) = start(&settings(Some(listener.local_addr().unwrap())));
    tracing::info_span!("lost").in_scope(|| tracing::info!("lost"));
    drop(default);
    assert!(!within(guard.shutdown(Duration::from_millis(200))).await);
}

#[tokio::test(flavor = "current_thread")]
async fn off_is_off() {
    let (guard, log, _default) = start(&TelemetrySettings { metrics: false, ..settings(None) });
    tracing::info_span!("nothing").in_scope(|| {
        tracing::info!("said");
        assert_eq!(telemetry::current_trace_id(), None);
    });
    assert_eq!(log.line("said").get("trace_id"), None);
    assert_eq!(guard.handle().prometheus_text(), None);
    assert!(guard.meter_provider().is_none());
    assert!(within(guard.shutdown(Duration::from_secs(20))).await);
    assert!(tracing::info_span!("off").is_disabled(), "nobody looks at a span, so none is made");
}

#[tokio::test(flavor = "current_thread")]
async fn text_for_people_cannot_be_forged() {
    let settings = TelemetrySettings {
        log_format: LogFormat::Text,
        log_filter: "info,quiet=off".to_owned(),
        ..settings(None)
    };
    let (_guard, log, _default) = start(&settings);
    tracing::warn!(who = "a b", n = 1, "hello\nERROR forged \x1b[31m");
    tracing::warn!(target: "quiet", "unheard");
    let text = log.text();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains(" WARN ") && text.ends_with("n=1 who=\"a b\"\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[test]
fn a_bad_filter_is_refused() {
    let settings = TelemetrySettings { log_filter: "info,,=x=".to_owned(), ..settings(None) };
    assert!(telemetry::build(&settings, std::io::sink, false).is_err());
}

/// In a process of its own: what is counted is counted for the whole process.
#[test]
fn requests_are_counted_by_route_and_never_by_id() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["telemetry::counting", "--exact", "--ignored"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "a child process of `requests_are_counted_by_route_and_never_by_id`"]
async fn counting() {
    let guard =
        telemetry::init(&TelemetrySettings { log_filter: "off".to_owned(), ..settings(None) }).unwrap();
    assert!(telemetry::init(&settings(None)).is_err(), "once is enough");
    let router =
        Router::new().route("/things/{id}", get(async || "ok")).merge(Health::new().router(&guard.handle()));
    let server = support::http(&support::http_settings(), router).await;
    let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
    for path in ["/things/id-1", "/things/id-2", "/nowhere/id-3"] {
        client.send(client.get(server.url(path))).await.unwrap();
    }
    let response = client.send(client.get(server.url("/metrics"))).await.unwrap();
    let text = String::from_utf8(read_body(response, 1_000_000).await.unwrap().to_vec()).unwrap();
    let count = |route: &str| {
        let route = format!("http_route=\"{route}\"");
        let line = text.lines().find(|line| line.contains("_count{") && line.contains(&route));
        line.and_then(|line| line.rsplit(' ').next())
            .unwrap_or_else(|| panic!("{route} in {text}"))
            .to_owned()
    };
    assert_eq!(count("/things/{id}"), "2");
    assert_eq!(count("unmatched"), "1");
    assert!(text.contains("le=\"0.0025\""), "seconds, not milliseconds: {text}");
    assert!(!text.contains("id-") && !text.contains("/metrics"), "{text}");
    assert!(within(guard.shutdown(Duration::from_secs(20))).await);
}
