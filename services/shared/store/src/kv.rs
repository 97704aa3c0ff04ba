//! A typed handle on one JetStream key-value bucket.
//!
//! Values are JSON of the caller's record types, compressed when it is long. Reads come from the nearest replica ([`KvBucket::get`]) or, where a
//! decision depends on having seen the last write, from the stream's leader ([`KvBucket::get_latest`]).

use std::error::Error as StdError;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::push::{Ordered, OrderedConfig};
use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy};
use async_nats::jetstream::kv::{Operation, Store, UpdateErrorKind};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{Context, Message};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Millis, squeeze};

/// How often [`KvBucket::modify`] starts over when others keep writing the same key.
const MODIFY_TRIES: u32 = 64;
/// A listing that brings nothing for this long has lost its consumer.
const SCAN_PATIENCE: Duration = Duration::from_secs(5);

/// Why an operation on a bucket failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KvError {
    /// The key has a value already.
    #[error("key {key} exists already")]
    Exists {
        /// The key that was to be created.
        key: String,
    },
    /// Somebody else wrote the key since the revision the caller had seen.
    #[error("key {key} was changed by somebody else")]
    Conflict {
        /// The key that was to be updated.
        key: String,
    },
    /// The key cannot be one: it is empty or has characters that JetStream does not allow.
    #[error("{key:?} cannot be a key")]
    InvalidKey {
        /// The key as given.
        key: String,
    },
    /// The stored value is not what the reader expects.
    #[error("the value of key {key} cannot be read")]
    Decode {
        /// The key of the value.
        key: String,
        /// What is wrong with it.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The value to be written cannot be expressed as JSON.
    #[error("the value for key {key} cannot be written as JSON")]
    Encode {
        /// The key to be written.
        key: String,
        /// What is wrong with the value.
        #[source]
        source: Arc<serde_json::Error>,
    },
    /// The broker is away, has no such bucket, or did not answer in time. A write may have been stored all the same.
    #[error("bucket {bucket} is not available")]
    Unavailable {
        /// The bucket's name.
        bucket: String,
        /// What the client said.
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
}

impl KvError {
    /// Whether the same call may succeed later without anything else being changed.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Conflict { .. })
    }

    /// Whether, after a conditional write, looking at the key tells what became of it.
    pub(crate) fn may_have_written(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Conflict { .. } | Self::Exists { .. })
    }
}

/// A value and where it stands in its bucket's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The bucket-wide sequence of the write; what [`KvBucket::update`] wants.
    pub revision: u64,
    /// When the broker stored it.
    pub stored_at_ms: Millis,
    /// The value.
    pub value: T,
}

/// One write to a key, as it stands in the bucket.
#[derive(Debug, Clone)]
pub struct RawEntry {
    /// The key.
    pub key: String,
    /// The bucket-wide sequence of the write.
    pub revision: u64,
    /// When the broker stored it.
    pub stored_at_ms: Millis,
    /// The bytes as stored, perhaps compressed; empty in listings of keys alone, and for deletions.
    pub value: Bytes,
    /// Whether this write took the key away.
    pub deleted: bool,
    /// How many entries the listing or watch still has to deliver after this one.
    pub pending: u64,
}

/// What a caller of [`KvBucket::modify`] wants done.
#[derive(Debug)]
pub enum Change<T, R> {
    /// Store this value and answer with the result.
    Write(T, R),
    /// Store nothing and answer with the result.
    Keep(R),
}

/// One bucket. Cheap to clone.
#[derive(Clone)]
pub struct KvBucket {
    store: Arc<Store>,
    context: Context,
}

impl std::fmt::Debug for KvBucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("KvBucket").field(&self.store.name).finish()
    }
}

impl KvBucket {
    /// Opens a bucket that has been provisioned.
    pub async fn open(context: &Context, bucket: &str) -> Result<Self, KvError> {
        let store = context.get_key_value(bucket).await.map_err(|error| unavailable(bucket, error))?;
        Ok(Self { store: Arc::new(store), context: context.clone() })
    }

    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.store.name
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The value of `key` as the nearest replica knows it, which may be a moment old in a cluster.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Versioned<T>>, KvError> {
        let entry = self.store.entry(key).await.map_err(|error| unavailable(self.name(), error))?;
        match entry {
            Some(entry) if entry.operation == Operation::Put => Ok(Some(Versioned {
                revision: entry.revision,
                stored_at_ms: millis(entry.created),
                value: decode(key, &entry.value)?,
            })),
            _ => Ok(None),
        }
    }

    /// The value of `key` after every write acknowledged so far: asks the stream's leader.
    pub async fn get_latest<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Versioned<T>>, KvError> {
        match self.latest(key).await? {
            Some(entry) if !entry.deleted => Ok(Some(Versioned {
                revision: entry.revision,
                stored_at_ms: entry.stored_at_ms,
                value: decode(key, &entry.value)?,
            })),
            _ => Ok(None),
        }
    }

