//! One subscriber's place on the stream.

use std::time::SystemTime;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use futures::StreamExt as _;
use heliograph_fabric::{Fabric, LogError, LogReader, Start, Stream};
use heliograph_proto::v1::{Event, SubscribeResponse};

use crate::{error::Refusal, filter::Wanted};

/// Where a subscriber begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// After this sequence.
    After(u64),
    /// With what was stored at this time or later.
    Time(SystemTime),
    /// With what comes from now on.
    Now,
}

/// Reads what a subscriber wants.
#[derive(Debug)]
pub(crate) struct Source {
    reader: LogReader,
    wanted: Wanted,
}

impl Source {
    /// Opens the tenant's events at `from`.
    pub(crate) async fn open(
        fabric: &Fabric,
        tenant: &str,
        wanted: Wanted,
        from: From,
    ) -> Result<Self, Refusal> {
        let wanted = wanted.tidy()?;
        let subjects = wanted.subjects(tenant)?;
        let start = match from {
            From::After(sequence) => Start::After(sequence),
            From::Now => Start::New,
            From::Time(time) => Start::After(before(fabric, &subjects, time).await?),
        };
        let reader = LogReader::open(fabric, Stream::Events, subjects, start).await?;
        Ok(Self { reader, wanted })
    }

    /// The place to resume from when nothing has come yet.
    pub(crate) fn position(&self) -> u64 {
        self.reader.position()
    }

    /// The next event that matches; waits for it. May be dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<SubscribeResponse, LogError> {
        loop {
            let record = self.reader.next().await?;
            let event = match record.envelope().and_then(|envelope| envelope.decode::<Event>()) {
                Ok(event) => event,
                Err(error) => {
                    tracing::warn!(sequence = record.seq, %error, "an unreadable event is passed over");
                    continue;
                }
            };
            if self.wanted.matches(&event) {
                return Ok(SubscribeResponse { sequence: record.seq, event: Some(event) });
            }
        }
    }
}

/// The sequence before the first event stored at `time` or later: the broker knows where that is.
async fn before(fabric: &Fabric, subjects: &[String], time: SystemTime) -> Result<u64, Refusal> {
    // Taken first: what is stored while we look stands behind it.
    let end = fabric.last_sequence(Stream::Events).await?;
    let away = |error: async_nats::Error| Refusal::Away(error);
    let stream = fabric.jetstream().get_stream(Stream::Events.name()).await;
    let stream = stream.map_err(|error| away(error.into()))?;
    let config = pull::Config {
        deliver_policy: DeliverPolicy::ByStartTime { start_time: time.into() },
        ack_policy: AckPolicy::None,
        filter_subjects: subjects.to_vec(),
        inactive_threshold: std::time::Duration::from_secs(10),
        num_replicas: 1,
        memory_storage: true,
        ..pull::Config::default()
    };
    let consumer = stream.create_consumer(config).await.map_err(|error| away(error.into()))?;
    let mut first = consumer.fetch().max_messages(1).messages().await.map_err(|error| away(error.into()))?;
    let found = first.next().await;
    // A broker has room for a thousand consumers of a stream. Left to itself, it takes this one away a little later.
    if let Err(error) = stream.delete_consumer(&consumer.cached_info().name).await {
        tracing::debug!(%error, "a consumer that looked for a time stays until the broker forgets it");
    }
    match found {
        None => Ok(end),
        Some(Err(error)) => Err(away(error)),
        Some(Ok(message)) => {
            let sequence = message.info().map_err(away)?.stream_sequence;
            Ok(sequence.saturating_sub(1))
        }
    }
}
