//! The log reader.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::{ErrorCode, consumer};
use opentelemetry::KeyValue;
use tokio::time::Instant;

use crate::backoff::Backoff;
use crate::fabric::{BrokerError, Fabric};
use crate::ground::Tail;
use crate::metrics;
use crate::ownership::Fence;
use crate::pull::{Manner, Pull, Stop};
use crate::record::Record;
use crate::subjects::Stream;

/// How long nothing may be delivered before the broker is asked whether something is waiting.
const SUSPICIOUS_AFTER: Duration = Duration::from_secs(5);
/// The broker drops a consumer nobody pulls from after this.
const INACTIVE: Duration = Duration::from_secs(30);

/// Where to start reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// After this sequence; 0 is the beginning.
    After(u64),
    /// With what is stored from now on.
    New,
    /// With the newest message of each subject, then everything that follows.
    LastPerSubject,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The stream is missing.
    #[error("stream {0} does not exist; run `heliograph provision`")]
    NotProvisioned(String),
    /// The log ends before the place to continue from: the broker lost acknowledged messages, or another broker answers.
    #[error(
        "{stream} ends at {last}, before {asked}, from where it was to be read: the broker lost messages, or it is another broker"
    )]
    Regressed {
        /// The stream.
        stream: String,
        /// From where reading was to go on.
        asked: u64,
        /// Its last sequence.
        last: u64,
    },
    /// The broker refuses, and will refuse again.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// Reads a stream, or a part of it, in order; each message once, over reconnects and broker restarts.
#[derive(Debug)]
pub struct LogReader {
    fabric: Fabric,
    stream: Arc<str>,
    filters: Vec<String>,
    labels: [KeyValue; 2],
    lag: Option<Vec<KeyValue>>,
    start: Start,
    /// Sequence of the last message that was given out.
    last: u64,
    active: Option<Active>,
    /// How many messages waited when the consumer was set up, until that was asked for.
    waiting: Option<u64>,
    backoff: Backoff,
}

#[derive(Debug)]
struct Active {
    fabric: Fabric,
    stream: Arc<str>,
    pull: Pull,
    consumer: consumer::Consumer<pull::Config>,
    /// Sequence within the consumer; a gap means that the client dropped messages.
    expected: u64,
    heard: Instant,
    idle: bool,
}

impl Drop for Active {
    /// The broker would keep the consumer for [`INACTIVE`], and counts them: who reads many short ranges would run out.
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !self.fabric.is_connected() {
            return;
        }
        let (fabric, stream) = (self.fabric.clone(), Arc::clone(&self.stream));
        let consumer = self.consumer.cached_info().name.clone();
        runtime.spawn(async move {
            if let Ok(stream) = fabric.raw_stream(&stream).await {
                // It goes by itself where this does not arrive.
                let _ = stream.delete_consumer(&consumer).await;
            }
        });
    }
}

impl LogReader {
    /// Opens `stream` at `start`, for the subjects that match one of `filters` (all when there is none).
    ///
    /// Fails at once when the stream does not exist or ends before `start`; waits while the broker is away.
    pub async fn open<F>(fabric: &Fabric, stream: Stream, filters: F, start: Start) -> Result<Self, LogError>
    where
        F: IntoIterator<Item: Into<String>>,
    {
        let filters = filters.into_iter().map(Into::into).collect();
        Self::open_named(fabric, stream.name(), filters, start).await
    }

    /// As [`LogReader::open`], for a stream by its name on the broker.
    pub(crate) async fn open_named(
        fabric: &Fabric,
        stream: &str,
        filters: Vec<String>,
        start: Start,
    ) -> Result<Self, LogError> {
        let last = if let Start::After(seq) = start { seq } else { 0 };
        let mut reader = Self {
            lag: metrics::lag(stream, &filters),
            fabric: fabric.clone(),
            stream: stream.into(),
            filters,
            labels: [metrics::stream(stream), KeyValue::new("reader", "log")],
            start,
            last,
            active: None,
            waiting: None,
            backoff: Backoff::default(),
        };
        reader.ensure().await?;
        Ok(reader)
    }