    /// The last write to `key`, deletions included, from the leader.
    pub(crate) async fn latest(&self, key: &str) -> Result<Option<RawEntry>, KvError> {
        let subject = format!("{}{key}", self.store.prefix);
        match self.store.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => Ok(Some(RawEntry {
                key: key.to_owned(),
                revision: message.sequence,
                stored_at_ms: millis(message.time),
                deleted: is_deletion(Some(&message.headers)),
                value: message.payload,
                pending: 0,
            })),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(unavailable(self.name(), error)),
        }
    }

    /// Writes `key`, whatever it was before. Returns the revision.
    pub async fn put<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<u64, KvError> {
        self.store.put(key, encode(key, value)?).await.map_err(|error| unavailable(self.name(), error))
    }

    /// Writes `key` if it has no value; of several racers exactly one succeeds. Returns the revision.
    pub async fn create<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<u64, KvError> {
        let value = encode(key, value)?;
        match self.write_at(key, value.clone(), 0).await {
            Err(KvError::Conflict { .. }) => {}
            other => return other,
        }
        // The key has a history. Only a deletion at its end lets us through.
        match self.latest(key).await? {
            Some(entry) if entry.deleted => match self.write_at(key, value, entry.revision).await {
                Err(KvError::Conflict { key }) => Err(KvError::Exists { key }),
                other => other,
            },
            _ => Err(KvError::Exists { key: key.to_owned() }),
        }
    }

    /// Writes `key` if its last write is still `revision`. Returns the new revision.
    pub async fn update<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
        revision: u64,
    ) -> Result<u64, KvError> {
        self.write_at(key, encode(key, value)?, revision).await
    }

    async fn write_at(&self, key: &str, value: Bytes, revision: u64) -> Result<u64, KvError> {
        self.store.update(key, value, revision).await.map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => KvError::Conflict { key: key.to_owned() },
            UpdateErrorKind::InvalidKey => KvError::InvalidKey { key: key.to_owned() },
            _ => unavailable(self.name(), error),
        })
    }

    /// Takes `key` away, if `revision` is given only when that is still its last write. History stays.
    pub async fn delete(&self, key: &str, revision: Option<u64>) -> Result<(), KvError> {
        self.store.delete_expect_revision(key, revision).await.map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => KvError::Conflict { key: key.to_owned() },
            UpdateErrorKind::InvalidKey => KvError::InvalidKey { key: key.to_owned() },
            _ => unavailable(self.name(), error),
        })
    }

    /// Takes `key` and its whole history away: what erasure asks for.
    pub async fn purge(&self, key: &str) -> Result<(), KvError> {
        self.store.purge(key).await.map_err(|error| unavailable(self.name(), error))
    }

    /// Reads `key`, lets `decide` say what becomes of it, and writes that, starting over when somebody was faster.
    ///
    /// `decide` may run several times and must depend on its argument alone.
    pub async fn modify<T, R>(
        &self,
        key: &str,
        mut decide: impl FnMut(Option<T>) -> Change<T, R>,
    ) -> Result<R, KvError>
    where
        T: Serialize + DeserializeOwned,
    {
        let mut current = self.get::<T>(key).await?;
        for attempt in 0..MODIFY_TRIES {
            if attempt > 0 {
                // Racers that lost together should not come back together.
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..=u64::from(attempt)))).await;
                current = self.get_latest(key).await?;
            }
            let revision = current.as_ref().map(|found| found.revision);
            let (value, result) = match decide(current.take().map(|found| found.value)) {
                Change::Write(value, result) => (value, result),
                Change::Keep(result) => return Ok(result),
            };
            let written = match revision {
                Some(revision) => self.update(key, &value, revision).await,
                None => self.create(key, &value).await,
            };
            match written {
                Ok(_) => return Ok(result),
                Err(KvError::Conflict { .. } | KvError::Exists { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Err(KvError::Conflict { key: key.to_owned() })
    }

    /// The keys that begin with `prefix`, which is empty or whole tokens with the dot after them (`acme.Queue.`).
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, KvError> {
        let entries = Box::pin(self.scan(&format!("{prefix}>"), DeliverPolicy::LastPerSubject, true)).await?;
        Ok(entries.into_iter().filter(|entry| !entry.deleted).map(|entry| entry.key).collect())
    }

    /// The keys that begin with `prefix`, as for [`Self::keys`], with their values.
    pub async fn list<T: DeserializeOwned>(
        &self,
        prefix: &str,
    ) -> Result<Vec<(String, Versioned<T>)>, KvError> {
        let entries =
            Box::pin(self.scan(&format!("{prefix}>"), DeliverPolicy::LastPerSubject, false)).await?;
        entries
            .into_iter()
            .filter(|entry| !entry.deleted)
            .map(|entry| {
                let value = decode(&entry.key, &entry.value)?;
                let (revision, stored_at_ms) = (entry.revision, entry.stored_at_ms);
                Ok((entry.key, Versioned { revision, stored_at_ms, value }))
            })
            .collect()
    }

    /// The writes to `key` that the bucket still keeps, oldest first.
    pub async fn history(&self, key: &str) -> Result<Vec<RawEntry>, KvError> {
        // Boxed, as in the listings: whoever only writes would have to make room for it.
        Box::pin(self.scan(key, DeliverPolicy::All, false)).await
    }

    async fn scan(
        &self,
        filter: &str,
        deliver_policy: DeliverPolicy,
        headers_only: bool,
    ) -> Result<Vec<RawEntry>, KvError> {
        let Listing { consumer, mut pending, mut messages } =
            self.consume(filter, deliver_policy, headers_only).await?;
        let mut entries = Vec::new();
        while pending > 0 {
            let message = self.patiently(messages.next()).await?;
            let entry = match message {
                Some(Ok(message)) => self.entry(&message)?,
                Some(Err(error)) => return Err(unavailable(self.name(), error)),
                None => return Err(unavailable(self.name(), Lost)),
            };
            pending = entry.pending;
            entries.push(entry);
        }
        drop(messages);
        self.end(&consumer).await;
        Ok(entries)
    }

    /// How many entries stand in the bucket from this revision on.
    pub(crate) async fn pending_from(&self, start_sequence: u64) -> Result<u64, KvError> {
        let Listing { consumer, pending, messages } =
            self.consume(">", DeliverPolicy::ByStartSequence { start_sequence }, true).await?;
        drop(messages);
        self.end(&consumer).await;
        Ok(pending)
    }

    /// Takes a consumer away that has been read: a broker has room for a thousand of a stream, and forgets an idle one
    /// only after a while. Whether that succeeds changes nothing about what was read.
    async fn end(&self, consumer: &str) {
        if let Err(error) = self.store.stream.delete_consumer(consumer).await {
            let bucket = self.name();
            tracing::debug!(bucket, %error, "the consumer of a listing stays until the broker forgets it");
        }
    }

    async fn patiently<F: Future>(&self, future: F) -> Result<F::Output, KvError> {
        tokio::time::timeout(SCAN_PATIENCE, future).await.map_err(|error| unavailable(self.name(), error))
    }

    /// Starts reading the keys that match `filter`.
    pub(crate) async fn consume(
        &self,
        filter: &str,
        deliver_policy: DeliverPolicy,
        headers_only: bool,
    ) -> Result<Listing, KvError> {
        let consumer = self
            .store
            .stream
            .create_consumer(OrderedConfig {
                deliver_subject: self.context.client().new_inbox(),
                filter_subject: format!("{}{filter}", self.store.prefix),
                replay_policy: ReplayPolicy::Instant,
                deliver_policy,
                headers_only,
                ..OrderedConfig::default()
            })
            .await
            .map_err(|error| unavailable(self.name(), error))?;
        let info = consumer.cached_info();
        let (name, pending) = (info.name.clone(), info.num_pending);
        let messages = consumer.messages().await.map_err(|error| unavailable(self.name(), error))?;
        Ok(Listing { consumer: name, pending, messages })
    }

    /// A delivered message as the entry it is.
    pub(crate) fn entry(&self, message: &Message) -> Result<RawEntry, KvError> {
        let info = message.info().map_err(|error| KvError::Unavailable {
            bucket: self.name().to_owned(),
            source: Arc::from(error),
        })?;
        let subject = message.subject.as_str();
        Ok(RawEntry {
            key: subject.strip_prefix(self.store.prefix.as_str()).unwrap_or(subject).to_owned(),
            revision: info.stream_sequence,
            stored_at_ms: millis(info.published),
            deleted: is_deletion(message.headers.as_ref()),
            value: message.payload.clone(),
            pending: info.pending,
        })
    }
}

/// The entries of a bucket, being read.
pub(crate) struct Listing {
    /// The consumer's name at the broker.
    consumer: String,
    /// How many entries there are to begin with.
    pub(crate) pending: u64,
    pub(crate) messages: Ordered,
}

/// The consumer of a listing or watch ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("the consumer ended")]
pub(crate) struct Lost;

pub(crate) fn unavailable(bucket: &str, source: impl StdError + Send + Sync + 'static) -> KvError {
    KvError::Unavailable { bucket: bucket.to_owned(), source: Arc::new(source) }
}

/// Whether headers mark the end of a key: written by a client, or by the server when it expired.
fn is_deletion(headers: Option<&HeaderMap>) -> bool {
    let Some(headers) = headers else { return false };
    match headers.get("KV-Operation") {
        Some(operation) => matches!(operation.as_str(), "DEL" | "PURGE"),
        None => headers.get("Nats-Marker-Reason").is_some(),
    }
}

fn millis(time: async_nats::datetime::DateTime) -> Millis {
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn encode<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Bytes, KvError> {
    serde_json::to_vec(value)
        .map(|json| Bytes::from(squeeze::pack(json)))
        .map_err(|source| KvError::Encode { key: key.to_owned(), source: Arc::new(source) })
}

pub(crate) fn decode<T: DeserializeOwned>(key: &str, value: &[u8]) -> Result<T, KvError> {
    squeeze::unpack(value)
        .map_err(serde_json::Error::io)
        .and_then(|json| serde_json::from_slice(&json))
        .map_err(|source| KvError::Decode { key: key.to_owned(), source: Arc::new(source) })
}
