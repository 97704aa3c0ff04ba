//! What is counted. Labels are transports and reasons: never tenants or ids.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, UpDownCounter},
};

/// The instruments of the service. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    subscribers: UpDownCounter<i64>,
    events: Counter<u64>,
    refused: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("heliograph-streams");
        Self {
            subscribers: meter
                .i64_up_down_counter("heliograph.streams.subscribers")
                .with_description("Open subscriptions, by transport")
                .build(),
            events: meter
                .u64_counter("heliograph.streams.events")
                .with_description("Events handed to subscribers, by transport")
                .build(),
            refused: meter
                .u64_counter("heliograph.streams.refused")
                .with_description("Subscriptions that were not opened, by transport")
                .build(),
        }
    }

    pub(crate) fn opened(&self, transport: &'static str) {
        self.subscribers.add(1, &[KeyValue::new("transport", transport)]);
    }

    pub(crate) fn closed(&self, transport: &'static str) {
        self.subscribers.add(-1, &[KeyValue::new("transport", transport)]);
    }

    pub(crate) fn event(&self, transport: &'static str) {
        self.events.add(1, &[KeyValue::new("transport", transport)]);
    }

    pub(crate) fn refused(&self, transport: &'static str) {
        self.refused.add(1, &[KeyValue::new("transport", transport)]);
    }
}
