//! What is counted. Labels are kinds and outcomes: never ids, tenants or addresses.

use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, Histogram},
};

/// The router's instruments. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    intake: Counter<u64>,
    intake_seconds: Histogram<f64>,
    entries: Counter<u64>,
    emitted: Counter<u64>,
    behind_seconds: Histogram<f64>,
    open: Gauge<u64>,
    snapshot_bytes: Histogram<u64>,
    restore_seconds: Histogram<f64>,
    queries: Counter<u64>,
    truncated: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("heliograph-router");
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        let seconds = |name: &'static str, about: &'static str| {
            meter.f64_histogram(name).with_unit("s").with_description(about).build()
        };
        Self {
            intake: counter("heliograph.router.intake", "Inbound events handled, by kind and outcome"),
            intake_seconds: seconds(
                "heliograph.router.intake.duration",
                "From reading an inbound event to its effect being stored",
            ),
            entries: counter("heliograph.router.entries", "Routing entries applied, by kind"),
            emitted: counter("heliograph.router.emitted", "Events and outbound work published, by type"),
            behind_seconds: seconds(
                "heliograph.router.behind",
                "From a routing entry being stored to its being applied",
            ),
            open: meter
                .u64_gauge("heliograph.router.conversations.open")
                .with_description("Open conversations, by partition")
                .build(),
            snapshot_bytes: meter
                .u64_histogram("heliograph.router.snapshot.size")
                .with_unit("By")
                .with_description("Size of snapshots")
                .build(),
            restore_seconds: seconds(
                "heliograph.router.restore.duration",
                "From acquiring a partition to having its state",
            ),
            queries: counter("heliograph.router.queries", "Questions answered, by kind"),
            truncated: counter(
                "heliograph.router.truncated",
                "Routing entries erased because no snapshot needs them",
            ),
        }
    }

    pub(crate) fn intake(&self, kind: &'static str, outcome: &'static str, seconds: f64) {
        let labels = [KeyValue::new("kind", kind), KeyValue::new("outcome", outcome)];
        self.intake.add(1, &labels);
        self.intake_seconds.record(seconds, &labels);
    }

    pub(crate) fn entry(&self, kind: &'static str, behind_ms: i64) {
        self.entries.add(1, &[KeyValue::new("kind", kind)]);
        let behind = Duration::from_millis(u64::try_from(behind_ms).unwrap_or(0));
        self.behind_seconds.record(behind.as_secs_f64(), &[]);
    }

    pub(crate) fn emitted(&self, kind: &'static str) {
        self.emitted.add(1, &[KeyValue::new("type", kind)]);
    }

    pub(crate) fn open(&self, partition: u16, count: usize) {
        self.open.record(count as u64, &[KeyValue::new("partition", i64::from(partition))]);
    }

    pub(crate) fn snapshot(&self, bytes: usize) {
        self.snapshot_bytes.record(bytes as u64, &[]);
    }

    pub(crate) fn restored(&self, seconds: f64) {
        self.restore_seconds.record(seconds, &[]);
    }

    pub(crate) fn truncated(&self, entries: u64) {
        self.truncated.add(entries, &[]);
    }

    pub(crate) fn query(&self, kind: &'static str) {
        self.queries.add(1, &[KeyValue::new("kind", kind)]);
    }
}
