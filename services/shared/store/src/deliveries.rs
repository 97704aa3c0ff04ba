//! Attempts to deliver: written down before the provider is called, so that a crash leaves a trace.
//!
//! An attempt that was begun and never finished is *in doubt*: the provider may or may not have the message, and it
//! must not be sent again without asking. The record lives as long as the bucket's age limit (7 days), longer than any
//! outbound item is redelivered.
//!
//! Beside the attempts stands the index by which receipts that carry only the provider's message id find their way
//! back to the message and its conversation, and by which [read marks](unread) that carry only a time do.

pub mod unread;

use async_nats::jetstream::Context;
use serde::{Deserialize, Serialize};

use crate::kv::{KvBucket, KvError, Versioned};
use crate::{Millis, keys};

/// The bucket of attempts and provider references.
pub const BUCKET: &str = "HG_DELIVERIES";

/// Writes that timed out are looked up or repeated this often before the caller is told.
const TRIES: u32 = 3;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The provider took the message.
    Sent,
    /// The provider did not take it and may be asked again: the next attempt is a fresh one.
    Retry,
    /// The message will not be sent.
    Failed,
    /// Nobody knows, and that was reported.
    InDoubt,
}

/// What is remembered of an attempt that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// The provider's ids of what was sent; several when it was sent in parts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provider_message_ids: Vec<String>,
    /// Machine-readable reason, such as `window_closed`; empty when sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For people; never holds secrets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Parts the provider counts it as; 0: it does not say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: i32,
    /// When it ended.
    pub at_ms: Millis,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(parts: &i32) -> bool {
    *parts == 0
}

impl Outcome {
    /// The provider took the message and calls it so.
    pub fn sent(provider_message_ids: Vec<String>, at_ms: Millis) -> Self {
        Self {
            verdict: Verdict::Sent,
            provider_message_ids,
            reason: String::new(),
            detail: String::new(),
            parts: 0,
            at_ms,
        }
    }

    /// The same, counted as so many parts by the provider.
    #[must_use]
    pub fn counting(self, parts: i32) -> Self {
        Self { parts, ..self }
    }

    /// Anything but sent.
    pub fn not_sent(
        verdict: Verdict,
        reason: impl Into<String>,
        detail: impl Into<String>,
        at_ms: Millis,
    ) -> Self {
        Self {
            verdict,
            provider_message_ids: Vec::new(),
            reason: reason.into(),
            detail: detail.into(),
            parts: 0,
            at_ms,
        }
    }
}

/// The record of a delivery's latest attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Counts the calls to the provider, from 1.
    pub attempt: u32,
    /// When it was begun.
    pub begun_at_ms: Millis,
    /// Who began it: drawn anew for every attempt, so that a writer recognizes its own record.
    pub holder: u64,
    /// How it ended; none while it runs, and for ever if its process died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// The right to make one call to the provider, and to say how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    key: String,
    revision: u64,
    /// The record as written.
    pub record: AttemptRecord,
}

/// What [`DeliveryStore::begin`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptState {
    /// Nothing stands in the way: the attempt is written down, call the provider.
    Fresh(Attempt),
    /// An earlier attempt was begun and never finished. Settle it with [`DeliveryStore::resume`] (the provider
    /// accepts an idempotency key) or [`DeliveryStore::settle`] (report it).
    InDoubt(Attempt),
    /// An earlier attempt ended for good: report that outcome again and do not call.
    Done(AttemptRecord),
}

/// What a provider's message id stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Our message.
    pub message_id: String,
    /// Its conversation.
    pub conversation_id: String,
    /// The conversation's region.
    pub region: String,
    /// The contact it was for.
    pub contact: String,
}

/// Why an operation on deliveries failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliveryError {
    /// Somebody else took the delivery over; what the caller knows no longer counts.
    #[error("the attempt was superseded by another one")]
    Superseded,
    /// The bucket failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

/// The attempts and references of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct DeliveryStore {
    bucket: KvBucket,
}

