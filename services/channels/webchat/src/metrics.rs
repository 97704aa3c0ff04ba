//! What is counted. Labels are codes and outcomes: never tenants, accounts or visitors.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, UpDownCounter},
};

/// The instruments. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    connections: UpDownCounter<i64>,
    closed: Counter<u64>,
    messages: Counter<u64>,
    uploads: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("heliograph-channel");
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            connections: meter
                .i64_up_down_counter("heliograph.webchat.connections")
                .with_description("Open connections of widgets")
                .build(),
            closed: counter(
                "heliograph.webchat.closed",
                "Connections that ended, by close code; 0: the widget left",
            ),
            messages: counter("heliograph.webchat.messages", "Messages of visitors, by what became of them"),
            uploads: counter("heliograph.webchat.uploads", "Files of visitors, by what became of them"),
        }
    }

    pub(crate) fn opened(&self) {
        self.connections.add(1, &[]);
    }

    /// `code` 0: the other side left.
    pub(crate) fn closed(&self, code: u16) {
        self.connections.add(-1, &[]);
        self.closed.add(1, &[KeyValue::new("code", i64::from(code))]);
    }

    pub(crate) fn message(&self, outcome: &'static str) {
        self.messages.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn upload(&self, outcome: &'static str) {
        self.uploads.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}
