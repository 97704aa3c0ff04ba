//! What is counted. Labels are transports, kinds and outcomes: never tenants, agents or ids.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram, UpDownCounter},
};

/// The instruments of the desk. No-ops until a meter provider is installed.
#[derive(Debug)]
pub(crate) struct Metrics {
    sessions: UpDownCounter<i64>,
    starts: Counter<u64>,
    ends: Counter<u64>,
    commands: Counter<u64>,
    sign_ins: Counter<u64>,
    catch_ups: Counter<u64>,
    lag: Histogram<f64>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let meter = global::meter("heliograph-desk");
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            sessions: meter
                .i64_up_down_counter("heliograph.desk.sessions")
                .with_description("Open sessions, by transport")
                .build(),
            starts: counter("heliograph.desk.session.starts", "Sessions started, by how"),
            ends: counter("heliograph.desk.session.ends", "Sessions ended, by why"),
            commands: counter("heliograph.desk.commands", "Commands, by action and what became of them"),
            sign_ins: counter("heliograph.desk.sign_ins", "Tries to sign in, by outcome"),
            catch_ups: counter(
                "heliograph.desk.catch_ups",
                "Times a session was behind what is kept in memory and read the stream itself",
            ),
            lag: meter
                .f64_histogram("heliograph.desk.event.lag")
                .with_unit("s")
                .with_description("From storing an event to handing it to a session")
                .build(),
        }
    }

    pub(crate) fn opened(&self, transport: &'static str) {
        self.sessions.add(1, &[KeyValue::new("transport", transport)]);
    }

    pub(crate) fn ended(&self, transport: &'static str, why: &'static str) {
        self.sessions.add(-1, &[KeyValue::new("transport", transport)]);
        self.ends.add(1, &[KeyValue::new("transport", transport), KeyValue::new("reason", why)]);
    }

    pub(crate) fn started(&self, how: &'static str) {
        self.starts.add(1, &[KeyValue::new("kind", how)]);
    }

    pub(crate) fn command(&self, action: &'static str, outcome: &'static str) {
        self.commands.add(1, &[KeyValue::new("action", action), KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.add(1, &[KeyValue::new("outcome", outcome)]);
    }

    pub(crate) fn catch_up(&self) {
        self.catch_ups.add(1, &[]);
    }

    pub(crate) fn lag(&self, seconds: f64) {
        self.lag.record(seconds, &[]);
    }
}
