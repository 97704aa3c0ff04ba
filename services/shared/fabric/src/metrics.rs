//! What is counted. Labels are streams, groups, stages and outcomes: never ids, tenants or addresses.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, UpDownCounter};

/// The instruments of one fabric. No-ops until a meter provider is installed.
#[derive(Debug)]
pub struct Metrics {
    pub(crate) published: Counter<u64>,
    pub(crate) publish_seconds: Histogram<f64>,
    pub(crate) publish_retries: Counter<u64>,
    pub(crate) read: Counter<u64>,
    pub(crate) lag: Gauge<u64>,
    pub(crate) recreated: Counter<u64>,
    pub(crate) acks: Counter<u64>,
    pub(crate) holds: Counter<u64>,
    pub(crate) slow_consumers: Counter<u64>,
    pub(crate) owned: UpDownCounter<i64>,
    pub(crate) takeovers: Counter<u64>,
    pub(crate) sessions_lost: Counter<u64>,
    pub(crate) dead: Counter<u64>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Instruments of the meter provider that is installed now.
    pub fn new() -> Self {
        let meter = opentelemetry::global::meter("heliograph-fabric");
        let counter =
            |name: &'static str, about: &'static str| meter.u64_counter(name).with_description(about).build();
        Self {
            published: counter("heliograph.fabric.published", "Messages published, by stream and outcome"),
            publish_seconds: meter
                .f64_histogram("heliograph.fabric.publish.duration")
                .with_unit("s")
                .with_description("From publish to PubAck, retries included")
                .build(),
            publish_retries: counter(
                "heliograph.fabric.publish.retries",
                "Publishes tried again with the same id",
            ),
            read: counter("heliograph.fabric.read", "Messages read, by stream and kind of reader"),
            lag: meter
                .u64_gauge("heliograph.fabric.lag")
                .with_description("Messages a reader has not been given yet, by stream and partition")
                .build(),
            recreated: counter(
                "heliograph.fabric.reader.recreated",
                "Readers set up again, by stream and reason",
            ),
            acks: counter("heliograph.fabric.acks", "Work items settled, by outcome"),
            holds: counter(
                "heliograph.fabric.work.holds",
                "Times a partition was held until redeliveries were in",
            ),
            slow_consumers: counter("heliograph.fabric.slow_consumers", "Slow consumer events of the client"),
            owned: meter
                .i64_up_down_counter("heliograph.fabric.partitions.owned")
                .with_description("Partitions this member owns, by group")
                .build(),
            takeovers: counter(
                "heliograph.fabric.partitions.acquired",
                "Partitions acquired, by group and how",
            ),
            sessions_lost: counter("heliograph.fabric.sessions.lost", "Ownership sessions lost, by group"),
            dead: counter("heliograph.fabric.dead_letters", "Dead letters written, by stage and reason"),
        }
    }
}

/// The label of a stream.
pub(crate) fn stream(name: &str) -> KeyValue {
    KeyValue::new("stream", name.to_owned())
}

/// The labels of a reader's lag, for readers of one partition. Others are filtered by ids, which are no labels.
pub(crate) fn lag(name: &str, filters: &[String]) -> Option<Vec<KeyValue>> {
    let [filter] = filters else { return None };
    let tokens: Vec<&str> = filter.split('.').collect();
    let (partition, channel) = match tokens.as_slice() {
        ["hg", "inbound" | "routing", partition, ..] => (partition, None),
        ["hg", "outbound", channel, partition, ..] => (partition, Some(channel)),
        _ => return None,
    };
    let partition: i64 = partition.parse().ok()?;
    let channel = channel.map(|channel| KeyValue::new("channel", (*channel).to_owned()));
    Some([stream(name), KeyValue::new("partition", partition)].into_iter().chain(channel).collect())
}

/// The label of an outcome.
pub(crate) fn outcome(name: &'static str) -> KeyValue {
    KeyValue::new("outcome", name)
}
