//! What is counted. Labels are channels and outcomes: never tenants or ids.

use std::time::Duration;

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};

/// The instruments. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    fetched: Counter<u64>,
    duration: Histogram<f64>,
    behind: Histogram<f64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("heliograph-media");
        Self {
            fetched: meter
                .u64_counter("heliograph.media.fetches")
                .with_description("Tries to fetch a medium, by channel and outcome")
                .build(),
            duration: meter
                .f64_histogram("heliograph.media.fetch.duration")
                .with_unit("s")
                .with_description("From asking the channel for a medium to its being stored or not")
                .build(),
            behind: meter
                .f64_histogram("heliograph.media.behind")
                .with_unit("s")
                .with_description("From a customer's message to its medium being stored")
                .build(),
        }
    }

    pub(crate) fn fetch(&self, channel: &str, outcome: &str, took: Duration) {
        let channel = KeyValue::new("channel", channel.to_owned());
        self.fetched.add(1, &[channel.clone(), KeyValue::new("outcome", outcome.to_owned())]);
        self.duration.record(took.as_secs_f64(), &[channel]);
    }

    pub(crate) fn stored(&self, channel: &str, behind: Duration) {
        self.behind.record(behind.as_secs_f64(), &[KeyValue::new("channel", channel.to_owned())]);
    }
}
