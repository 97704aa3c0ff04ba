//! Items that reached `max_deliver`: the broker leaves them lying, so they are buried here.

use async_nats::jetstream::stream::RawMessageErrorKind;
use futures::StreamExt;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{Burial, DeadError, DeadLetters};
use crate::backoff::Backoff;
use crate::fabric::{BrokerError, Fabric};
use crate::publish::within;
use crate::record::Record;

/// Published by the broker when a message of HG_OUTBOUND has been delivered as often as its consumer allows.
const SUBJECT: &str = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.HG_OUTBOUND.>";

/// Schema `io.nats.jetstream.advisory.v1.max_deliver`.
#[derive(Debug, Deserialize)]
struct Advisory {
    stream: String,
    consumer: String,
    stream_seq: u64,
    deliveries: u64,
}

/// Buries items the broker has given up on, until `stop`. Run it in every egress: one of them gets each advisory.
///
/// Advisories are not stored: with nobody listening the item stays in HG_OUTBOUND, unacknowledged, and the broker's
/// `num_ack_pending` no longer counts it. An egress should therefore bury poison itself, after fewer tries.
pub async fn watch_max_deliveries(fabric: &Fabric, stop: CancellationToken) {
    let mut backoff = Backoff::default();
    loop {
        let subscribed = fabric.client().queue_subscribe(SUBJECT, "heliograph-dead-letters".to_owned()).await;
        match subscribed {
            Ok(mut advisories) => {
                // Reconnects keep the subscription.
                loop {
                    let advisory = tokio::select! {
                        advisory = advisories.next() => advisory,
                        () = stop.cancelled() => return,
                    };
                    let Some(advisory) = advisory else { break };
                    match serde_json::from_slice(&advisory.payload) {
                        Ok(advisory) => bury(fabric, &advisory).await,
                        Err(error) => tracing::warn!(%error, "an advisory could not be read"),
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "advisories cannot be followed, trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.next_wait()) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn bury(fabric: &Fabric, advisory: &Advisory) {
    let Advisory { stream, consumer, stream_seq, deliveries } = advisory;
    match find_and_bury(fabric, advisory).await {
        Ok(true) => tracing::warn!(
            consumer,
            stream_seq,
            deliveries,
            "the broker gave up on an item, it is a dead letter now"
        ),
        Ok(false) => tracing::debug!(stream, stream_seq, "an item the broker gave up on is gone"),
        Err(error) => {
            tracing::error!(consumer, stream_seq, %error, "an item the broker gave up on could not be buried");
        }
    }
}

async fn find_and_bury(fabric: &Fabric, advisory: &Advisory) -> Result<bool, DeadError> {
    let seq = advisory.stream_seq;
    let message = match fabric.raw_stream(&advisory.stream).await?.get_raw_message(seq).await {
        Ok(message) => message,
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(false),
        Err(error) => return Err(BrokerError::new(format!("read message {seq}"), error).into()),
    };
    let record = Record {
        stream: advisory.stream.as_str().into(),
        seq,
        time_ms: i64::try_from(message.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
        subject: message.subject.to_string(),
        pending: 0,
        delivered: advisory.deliveries,
        headers: message.headers,
        payload: message.payload,
    };
    let burial = Burial {
        stage: "egress",
        reason: "max_deliveries",
        error: format!("delivered {} times to {} without an answer", advisory.deliveries, advisory.consumer),
        tries: advisory.deliveries,
    };
    let deadline = within(std::time::Duration::from_mins(1));
    DeadLetters::new(fabric).bury(&record, &burial, deadline).await.map(|_| true)
}
