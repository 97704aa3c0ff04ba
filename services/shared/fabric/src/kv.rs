//! Compare and swap on key-value buckets, answered by the stream's leader.
//!
//! `kv::Store::get` may be answered by a replica that lags; ownership and cursors must not read the past.

use async_nats::HeaderMap;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use tokio::time::Instant;

use crate::fabric::{BrokerError, Fabric};
use crate::ground::Broker;
use crate::publish::{Attempt, PublishError};
use crate::subjects::Bucket;

/// A key's value with the revision it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value; none when the key was deleted.
    pub value: Option<Bytes>,
    /// Revision of this value, or of the deletion. 0 when the key never existed.
    pub revision: u64,
}

/// Why a swap did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CasError {
    /// Somebody else wrote first.
    #[error("{key} was changed by somebody else")]
    Conflict {
        /// The key.
        key: String,
    },
    /// Not known whether it happened: read the key again.
    #[error("not known whether {key} was written")]
    Unknown {
        /// The key.
        key: String,
        /// What was met.
        #[source]
        source: PublishError,
    },
    /// It did not happen, and never will.
    #[error("{key} cannot be written")]
    Refused {
        /// The key.
        key: String,
        /// What the broker says.
        #[source]
        source: PublishError,
    },
}

impl Fabric {
    /// Reads a key from the leader.
    pub async fn kv_read(&self, bucket: Bucket, key: &str) -> Result<Versioned, BrokerError> {
        let stream = self.raw_stream(&bucket.stream()).await?;
        match stream.get_last_raw_message_by_subject(&bucket.subject(key)).await {
            Ok(message) => {
                let value = (!is_deletion(&message.headers)).then_some(message.payload);
                Ok(Versioned { value, revision: message.sequence })
            }
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                Ok(Versioned { value: None, revision: 0 })
            }
            Err(error) => Err(BrokerError::new(format!("read key {key}"), error)),
        }
    }

    /// Writes `value`, or deletes on `None`, if the key still has revision `expected`. The new revision.
    ///
    /// One try: after [`CasError::Unknown`] only a read tells.
    pub async fn kv_swap(
        &self,
        bucket: Bucket,
        key: &str,
        value: Option<Bytes>,
        expected: u64,
        deadline: Instant,
    ) -> Result<u64, CasError> {
        swap(self, bucket, key, value, expected, HeaderMap::new(), deadline).await
    }
}

/// As [`Fabric::kv_swap`], over any ground, with more headers.
pub(crate) async fn swap<B: Broker>(
    broker: &B,
    bucket: Bucket,
    key: &str,
    value: Option<Bytes>,
    expected: u64,
    mut headers: HeaderMap,
    deadline: Instant,
) -> Result<u64, CasError> {
    headers.insert("Nats-Expected-Last-Subject-Sequence", expected.to_string());
    if value.is_none() {
        headers.insert("KV-Operation", "DEL");
    }
    let payload = value.unwrap_or_default();
    let key = key.to_owned();
    match broker.try_publish(&bucket.subject(&key), &headers, &payload, Some(deadline)).await {
        Ok(published) => Ok(published.seq),
        Err(Attempt::Final(PublishError::Conflict { .. })) => Err(CasError::Conflict { key }),
        Err(Attempt::Final(source)) => Err(CasError::Refused { key, source }),
        Err(Attempt::Again(source)) => Err(CasError::Unknown { key, source }),
        Err(Attempt::Unheard(last)) => {
            let source = PublishError::Away { subject: bucket.subject(&key), last };
            Err(CasError::Unknown { key, source })
        }
    }
}

/// Whether these are the headers of a deletion.
pub(crate) fn is_deletion(headers: &HeaderMap) -> bool {
    headers.get("KV-Operation").is_some() || headers.get("Nats-Marker-Reason").is_some()
}
