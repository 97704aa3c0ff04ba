//! Dead letters: what could not be processed, kept with its reason until someone replays or discards it.

mod advisory;
mod letter;

pub use advisory::watch_max_deliveries;
pub use letter::DeadLetter;

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::stream::{DeleteMessageErrorKind, RawMessageErrorKind};
use heliograph_domain::ids;
use opentelemetry::KeyValue;
use tokio::time::Instant;

use crate::envelope::{MSG_ID, REPLAYED, one_line};
use crate::fabric::{BrokerError, Fabric};
use crate::ground::Ground;
use crate::log::{LogError, RangeReader};
use crate::ownership::Fence;
use crate::publish::{PublishError, Published, publish_raw};
use crate::record::Record;
use crate::subjects::{self, Event, Inbound, NONE, Outbound, Routing, Stream, SubjectError};
use letter::{DEAD, ERROR, REASON, SEQ, STAGE, STREAM, SUBJECT, TIME, TRIES};

/// How much of an error is kept.
const LONGEST_ERROR: usize = 2000;

/// What went wrong with a dead letter.
#[derive(Debug, thiserror::Error)]
pub enum DeadError {
    /// There is no such dead letter (any more).
    #[error("there is no dead letter {0}")]
    NotFound(u64),
    /// A message of HG_DEAD that lacks what a dead letter has.
    #[error("message {0} of HG_DEAD is no dead letter")]
    Malformed(u64),
    /// A stage, tenant or channel that cannot stand in a subject.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// It could not be stored.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// HG_DEAD could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The broker could not be asked or told.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// Why a message is buried.
#[derive(Debug, Clone)]
pub struct Burial<'a> {
    /// Where processing gave up: `intake`, `machine`, `egress`, …
    pub stage: &'a str,
    /// Machine-readable reason: `malformed`, `max_deliveries`, …
    pub reason: &'a str,
    /// What happened, for people. No secrets, no customer content.
    pub error: String,
    /// How often it was tried.
    pub tries: u64,
}

/// Which dead letters; what is not given matches all.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeadFilter<'a> {
    /// Stage.
    pub stage: Option<&'a str>,
    /// Tenant.
    pub tenant: Option<&'a str>,
    /// Channel.
    pub channel: Option<&'a str>,
}

/// The dead letters of a broker. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeadLetters<G = Fabric> {
    fabric: G,
}

impl<G: Ground> DeadLetters<G> {
    /// The dead letters `fabric` can reach.
    pub fn new(fabric: &G) -> Self {
        Self { fabric: fabric.clone() }
    }

    /// Stores a message as a dead letter; afterwards it may be acknowledged where it came from.
    ///
    /// Burying the same message from the same stage twice leaves one dead letter.
    pub async fn bury(
        &self,
        record: &Record,
        burial: &Burial<'_>,
        deadline: Option<Instant>,
    ) -> Result<Published, DeadError> {
        self.bury_while(record, burial, deadline, None).await
    }

    /// Like [`bury`](Self::bury), while `fence` holds: an owner that stood still longer than the broker knows repeats, and whose
    /// partition is another's by then, does not bury again what it has buried.
    pub async fn bury_while(
        &self,
        record: &Record,
        burial: &Burial<'_>,
        deadline: Option<Instant>,
        fence: Option<&Fence>,
    ) -> Result<Published, DeadError> {
        let (tenant, channel) = origin(&record.subject);
        let subject = subjects::dead(burial.stage, &tenant, &channel)?;
        let mut headers = record.headers.clone();
        let (seq, tries) = (record.seq.to_string(), burial.tries.to_string());
        let error: String = burial.error.chars().take(LONGEST_ERROR).collect();
        for (name, value) in [
            (
                MSG_ID,
                ids::derive(ids::DEAD, &[burial.stage, &record.stream, &seq, &record.time_ms.to_string()]),
            ),
            (SUBJECT, record.subject.clone()),
            (STREAM, record.stream.to_string()),
            (SEQ, seq),
            (STAGE, burial.stage.to_owned()),
            (REASON, burial.reason.to_owned()),
            (ERROR, error),
            (TRIES, tries),
            (TIME, record.time_ms.to_string()),
        ] {
            headers.insert(name, one_line(&value));
        }
        let published =
            publish_raw(&self.fabric, &subject, headers, record.payload.clone(), deadline, fence).await?;
        let labels = [
            KeyValue::new("stage", burial.stage.to_owned()),
            KeyValue::new("reason", burial.reason.to_owned()),
        ];
        self.fabric.metrics().dead.add(1, &labels);
        tracing::warn!(%subject, seq = published.seq, reason = burial.reason, "message buried as a dead letter");
        Ok(published)
    }

