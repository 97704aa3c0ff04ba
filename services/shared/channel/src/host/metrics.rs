//! What is counted. Labels are channels, kinds and outcomes: never tenants, accounts or ids.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};

/// The instruments of one channel. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(super) struct Metrics {
    channel: KeyValue,
    webhooks: Counter<u64>,
    events: Counter<u64>,
    deliveries: Counter<u64>,
    delivery_seconds: Histogram<f64>,
    accounts: Gauge<u64>,
}

impl Metrics {
    pub(super) fn new(channel: &'static str) -> Self {
        let meter = global::meter("heliograph-channel");
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            channel: KeyValue::new("channel", channel),
            webhooks: counter("heliograph.channel.webhooks", "Requests of providers, by what became of them"),
            events: counter("heliograph.channel.events", "Inbound events taken in, by kind"),
            deliveries: counter("heliograph.channel.deliveries", "Deliveries handed over, by outcome"),
            delivery_seconds: meter
                .f64_histogram("heliograph.channel.delivery.duration")
                .with_unit("s")
                .with_description("From taking a delivery to its outcome")
                .build(),
            accounts: meter
                .u64_gauge("heliograph.channel.accounts")
                .with_description("Accounts, by whether they can be used")
                .build(),
        }
    }

    pub(super) fn webhook(&self, outcome: &'static str) {
        self.webhooks.add(1, &[self.channel.clone(), KeyValue::new("outcome", outcome)]);
    }

    pub(super) fn event(&self, kind: &'static str) {
        self.events.add(1, &[self.channel.clone(), KeyValue::new("kind", kind)]);
    }

    pub(super) fn delivery(&self, outcome: &'static str, seconds: f64) {
        let labels = [self.channel.clone(), KeyValue::new("outcome", outcome)];
        self.deliveries.add(1, &labels);
        self.delivery_seconds.record(seconds, &labels);
    }

    pub(super) fn accounts(&self, active: u64, disabled: u64, broken: u64) {
        for (state, count) in [("active", active), ("disabled", disabled), ("broken", broken)] {
            self.accounts.record(count, &[self.channel.clone(), KeyValue::new("state", state)]);
        }
    }
}
