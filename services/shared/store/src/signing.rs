//! Keys that all replicas sign with: drawn once, kept in the broker.

use async_nats::jetstream::Context;

use crate::kv::Change;
use crate::{KvBucket, KvError};

/// The bucket of keys.
pub const BUCKET: &str = "HG_KEYS";

/// The key for `purpose`, such as `links`; whoever asks first draws it. Taking it out of the bucket and restarting the
/// services makes everything that was signed with it void.
pub async fn signing_key(context: &Context, purpose: &str) -> Result<Vec<u8>, KvError> {
    let bucket = KvBucket::open(context, BUCKET).await?;
    let drawn = hex::encode(rand::random::<[u8; 32]>());
    let key = bucket
        .modify(purpose, |known: Option<String>| match known {
            Some(key) => Change::Keep(key),
            None => Change::Write(drawn.clone(), drawn.clone()),
        })
        .await?;
    Ok(key.into_bytes())
}