impl DeliveryStore {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context) -> Result<Self, DeliveryError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await? })
    }

    /// Writes down that a provider is about to be called.
    ///
    /// `first` is the caller's belief that this delivery was never attempted (the broker delivers the item for the
    /// first time): it costs one round trip when true, and is checked in any case.
    pub async fn begin(
        &self,
        tenant: &str,
        delivery_id: &str,
        first: bool,
        now_ms: Millis,
    ) -> Result<AttemptState, DeliveryError> {
        let key = keys::kv(&[tenant, "d", delivery_id]);
        let holder = rand::random::<u64>();
        let fresh = |attempt| AttemptRecord { attempt, begun_at_ms: now_ms, holder, outcome: None };
        let mut look = !first;
        let mut failure = None;
        for _ in 0..TRIES {
            let current = if look { self.bucket.get_latest::<AttemptRecord>(&key).await? } else { None };
            look = true;
            let found = current.as_ref().map_or(Found::Nothing, |current| Found::of(&current.value, holder));
            let (record, written) = match (found, current) {
                (Found::Retry, Some(current)) => {
                    let record = fresh(current.value.attempt.saturating_add(1));
                    let written = self.bucket.update(&key, &record, current.revision).await;
                    (record, written)
                }
                (Found::Done, Some(current)) => return Ok(AttemptState::Done(current.value)),
                (found, Some(Versioned { revision, value: record, .. })) => {
                    let attempt = Attempt { key, revision, record };
                    return Ok(match found {
                        Found::Mine => AttemptState::Fresh(attempt),
                        _ => AttemptState::InDoubt(attempt),
                    });
                }
                (_, None) => {
                    let record = fresh(1);
                    let written = self.bucket.create(&key, &record).await;
                    (record, written)
                }
            };
            match written {
                Ok(revision) => return Ok(AttemptState::Fresh(Attempt { key, revision, record })),
                // Lost a race, or a write that timed out was stored: the next look tells which.
                Err(error) if error.may_have_written() => failure = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure.map_or(DeliveryError::Superseded, DeliveryError::Kv))
    }

    /// Takes an attempt that is in doubt over, to call the provider again with the same idempotency key.
    pub async fn resume(&self, doubtful: &Attempt, now_ms: Millis) -> Result<Attempt, DeliveryError> {
        let record = AttemptRecord {
            attempt: doubtful.record.attempt.saturating_add(1),
            begun_at_ms: now_ms,
            holder: rand::random(),
            outcome: None,
        };
        self.write(doubtful, record).await
    }

    /// Writes down how an attempt ended.
    pub async fn finish(&self, attempt: &Attempt, outcome: Outcome) -> Result<(), DeliveryError> {
        let record = AttemptRecord { outcome: Some(outcome), ..attempt.record.clone() };
        self.write(attempt, record).await.map(|_| ())
    }

    /// Writes down how an attempt ended and what the provider calls the message, in one round trip.
    pub async fn finish_with_references(
        &self,
        tenant: &str,
        channel: &str,
        account: &str,
        attempt: &Attempt,
        outcome: Outcome,
        reference: &Reference,
    ) -> Result<(), DeliveryError> {
        let ids = outcome.provider_message_ids.clone();
        let references = async {
            futures::future::try_join_all(
                ids.iter().map(|id| self.put_reference(tenant, channel, account, id, reference)),
            )
            .await
        };
        let (finished, referenced) = tokio::join!(self.finish(attempt, outcome), references);
        finished?;
        referenced?;
        Ok(())
    }

    /// Ends an attempt that is in doubt: it was reported, and will not be made again.
    pub async fn settle(
        &self,
        doubtful: &Attempt,
        reason: &str,
        now_ms: Millis,
    ) -> Result<(), DeliveryError> {
        self.finish(doubtful, Outcome::not_sent(Verdict::InDoubt, reason, "", now_ms)).await
    }

    /// The record of a delivery's latest attempt.
    pub async fn get(&self, tenant: &str, delivery_id: &str) -> Result<Option<AttemptRecord>, DeliveryError> {
        let key = keys::kv(&[tenant, "d", delivery_id]);
        Ok(self.bucket.get_latest(&key).await?.map(|found| found.value))
    }

    async fn write(&self, attempt: &Attempt, record: AttemptRecord) -> Result<Attempt, DeliveryError> {
        let mut failure = None;
        for _ in 0..TRIES {
            match self.bucket.update(&attempt.key, &record, attempt.revision).await {
                Ok(revision) => return Ok(Attempt { key: attempt.key.clone(), revision, record }),
                // Somebody else's write, or our own that timed out and was stored all the same.
                Err(KvError::Conflict { .. }) => {
                    return match self.bucket.get_latest::<AttemptRecord>(&attempt.key).await? {
                        Some(found) if found.value == record => {
                            Ok(Attempt { key: attempt.key.clone(), revision: found.revision, record })
                        }
                        _ => Err(DeliveryError::Superseded),
                    };
                }
                Err(error @ KvError::Unavailable { .. }) => failure = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure.map_or(DeliveryError::Superseded, DeliveryError::Kv))
    }

    /// Remembers what a provider's message id stands for.
    pub async fn put_reference(
        &self,
        tenant: &str,
        channel: &str,
        account: &str,
        provider_message_id: &str,
        reference: &Reference,
    ) -> Result<(), DeliveryError> {
        let key = reference_key(tenant, channel, account, provider_message_id);
        self.bucket.put(&key, reference).await?;
        Ok(())
    }

    /// What a provider's message id stands for. A receipt may overtake the record: ask again a little later.
    pub async fn reference(
        &self,
        tenant: &str,
        channel: &str,
        account: &str,
        provider_message_id: &str,
    ) -> Result<Option<Reference>, DeliveryError> {
        let key = reference_key(tenant, channel, account, provider_message_id);
        Ok(self.bucket.get(&key).await?.map(|found| found.value))
    }
}

fn reference_key(tenant: &str, channel: &str, account: &str, provider_message_id: &str) -> String {
    // The provider's id is an arbitrary string, and must not meet an id of another account: hash all three.
    keys::kv(&[tenant, "r", &keys::address(channel, account, provider_message_id)])
}

/// What the stored record means to somebody who wants to begin.
enum Found {
    /// There is none.
    Nothing,
    /// It is the one this very call wrote.
    Mine,
    InDoubt,
    Done,
    Retry,
}

impl Found {
    fn of(record: &AttemptRecord, holder: u64) -> Self {
        match &record.outcome {
            None if record.holder == holder => Self::Mine,
            None => Self::InDoubt,
            Some(outcome) if outcome.verdict == Verdict::Retry => Self::Retry,
            Some(_) => Self::Done,
        }
    }
}
