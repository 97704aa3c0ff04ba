//! The visitors' logs: one JetStream stream, a subject for each visitor, compare-and-swap on the subject's last entry.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures::StreamExt as _;
use heliograph_fabric::{
    Fabric, PublishError,
    async_nats::{
        HeaderMap,
        jetstream::{
            self,
            consumer::{Consumer, DeliverPolicy, push::OrderedConfig},
            stream::{self, LastRawMessageErrorKind, StorageType},
        },
    },
};
use tokio::time::{Instant, timeout};

use crate::{
    Options,
    item::{Entry, Item},
};

/// The stream.
pub(crate) const STREAM: &str = "HG_WEBCHAT";
/// How long a log keeps an entry, and a session its token: 30 days.
pub(crate) const KEPT: Duration = Duration::from_hours(30 * 24);
/// A read that brings nothing for this long has lost its consumer.
const READ_PATIENCE: Duration = Duration::from_secs(4);

/// Why a log could not be read or written. What was to be written may be there all the same: write it again.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The broker did not take it.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The broker did not answer, or answered with a fault.
    #[error("the visitor's log cannot be read")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An entry is not one of ours.
    #[error("entry {0} of the log cannot be read")]
    Damaged(u64),
    /// Others wrote without a pause.
    #[error("the visitor's log is too busy")]
    Busy,
}

fn read_error(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> LogError {
    LogError::Read(error.into())
}

/// The end of a log: both 0 when it is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The visitor's own number of the last entry.
    pub seq: u64,
    /// Its sequence in the stream.
    pub stream_seq: u64,
}

/// Reads and writes logs. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    fabric: Fabric,
    stream: Arc<stream::Stream>,
    patience: Duration,
}

impl Log {
    /// Opens the stream, and makes it when it is not there.
    ///
    /// # Errors
    /// When the broker refuses.
    pub(crate) async fn provision(fabric: &Fabric, options: &Options) -> Result<Self, LogError> {
        let config = stream::Config {
            name: STREAM.to_owned(),
            description: Some("Logs of web chat visitors".to_owned()),
            subjects: vec!["hg.webchat.>".to_owned()],
            storage: StorageType::File,
            num_replicas: options.replicas,
            max_age: KEPT,
            duplicate_window: options.duplicate_window,
            allow_direct: true,
            ..stream::Config::default()
        };
        let stream = fabric.jetstream().get_or_create_stream(config).await.map_err(read_error)?;
        Ok(Self { fabric: fabric.clone(), stream: Arc::new(stream), patience: options.store_within })
    }

