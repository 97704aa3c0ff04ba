//! Logs, traces and metrics of a process.
//!
//! Logs go to standard error. Traces are made only when there is a collector to send them to, and metrics only when
//! they are switched on: what is off has no layer, no provider and no thread. Several services in one process share
//! one [`TelemetryGuard`].

mod format;
mod propagation;

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use opentelemetry::{global, trace::TraceContextExt as _, trace::TracerProvider as _};
use opentelemetry_otlp::{WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider},
};
use prometheus::{Encoder, Registry, TextEncoder};
use tonic::transport::ClientTlsConfig;
use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt as _, Targets, filter_fn},
    fmt::MakeWriter,
    layer::SubscriberExt,
    registry::LookupSpan,
};

use crate::{config::TelemetrySettings, tls};
use format::{LineFormat, NoSpanFields};
pub use propagation::{extract, extract_metadata, inject, inject_metadata};

/// Bucket bounds for histograms of durations in seconds, from 1 ms to 10 s. Instruments that measure time use them, so
/// that figures can be laid side by side; the SDK's own bounds are meant for milliseconds.
pub const DURATION_BOUNDS: [f64; 13] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Whether this process counts anything: lets hot paths skip making labels.
static COUNTING: AtomicBool = AtomicBool::new(false);

/// Whether metrics are on in this process.
pub fn metrics_enabled() -> bool {
    COUNTING.load(Ordering::Relaxed)
}

/// The id of the trace the caller is in, as 32 hex digits; `None` outside of one, and when traces are off.
pub fn current_trace_id() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `telemetry.log_filter` is not an `EnvFilter` directive.
    #[error("`telemetry.log_filter`: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The OTLP exporter does not accept its endpoint.
    #[error("`telemetry.otlp_endpoint`: {0}")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The Prometheus exporter failed to start.
    #[error("cannot export metrics: {0}")]
    Prometheus(#[from] opentelemetry_sdk::error::OTelSdkError),
    /// This process logs already.
    #[error("telemetry is already running in this process")]
    AlreadyInstalled,
}

/// Access to what was counted. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Telemetry {
    registry: Option<Arc<Registry>>,
}

impl Telemetry {
    /// Telemetry that is off: for tests, and for services run without [`init`].
    pub fn off() -> Self {
        Self::default()
    }

    /// Everything counted so far in Prometheus' text format; `None` when metrics are off.
    pub fn prometheus_text(&self) -> Option<String> {
        let families = self.registry.as_ref()?.gather();
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text).ok()?;
        String::from_utf8(text).ok()
    }
}

/// Holds the exporters. Keep it to the end of the process, then call [`shutdown`](Self::shutdown).
#[derive(Debug)]
pub struct TelemetryGuard {
    telemetry: Telemetry,
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
}

impl TelemetryGuard {
    /// Access for `/metrics`.
    pub fn handle(&self) -> Telemetry {
        self.telemetry.clone()
    }

    /// The provider of instruments, where metrics are on.
    pub fn meter_provider(&self) -> Option<&SdkMeterProvider> {
        self.meter.as_ref()
    }

    /// Sends what is left and stops the exporters; says whether that was done within `deadline`. Works on a thread of
    /// its own: flushing on a runtime that the exporter needs can wait for itself.
    pub async fn shutdown(mut self, deadline: Duration) -> bool {
        let (tracer, meter) = (self.tracer.take(), self.meter.take());
        if tracer.is_none() && meter.is_none() {
            return true;
        }
        let (done, finished) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let traces = tracer.is_none_or(|tracer| tracer.shutdown_with_timeout(deadline).is_ok());
            let metrics = meter.is_none_or(|meter| meter.shutdown_with_timeout(deadline).is_ok());
            // The receiver is gone only when the deadline has passed.
            let _ = done.send(traces && metrics);
        });
        matches!(tokio::time::timeout(deadline, finished).await, Ok(Ok(true)))
    }
}

impl Drop for TelemetryGuard {
    fn drop(&mut self) {
        // Dropped without `shutdown`, as on an early error. The last clone of a provider flushes when it goes, which
        // must not hold the runtime's thread.
        let (tracer, meter) = (self.tracer.take(), self.meter.take());
        if tracer.is_some() || meter.is_some() {
            std::thread::spawn(move || drop((tracer, meter)));
        }
    }
}

