//! What everything that decides stands on: a broker that is asked for one thing at a time, clocks, chance, and tasks.
//!
//! [`Fabric`](crate::Fabric) is the real one. When to ask again, what to make of silence, who owns what and in which order
//! things leave is written above these traits, so that the same code also runs over a broker, a network and a clock that
//! are made up, where every fault can be had at will and had again.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{HeaderMap, Subject};
use bytes::Bytes;
use tokio::time::Instant;

use crate::fabric::BrokerError;
use crate::kv::Versioned;
use crate::log::{LogError, Start};
use crate::metrics::Metrics;
use crate::publish::{Attempt, Published};
use crate::record::Record;
use crate::subjects::{Bucket, Stream};

/// A broker. Each call is one question and its answer.
pub trait Broker: Clone + fmt::Debug + Send + Sync + 'static {
    /// A reader of one of its streams.
    type Tail: Tail;
    /// What others ask us, as it comes in.
    type Questions: futures::Stream<Item = async_nats::Message> + Send + Unpin + 'static;

    /// Sends a message and waits for its PubAck, at the longest until `deadline`. One try.
    fn try_publish(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        deadline: Option<Instant>,
    ) -> impl Future<Output = Result<Published, Attempt>> + Send;

    /// Whether the broker is there and says that no stream takes `subject`.
    fn has_no_stream(&self, subject: &str) -> impl Future<Output = bool> + Send;

    /// Reads a key, as the bucket's leader has it.
    fn read_key(
        &self,
        bucket: Bucket,
        key: &str,
    ) -> impl Future<Output = Result<Versioned, BrokerError>> + Send;

    /// Sequence of the newest message of `stream`, 0 when it never had one.
    fn end_of(&self, stream: Stream) -> impl Future<Output = Result<u64, BrokerError>> + Send;

    /// Sequence of the newest message under `subject`, as the stream's leader has it; 0 when there is none.
    fn last_of(&self, stream: Stream, subject: &str)
    -> impl Future<Output = Result<u64, BrokerError>> + Send;

    /// Erases what matches `filter` and is older than sequence `before`. How many messages went.
    fn truncate(
        &self,
        stream: Stream,
        filter: &str,
        before: u64,
    ) -> impl Future<Output = Result<u64, BrokerError>> + Send;

    /// Reads the stream of this name from `start`, for the subjects that match one of `filters` (all when there is none).
    fn tail(
        &self,
        stream: &str,
        filters: Vec<String>,
        start: Start,
    ) -> impl Future<Output = Result<Self::Tail, LogError>> + Send;

    /// Takes what is asked under `subject` from now on.
    fn listen(&self, subject: String) -> impl Future<Output = Result<Self::Questions, BrokerError>> + Send;

    /// Answers what was asked. That it arrives is not known.
    fn answer(&self, to: Subject, payload: Bytes) -> impl Future<Output = Result<(), BrokerError>> + Send;

    /// The largest message that the broker takes, in bytes; 0 when it is not known.
    fn largest_message(&self) -> usize;

    /// How long one question may take.
    fn request_timeout(&self) -> Duration;
}

/// Reads a stream in order, each message once.
pub trait Tail: fmt::Debug + Send {
    /// The next message; waits for it, or where `bounded` returns none when the broker says that nothing is left. May be
    /// dropped and called again. An error is final.
    fn advance(&mut self, bounded: bool) -> impl Future<Output = Result<Option<Record>, LogError>> + Send;

    /// Whether nothing waited when reading began the last time, and nothing was read since.
    fn opened_at_end(&self) -> bool;

    /// The next message; waits for it. May be dropped and called again. An error is final.
    fn next(&mut self) -> impl Future<Output = Result<Record, LogError>> + Send {
        async {
            loop {
                if let Some(record) = self.advance(false).await? {
                    return Ok(record);
                }
            }
        }
    }
}

/// A broker, and the machine that asks it.
pub trait Ground: Broker {
    /// Milliseconds since 1970, by this machine's clock.
    fn now_ms(&self) -> i64;

    /// 64 bits, drawn at random.
    fn draw(&self) -> u64;

    /// `work` as a task of this machine: what is spawned goes through here.
    fn task<F>(&self, work: F) -> impl Future<Output = F::Output> + Send + 'static + use<Self, F>
    where
        F: Future<Output: Send> + Send + 'static;

    /// Runs what keeps a processor busy for long where it holds up nobody.
    fn aside<T, W>(&self, work: W) -> impl Future<Output = T> + Send + 'static + use<Self, T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static;

    /// What is counted.
    fn metrics(&self) -> &Arc<Metrics>;
}