    /// The newest entry, as the stream's leader knows it.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) async fn last(&self, subject: &str) -> Result<Option<Entry>, LogError> {
        match timeout(READ_PATIENCE, self.stream.get_last_raw_message_by_subject(subject)).await {
            Ok(Ok(message)) => entry(message.sequence, &message.payload).map(Some),
            Ok(Err(error)) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Ok(Err(error)) => Err(read_error(error)),
            Err(late) => Err(read_error(late)),
        }
    }

    /// Where the log ends.
    async fn tail(&self, subject: &str) -> Result<Tail, LogError> {
        Ok(self.last(subject).await?.map_or_else(Tail::default, |last| last.tail()))
    }

    /// Every entry behind `stream_seq`, oldest first; of very many the last `most`.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) async fn after(
        &self,
        subject: &str,
        stream_seq: u64,
        most: usize,
    ) -> Result<VecDeque<Entry>, LogError> {
        let from = DeliverPolicy::ByStartSequence { start_sequence: stream_seq + 1 };
        self.read(subject, from, most, |_, _| true).await
    }

    /// The last `most` entries whose number is below `before`, oldest first. Of what was told of the visitor's wait, the
    /// last alone.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) async fn before(
        &self,
        subject: &str,
        before: u64,
        most: usize,
    ) -> Result<VecDeque<Entry>, LogError> {
        self.read(subject, DeliverPolicy::All, most, |entries, entry| {
            if entry.item.seq >= before {
                return false;
            }
            if entry.item.waiting.is_some() {
                entries.retain(|known| known.item.waiting.is_none());
            }
            true
        })
        .await
    }

    /// `wanted` says whether an entry joins those before it, and may take some of them out.
    async fn read(
        &self,
        subject: &str,
        deliver_policy: DeliverPolicy,
        most: usize,
        wanted: impl Fn(&mut VecDeque<Entry>, &Entry) -> bool + Send,
    ) -> Result<VecDeque<Entry>, LogError> {
        let config = OrderedConfig {
            deliver_subject: self.fabric.client().new_inbox(),
            filter_subject: subject.to_owned(),
            deliver_policy,
            ..OrderedConfig::default()
        };
        let consumer = timeout(READ_PATIENCE, self.stream.create_consumer(config)).await;
        let consumer = consumer.map_err(read_error)?.map_err(read_error)?;
        let name = consumer.cached_info().name.clone();
        let read = Self::collect(consumer, most, wanted).await;
        // A broker has room for a thousand consumers of a stream and keeps an idle one for half a minute; visitors who all
        // come back at once need more. That it could not be taken away changes nothing about what was read.
        if let Err(error) = self.stream.delete_consumer(&name).await {
            tracing::debug!(%error, "a reader of the log stays until the broker forgets it");
        }
        read
    }

    async fn collect(
        consumer: Consumer<OrderedConfig>,
        most: usize,
        wanted: impl Fn(&mut VecDeque<Entry>, &Entry) -> bool + Send,
    ) -> Result<VecDeque<Entry>, LogError> {
        let mut pending = consumer.cached_info().num_pending;
        let mut entries = VecDeque::new();
        if pending == 0 {
            return Ok(entries);
        }
        let mut messages = consumer.messages().await.map_err(read_error)?;
        while pending > 0 {
            let message = timeout(READ_PATIENCE, messages.next()).await.map_err(read_error)?;
            let message = message.ok_or_else(|| read_error("the consumer ended"))?.map_err(read_error)?;
            let info = message.info().map_err(read_error)?;
            pending = info.pending;
            let entry = entry(info.stream_sequence, &message.payload)?;
            if wanted(&mut entries, &entry) {
                entries.push_back(entry);
            }
            if entries.len() > most {
                entries.pop_front();
            }
        }
        Ok(entries)
    }

    /// Gives `item` the next number and stores it, or finds it when it was stored before: the same item always has the
    /// same key. Says whether it is new. `tail` is where the caller believes the log to end.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) async fn append(
        &self,
        subject: &str,
        tail: Option<Tail>,
        mut item: Item,
    ) -> Result<(Entry, bool), LogError> {
        let deadline = Instant::now() + self.patience;
        let mut tail = match tail {
            Some(tail) => tail,
            None => self.tail(subject).await?,
        };
        loop {
            item.seq = tail.seq + 1;
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", item.key.as_str());
            headers.insert("Nats-Expected-Last-Subject-Sequence", tail.stream_seq.to_string());
            let payload = serde_json::to_vec(&item).expect("strings and numbers are always JSON");
            match self.fabric.publish_raw(subject, headers, payload.into(), Some(deadline)).await {
                Ok(stored) if stored.duplicate => return Ok((self.at(stored.seq).await?, false)),
                Ok(stored) => {
                    return Ok((Entry { stream_seq: stored.seq, item: Arc::new(item) }, true));
                }
                Err(PublishError::Conflict { .. }) if Instant::now() < deadline => {
                    let last = self.last(subject).await?;
                    if let Some(last) = last.as_ref().filter(|last| last.item.key == item.key) {
                        return Ok((last.clone(), false));
                    }
                    tail = last.map_or_else(Tail::default, |last| last.tail());
                }
                Err(PublishError::Conflict { .. }) => return Err(LogError::Busy),
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn at(&self, stream_seq: u64) -> Result<Entry, LogError> {
        let message = timeout(READ_PATIENCE, self.stream.get_raw_message(stream_seq)).await;
        let message = message.map_err(read_error)?.map_err(read_error)?;
        entry(stream_seq, &message.payload)
    }

    /// The connection, for what is said beside the logs.
    pub(crate) fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// The JetStream context.
    pub(crate) fn jetstream(&self) -> &jetstream::Context {
        self.fabric.jetstream()
    }
}

impl Entry {
    /// The log's end, when this is its last entry.
    pub(crate) fn tail(&self) -> Tail {
        Tail { seq: self.item.seq, stream_seq: self.stream_seq }
    }
}

fn entry(stream_seq: u64, payload: &[u8]) -> Result<Entry, LogError> {
    let item = serde_json::from_slice(payload).map_err(|_| LogError::Damaged(stream_seq))?;
    Ok(Entry { stream_seq, item: Arc::new(item) })
}
