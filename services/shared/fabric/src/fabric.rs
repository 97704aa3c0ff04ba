//! The handle everything else hangs on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::jetstream::stream::LastRawMessageErrorKind;
use async_nats::jetstream::{self, kv, object_store};
use async_nats::{Client, HeaderMap, Subject, Subscriber};
use bytes::Bytes;
use futures::TryStreamExt as _;
use tokio::sync::{OnceCell, watch};
use tokio::time::Instant;

use crate::connection::{self, ConnectError, Link};
use crate::ground::{Broker, Ground};
use crate::kv::Versioned;
use crate::log::{LogError, LogReader, Start};
use crate::metrics::Metrics;
use crate::options::Options;
use crate::provision::{self, Layout, ProvisionError};
use crate::publish::{Attempt, Published};
use crate::subjects::{Bucket, ObjectBucket, Stream};

/// A connection to the broker and what is known about it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fabric {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    jetstream: jetstream::Context,
    link: watch::Receiver<Link>,
    layout: OnceCell<Layout>,
    metrics: Arc<Metrics>,
    request_timeout: Duration,
    name: String,
}

/// A request to the broker's API failed.
#[derive(Debug, thiserror::Error)]
#[error("the broker could not {what}")]
pub struct BrokerError {
    what: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl BrokerError {
    /// What the broker could not do, as in "could not …", and why.
    pub fn new(what: impl Into<String>, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { what: what.into(), source: source.into() }
    }
}

impl Fabric {
    /// Connects. Tries for [`Options::connect_within`]; afterwards reconnects by itself for ever.
    pub async fn connect(options: Options) -> Result<Self, ConnectError> {
        let metrics = Arc::new(Metrics::new());
        let (client, link) = connection::connect(&options, &metrics).await?;
        let jetstream =
            jetstream::ContextBuilder::new().timeout(options.request_timeout).build(client.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                jetstream,
                link,
                layout: OnceCell::new(),
                metrics,
                request_timeout: options.request_timeout,
                name: options.name,
            }),
        })
    }

    /// Whether the broker can be reached now.
    pub fn is_connected(&self) -> bool {
        self.inner.link.borrow().connected
    }

    /// The link's state as it changes, for readiness.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.inner.link.clone()
    }

    /// The client's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The NATS client itself, for core requests; streams are reached through this crate.
    pub fn client(&self) -> &Client {
        &self.inner.client
    }

    /// The JetStream context, for what this crate does not cover.
    pub fn jetstream(&self) -> &jetstream::Context {
        &self.inner.jetstream
    }

    /// Partition counts, as the broker has them. Read once: they are fixed at provisioning.
    pub async fn layout(&self) -> Result<Layout, ProvisionError> {
        self.inner.layout.get_or_try_init(|| provision::read_layout(self)).await.copied()
    }

    /// Fails, naming what is missing and the command that makes it, unless every stream and bucket exists.
    ///
    /// Call it at start: publishing to a subject without a stream may wait instead of failing (nats-server #8038).
    pub async fn check(&self) -> Result<(), ProvisionError> {
        provision::check(self).await
    }

    /// A key-value bucket.
    pub async fn kv(&self, bucket: Bucket) -> Result<kv::Store, BrokerError> {
        self.jetstream()
            .get_key_value(bucket.name())
            .await
            .map_err(|source| BrokerError::new(format!("open bucket {}", bucket.name()), source))
    }

    /// An object store.
    pub async fn object_store(&self, bucket: ObjectBucket) -> Result<object_store::ObjectStore, BrokerError> {
        self.jetstream()
            .get_object_store(bucket.name())
            .await
            .map_err(|source| BrokerError::new(format!("open object store {}", bucket.name()), source))
    }

    /// Sequence of the newest message of `stream`, 0 when it never had one.
    pub async fn last_sequence(&self, stream: Stream) -> Result<u64, BrokerError> {
        let info = self.stream_info(stream.name()).await?;
        Ok(info.state.last_sequence)
    }

    /// How many messages the stream keeps, by subject, of those that match `filter`.
    pub async fn counts(&self, stream: Stream, filter: &str) -> Result<BTreeMap<String, u64>, BrokerError> {
        let what = || format!("count the messages of {filter}");
        let found = self.raw_stream(stream.name()).await?;
        let counted =
            found.info_with_subjects(filter).await.map_err(|error| BrokerError::new(what(), error))?;
        let counts = counted.map_ok(|(subject, count)| (subject, count as u64)).try_collect().await;
        counts.map_err(|error| BrokerError::new(what(), error))
    }

    /// Erases what matches `filter` in `stream`; how many messages went. Irrevocable: the way to erase a conversation.
    pub async fn purge(&self, stream: Stream, filter: &str) -> Result<u64, BrokerError> {
        let purged = self.raw_stream(stream.name()).await?.purge().filter(filter).await;
        purged.map(|done| done.purged).map_err(|source| BrokerError::new(format!("purge {filter}"), source))
    }

    /// Erases what matches `filter` and is older than sequence `before`: the log behind a snapshot.
    pub async fn truncate(&self, stream: Stream, filter: &str, before: u64) -> Result<u64, BrokerError> {
        let purged = self.raw_stream(stream.name()).await?.purge().filter(filter).sequence(before).await;
        purged
            .map(|done| done.purged)
            .map_err(|source| BrokerError::new(format!("truncate {filter}"), source))
    }

    pub(crate) async fn raw_stream(&self, name: &str) -> Result<jetstream::stream::Stream<()>, BrokerError> {
        let handle = self.jetstream().get_stream_no_info(name).await;
        handle.map_err(|source| BrokerError::new(format!("open stream {name}"), source))
    }

    pub(crate) async fn stream_info(&self, name: &str) -> Result<jetstream::stream::Info, BrokerError> {
        let info = self.jetstream().get_stream(name).await;
        info.map(|stream| stream.cached_info().clone())
            .map_err(|source| BrokerError::new(format!("tell about stream {name}"), source))
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.inner.metrics
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }

    /// Waits until connected; false when the deadline passed first.
    pub async fn wait_connected(&self, deadline: Option<Instant>) -> bool {
        let mut link = self.link();
        let connected = link.wait_for(|link| link.connected);
        match deadline {
            None => connected.await.is_ok(),
            Some(deadline) => matches!(tokio::time::timeout_at(deadline, connected).await, Ok(Ok(_))),
        }
    }
}