    /// Whether a message lies among the dead letters of a stage. The broker tells a repeat by itself, but for its window
    /// only. Reads the stage's dead letters of the message's tenant.
    pub async fn holds(&self, record: &Record, stage: &str) -> Result<bool, DeadError> {
        let (tenant, channel) = origin(&record.subject);
        let filter = subjects::dead(stage, &tenant, &channel)?;
        let mut letters = RangeReader::open(&self.fabric, Stream::Dead, [filter], 0).await?;
        let (seq, time) = (record.seq.to_string(), record.time_ms.to_string());
        let of = [(STREAM, &*record.stream), (SEQ, &*seq), (TIME, &*time)];
        while let Some(letter) = letters.next().await? {
            let says = |(name, value): (&str, &str)| {
                letter.headers.get(name).map(async_nats::HeaderValue::as_str) == Some(value)
            };
            if of.into_iter().all(says) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl DeadLetters {
    /// Lists up to `limit` dead letters after sequence `after`, oldest first.
    pub async fn list(
        &self,
        filter: &DeadFilter<'_>,
        after: u64,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, DeadError> {
        let subject = subjects::dead_filter(filter.stage, filter.tenant, filter.channel)?;
        let records = self.fabric.read_range(Stream::Dead, &subject, after, limit).await?;
        // What is no dead letter is nobody's to replay; it ages out.
        Ok(records.into_iter().filter_map(|record| DeadLetter::read(record).ok()).collect())
    }

    /// One dead letter, by its sequence in HG_DEAD.
    pub async fn show(&self, seq: u64) -> Result<DeadLetter, DeadError> {
        let stream = self.fabric.raw_stream(Stream::Dead.name()).await?;
        let message = match stream.get_raw_message(seq).await {
            Ok(message) => message,
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {
                return Err(DeadError::NotFound(seq));
            }
            Err(error) => return Err(BrokerError::new(format!("read dead letter {seq}"), error).into()),
        };
        DeadLetter::read(Record {
            stream: Stream::Dead.name().into(),
            seq,
            time_ms: i64::try_from(message.time.unix_timestamp_nanos() / 1_000_000).unwrap_or_default(),
            subject: message.subject.to_string(),
            pending: 0,
            delivered: 1,
            headers: message.headers,
            payload: message.payload,
        })
    }

    /// Publishes a dead letter to its original subject again, then removes it from HG_DEAD.
    ///
    /// The event keeps its id, so effects that happened already do not happen twice; the `Nats-Msg-Id` is new and derived,
    /// so that a replay interrupted between the two steps can be repeated.
    pub async fn replay(&self, seq: u64, within: Duration) -> Result<Published, DeadError> {
        let letter = self.show(seq).await?;
        let mut headers = HeaderMap::new();
        for (name, values) in letter.record.headers.iter() {
            let name = name.to_string();
            if !DEAD.contains(&name.as_str()) && !name.starts_with("Nats-") {
                for value in values {
                    headers.append(name.as_str(), value.as_str());
                }
            }
        }
        headers.insert(
            MSG_ID,
            ids::derive(ids::DEAD, &["replay", &seq.to_string(), &letter.buried_ms.to_string()]),
        );
        headers.insert(REPLAYED, seq.to_string());
        let deadline = Instant::now() + within;
        let payload = letter.record.payload.clone();
        let published = self.fabric.publish_raw(&letter.subject, headers, payload, Some(deadline)).await?;
        self.discard(seq).await?;
        tracing::info!(seq, subject = letter.subject, "dead letter replayed");
        Ok(published)
    }

    /// Removes a dead letter for good.
    pub async fn discard(&self, seq: u64) -> Result<(), DeadError> {
        let stream = self.fabric.raw_stream(Stream::Dead.name()).await?;
        match stream.delete_message(seq).await {
            Ok(_) => Ok(()),
            // The broker answers 400 or 404 for a sequence that it does not have.
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(source) if source.code() != 503 => {
                    Err(DeadError::NotFound(seq))
                }
                _ => Err(BrokerError::new(format!("delete dead letter {seq}"), error).into()),
            },
        }
    }
}

/// Tenant and channel of the message that died, from its subject.
fn origin(subject: &str) -> (String, String) {
    if let Ok(Inbound { tenant, channel, .. }) = subject.parse() {
        return (tenant, channel);
    }
    if let Ok(Outbound { tenant, channel, .. }) = subject.parse() {
        return (tenant, channel);
    }
    if let Ok(Event { tenant, channel, .. }) = subject.parse() {
        return (tenant, channel);
    }
    if let Ok(Routing { tenant, .. }) = subject.parse() {
        return (tenant, NONE.to_owned());
    }
    (NONE.to_owned(), NONE.to_owned())
}