    /// Sequence of the last message given out, or where reading started.
    pub fn position(&self) -> u64 {
        self.last
    }

    /// The next message; waits for it. May be dropped and called again.
    ///
    /// Reconnects, broker restarts, missed heartbeats and dropped messages are handled inside. An error is final.
    pub async fn next(&mut self) -> Result<Record, LogError> {
        Tail::next(self).await
    }

    /// What the broker says of a consumer from which nothing came for a while.
    async fn silence(active: &mut Active) -> Silence {
        active.heard = Instant::now();
        let (stalled, empty) = match active.consumer.get_info().await {
            // What was delivered and did not come was dropped on its way.
            Ok(info) if info.delivered.consumer_sequence >= active.expected => (true, false),
            Ok(info) => (info.num_pending > 0, info.num_pending == 0),
            Err(_) => (true, false),
        };
        // Something may have been stored just now; only what is still there the next time is stuck.
        let twice = stalled && active.idle;
        active.idle = stalled;
        match (twice, empty) {
            (true, _) => Silence::Stalled,
            (_, true) => Silence::Empty,
            _ => Silence::Unknown,
        }
    }

    fn lags(&self, pending: u64) {
        if let Some(labels) = &self.lag {
            self.fabric.metrics().lag.record(pending, labels);
        }
    }

    fn restart(&mut self, reason: &'static str) {
        self.active = None;
        let labels = [self.labels[0].clone(), KeyValue::new("reason", reason)];
        self.fabric.metrics().recreated.add(1, &labels);
    }

    /// Sets a consumer up behind the last message, unless there is one.
    async fn ensure(&mut self) -> Result<(), LogError> {
        while self.active.is_none() {
            self.fabric.wait_connected(None).await;
            match self.set_up().await {
                Ok(()) => {}
                Err(Fault::Final(error)) => return Err(error),
                Err(Fault::Passing(error)) => {
                    tracing::debug!(stream = %self.stream, %error, "log reader waits for the broker");
                    tokio::time::sleep(self.backoff.next_wait()).await;
                }
            }
        }
        Ok(())
    }

    async fn set_up(&mut self) -> Result<(), Fault> {
        let link = *self.fabric.link().borrow();
        let stream = match self.fabric.jetstream().get_stream(self.stream.as_ref()).await {
            Ok(stream) => stream,
            Err(error) => return Err(self.fault_of_stream(error).await),
        };
        let end = stream.cached_info().state.last_sequence;
        if self.start == Start::New {
            // From now on "new" has a number, so a message stored before the first delivery is not lost by a reconnect.
            self.start = Start::After(end);
            self.last = end;
        }
        if self.last > end {
            let stream = self.stream.to_string();
            return Err(Fault::Final(LogError::Regressed { stream, asked: self.last, last: end }));
        }
        let deliver_policy = match (self.last, self.start) {
            (0, Start::LastPerSubject) => DeliverPolicy::LastPerSubject,
            (0, _) => DeliverPolicy::All,
            (last, _) => DeliverPolicy::ByStartSequence { start_sequence: last + 1 },
        };
        let (filter_subject, filter_subjects) = match (self.filters.as_slice(), deliver_policy) {
            ([one], _) => (one.clone(), Vec::new()),
            // The broker wants a filter with this policy.
            ([], DeliverPolicy::LastPerSubject) => (">".to_owned(), Vec::new()),
            (many, _) => (String::new(), many.to_vec()),
        };
        let config = pull::Config {
            deliver_policy,
            ack_policy: AckPolicy::None,
            max_deliver: 1,
            filter_subject,
            filter_subjects,
            inactive_threshold: INACTIVE,
            num_replicas: 1,
            memory_storage: true,
            description: Some(format!("log reader of {}", self.fabric.name())),
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| {
            let stands = matches!(
                error.kind(),
                ConsumerErrorKind::JetStream(_) | ConsumerErrorKind::InvalidConsumerType
            );
            let transient =
                matches!(error.kind(), ConsumerErrorKind::JetStream(ref source) if source.code() == 503);
            let error = BrokerError::new(format!("set up a reader of {}", self.stream), error);
            if stands && !transient { Fault::Final(error.into()) } else { Fault::Passing(error) }
        })?;
        let info = consumer.cached_info();
        self.waiting = Some(info.num_pending);
        self.lags(info.num_pending);
        let pull = Pull::open(&self.fabric, link, &self.stream, &info.name, manner())
            .await
            .map_err(Fault::Passing)?;
        let (fabric, stream) = (self.fabric.clone(), Arc::clone(&self.stream));
        self.active =
            Some(Active { fabric, stream, pull, consumer, expected: 1, heard: Instant::now(), idle: false });
        Ok(())
    }