impl Broker for Fabric {
    type Tail = LogReader;
    type Questions = Subscriber;

    async fn try_publish(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        deadline: Option<Instant>,
    ) -> Result<Published, Attempt> {
        self.publish_once(subject, headers, payload, deadline).await
    }

    async fn has_no_stream(&self, subject: &str) -> bool {
        self.subject_without_stream(subject).await
    }

    async fn read_key(&self, bucket: Bucket, key: &str) -> Result<Versioned, BrokerError> {
        self.kv_read(bucket, key).await
    }

    async fn end_of(&self, stream: Stream) -> Result<u64, BrokerError> {
        self.last_sequence(stream).await
    }

    async fn last_of(&self, stream: Stream, subject: &str) -> Result<u64, BrokerError> {
        let found = self.raw_stream(stream.name()).await?;
        match found.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(message.sequence),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
            Err(error) => Err(BrokerError::new(format!("tell the last message of {subject}"), error)),
        }
    }

    async fn truncate(&self, stream: Stream, filter: &str, before: u64) -> Result<u64, BrokerError> {
        Self::truncate(self, stream, filter, before).await
    }

    async fn tail(&self, stream: &str, filters: Vec<String>, start: Start) -> Result<LogReader, LogError> {
        LogReader::open_named(self, stream, filters, start).await
    }

    async fn listen(&self, subject: String) -> Result<Subscriber, BrokerError> {
        let what = format!("subscribe to {subject}");
        self.client().subscribe(subject).await.map_err(|source| BrokerError::new(what, source))
    }

    async fn answer(&self, to: Subject, payload: Bytes) -> Result<(), BrokerError> {
        let answered = self.client().publish(to, payload).await;
        answered.map_err(|source| BrokerError::new("take an answer", source))
    }

    fn largest_message(&self) -> usize {
        self.client().server_info().max_payload
    }

    fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }
}

impl Ground for Fabric {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn draw(&self) -> u64 {
        rand::random()
    }

    fn task<F>(&self, work: F) -> impl Future<Output = F::Output> + Send + 'static + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        work
    }

    fn aside<T, W>(&self, work: W) -> impl Future<Output = T> + Send + 'static + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let working = tokio::task::spawn_blocking(work);
        async move {
            match working.await {
                Ok(done) => done,
                // The runtime ends, and we with it; or the work panicked, and so do we.
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(_) => std::future::pending().await,
                },
            }
        }
    }

    fn metrics(&self) -> &Arc<Metrics> {
        &self.inner.metrics
    }
}
