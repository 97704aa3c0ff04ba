//! What is counted. Labels are channels, outcomes and causes: never ids, tenants, accounts or addresses.

use std::time::Duration;

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Histogram, UpDownCounter},
};

/// Egress's instruments. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    outcomes: Counter<u64>,
    calls: Histogram<f64>,
    sent_after: Histogram<f64>,
    waits: Histogram<f64>,
    depth: UpDownCounter<i64>,
    stopped: UpDownCounter<i64>,
    in_doubt: Counter<u64>,
    sends: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = opentelemetry::global::meter("heliograph-egress");
        let seconds = |name: &'static str, about: &'static str| {
            meter.f64_histogram(name).with_unit("s").with_description(about).build()
        };
        let gauge = |name: &'static str, about: &'static str| {
            meter.i64_up_down_counter(name).with_description(about).build()
        };
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            outcomes: counter(
                "heliograph.egress.outcomes",
                "What became of calls and messages, by channel and outcome",
            ),
            calls: seconds(
                "heliograph.egress.call.duration",
                "One call of ChannelService/Deliver, by channel and outcome",
            ),
            sent_after: seconds(
                "heliograph.egress.sent.delay",
                "From being accepted to being taken by the provider, by channel",
            ),
            waits: seconds("heliograph.egress.wait.duration", "Waits before a call, by channel and cause"),
            depth: gauge("heliograph.egress.lanes.depth", "Messages in hand, by channel"),
            stopped: gauge(
                "heliograph.egress.accounts.stopped",
                "Accounts whose credentials are refused, by channel: alarm above 0",
            ),
            in_doubt: counter(
                "heliograph.egress.in_doubt",
                "Deliveries whose outcome nobody knows, by channel and what was done",
            ),
            sends: counter("heliograph.egress.sends", "Calls of EgressService/Send, by outcome"),
        }
    }

    pub(crate) fn outcome(&self, channel: &str, outcome: &'static str) {
        self.outcomes.add(1, &[label(channel), KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn call(&self, channel: &str, outcome: &'static str, took: Duration) {
        self.calls.record(took.as_secs_f64(), &[label(channel), KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn sent_after(&self, channel: &str, ms: i64) {
        let delay = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        self.sent_after.record(delay.as_secs_f64(), &[label(channel)]);
    }

    pub(crate) fn waited(&self, channel: &str, cause: &'static str, waited: Duration) {
        self.waits.record(waited.as_secs_f64(), &[label(channel), KeyValue::new("cause", cause)]);
    }

    pub(crate) fn depth(&self, channel: &str, change: i64) {
        self.depth.add(change, &[label(channel)]);
    }

    pub(crate) fn stopped(&self, channel: &str, change: i64) {
        self.stopped.add(change, &[label(channel)]);
    }

    pub(crate) fn in_doubt(&self, channel: &str, done: &'static str) {
        self.in_doubt.add(1, &[label(channel), KeyValue::new("done", done)]);
    }

    pub(crate) fn send(&self, outcome: &'static str) {
        self.sends.add(1, &[KeyValue::new("outcome", outcome)]);
    }
}

fn label(channel: &str) -> KeyValue {
    KeyValue::new("channel", channel.to_owned())
}