    async fn fault_of_stream(&self, error: async_nats::jetstream::context::GetStreamError) -> Fault {
        use async_nats::jetstream::context::GetStreamErrorKind;
        let missing = |kind: &GetStreamErrorKind| matches!(kind, GetStreamErrorKind::JetStream(source) if source.error_code() == ErrorCode::STREAM_NOT_FOUND);
        if missing(&error.kind()) {
            // A broker that restarts may answer before it has restored its streams: believe it the second time.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let again = self.fabric.jetstream().get_stream(self.stream.as_ref()).await;
            if again.is_err_and(|error| missing(&error.kind())) {
                return Fault::Final(LogError::NotProvisioned(self.stream.to_string()));
            }
        }
        Fault::Passing(BrokerError::new(format!("tell about stream {}", self.stream), error))
    }
}

impl Tail for LogReader {
    async fn advance(&mut self, bounded: bool) -> Result<Option<Record>, LogError> {
        loop {
            self.ensure().await?;
            if self.waiting.take() == Some(0) && bounded {
                return Ok(None);
            }
            let active = self.active.as_mut().expect("just ensured");
            let next = tokio::time::timeout_at(active.heard + SUSPICIOUS_AFTER, active.pull.next()).await;
            match next {
                Ok(Ok(message)) => {
                    active.heard = Instant::now();
                    active.idle = false;
                    let Some((record, consumer_seq)) = Record::delivered(&self.stream, message) else {
                        tracing::warn!(stream = %self.stream, "a message without a JetStream reply subject was skipped");
                        continue;
                    };
                    if consumer_seq != active.expected {
                        self.restart("gap");
                        continue;
                    }
                    active.expected += 1;
                    self.last = record.seq;
                    self.backoff = Backoff::default();
                    self.fabric.metrics().read.add(1, &self.labels);
                    self.lags(record.pending);
                    return Ok(Some(record));
                }
                Ok(Err(stop)) => {
                    self.restart(stop.label());
                    if stop != Stop::Disconnected {
                        tracing::warn!(stream = %self.stream, after = self.last, ?stop, "log reader is set up again");
                        tokio::time::sleep(self.backoff.next_wait()).await;
                    }
                }
                Err(_quiet) => match Self::silence(active).await {
                    Silence::Stalled => self.restart("stalled"),
                    // What was to come was erased meanwhile.
                    Silence::Empty if bounded => return Ok(None),
                    Silence::Empty | Silence::Unknown => {}
                },
            }
        }
    }

    fn opened_at_end(&self) -> bool {
        self.waiting == Some(0)
    }
}

/// Pulls wait long: an idle log costs one heartbeat a second.
fn manner() -> Manner {
    let (expires, heartbeat) = (Duration::from_secs(20), Duration::from_secs(1));
    Manner { batch: 512, expires, heartbeat, alone: false, fence: Fence::open() }
}

/// Why nothing is delivered.
enum Silence {
    /// Something is waiting, or was lost on its way.
    Stalled,
    /// Everything that is there was delivered.
    Empty,
    /// Perhaps the one, perhaps the other.
    Unknown,
}

enum Fault {
    Final(LogError),
    Passing(BrokerError),
}