/// Starts telemetry for this process: the logger, the propagator and, as the settings say, traces and metrics. Call it
/// once, inside the runtime, before anything makes an instrument.
pub fn init(settings: &TelemetrySettings) -> Result<TelemetryGuard, TelemetryError> {
    let colour =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (subscriber, guard) = build(settings, std::io::stderr, colour)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| TelemetryError::AlreadyInstalled)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    if let Some(tracer) = &guard.tracer {
        global::set_tracer_provider(tracer.clone());
    }
    if let Some(meter) = &guard.meter {
        global::set_meter_provider(meter.clone());
        COUNTING.store(true, Ordering::Relaxed);
    }
    Ok(guard)
}

/// The same without touching anything global, and with the log going where the caller wants it.
pub fn build<W>(
    settings: &TelemetrySettings,
    writer: W,
    colour: bool,
) -> Result<(impl Subscriber + for<'a> LookupSpan<'a> + Send + Sync + use<W>, TelemetryGuard), TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let resource = Resource::builder().with_service_name(settings.service_name.clone()).build();
    let tracer = tracer_provider(settings, resource.clone())?;
    let (registry, meter) = if settings.metrics {
        let (registry, meter) = meter_provider(settings, resource)?;
        (Some(Arc::new(registry)), Some(meter))
    } else {
        (None, None)
    };
    // Lines show no span's fields; without traces nobody looks at spans, and then none are made. For that, every layer
    // must have a filter: one without would be taken for a reader of everything.
    let spans = tracer.is_some();
    let traces = tracer
        .as_ref()
        .map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("heliograph"))
                .with_threads(false)
                .with_location(false)
        })
        // Independent of the log's filter. What carries our own traces away must not be traced.
        .with_filter(
            Targets::new()
                .with_default(if spans { LevelFilter::INFO } else { LevelFilter::OFF })
                .with_targets(
                    [
                        "h2",
                        "hyper",
                        "hyper_util",
                        "tonic",
                        "tower",
                        "opentelemetry",
                        "opentelemetry_sdk",
                        "opentelemetry_otlp",
                    ]
                    .map(|target| (target, LevelFilter::OFF)),
                ),
        );
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(NoSpanFields)
        .event_format(LineFormat::new(settings.log_format, settings.service_name.clone(), colour))
        .with_writer(writer)
        .with_filter(
            EnvFilter::try_new(&settings.log_filter)?.and(filter_fn(move |meta| spans || meta.is_event())),
        );
    // Traces first: the log line of an event reads the context that this layer keeps.
    let subscriber = tracing_subscriber::registry().with(traces).with(lines);
    Ok((subscriber, TelemetryGuard { telemetry: Telemetry { registry }, tracer, meter }))
}

fn tracer_provider(
    settings: &TelemetrySettings,
    resource: Resource,
) -> Result<Option<SdkTracerProvider>, TelemetryError> {
    let Some(endpoint) = &settings.otlp_endpoint else { return Ok(None) };
    let exporter = collector(opentelemetry_otlp::SpanExporter::builder().with_tonic(), endpoint).build()?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample_ratio)));
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(sampler)
        .with_resource(resource)
        .build();
    Ok(Some(provider))
}

fn meter_provider(
    settings: &TelemetrySettings,
    resource: Resource,
) -> Result<(Registry, SdkMeterProvider), TelemetryError> {
    let registry = Registry::new();
    let prometheus = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let mut builder = SdkMeterProvider::builder().with_reader(prometheus).with_resource(resource);
    if let Some(endpoint) = &settings.otlp_endpoint {
        let exporter =
            collector(opentelemetry_otlp::MetricExporter::builder().with_tonic(), endpoint).build()?;
        builder = builder.with_periodic_exporter(exporter);
    }
    Ok((registry, builder.build()))
}

/// Points an exporter at `endpoint`; `https` is checked against the system's authorities.
fn collector<B: WithExportConfig + WithTonicConfig>(builder: B, endpoint: &str) -> B {
    let builder = builder.with_endpoint(endpoint);
    if !endpoint.starts_with("https://") {
        return builder;
    }
    tls::install_provider();
    builder.with_tls_config(ClientTlsConfig::new().with_enabled_roots())
}
