//! The durable consumer of a partition.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;

use super::{WorkError, WorkOptions};
use crate::backoff::Backoff;
use crate::fabric::{BrokerError, Fabric};
use crate::subjects::Stream;

/// Creates the consumer, or brings its settings up to date. Waits while the broker is away.
pub(super) async fn ensure(
    fabric: &Fabric,
    name: &str,
    filter: &str,
    options: &WorkOptions,
) -> Result<(), WorkError> {
    let config = pull::Config {
        durable_name: Some(name.to_owned()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: options.ack_wait,
        max_deliver: options.max_deliver,
        max_ack_pending: i64::try_from(options.max_ack_pending).unwrap_or(i64::MAX),
        // One pull at a time: while a former owner that hangs has one waiting, ours is refused, so no newer item can go
        // to the former owner behind our back and come back late.
        max_waiting: 1,
        filter_subject: filter.to_owned(),
        ..pull::Config::default()
    };
    let mut backoff = Backoff::default();
    let mut missing = 0;
    loop {
        fabric.wait_connected(None).await;
        let created =
            fabric.jetstream().create_consumer_on_stream(config.clone(), Stream::Outbound.name()).await;
        let Err(error) = created else { return Ok(()) };
        if let ConsumerErrorKind::JetStream(source) = error.kind() {
            // A broker that restarts may answer before it has restored its streams.
            if source.error_code() == ErrorCode::STREAM_NOT_FOUND {
                missing += 1;
                if missing > 3 {
                    return Err(WorkError::NotProvisioned);
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            } else if source.code() != 503 {
                return Err(BrokerError::new(format!("set up consumer {name}"), error).into());
            }
        }
        tracing::debug!(consumer = name, %error, "the consumer waits for the broker");
        tokio::time::sleep(backoff.next_wait()).await;
    }
}
