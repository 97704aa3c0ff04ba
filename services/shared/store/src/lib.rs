//! Facts and where they live.
//!
//! Durable facts stand in NATS JetStream key-value buckets: [`resources`], [`contacts`], [`consent`], [`deliveries`],
//! [`trail`], [`codes`], [`tally`], [`signing`].
//! Large immutable things stand in a directory, an object store of the broker's or an S3-compatible one ([`objects`]): [`snapshots`], [`media`].
//! What is fast, shared and expendable stands in Redis: [`seen`], [`windows`], [`tokens`], [`rate`], [`models`],
//! [`questions`], [`sent`], [`replies`], [`answered`], [`uploads`].
//!
//! Two promises hold for everything here:
//! - **Losing Redis loses no fact.** Every operation on it ends within the connection's time budget with a typed
//!   [`RedisError::Unavailable`] that callers survive, and works again when Redis is back, without a restart.
//! - **A tenant is a wall.** Every key begins with its tenant, and no part of a key can reach into another one:
//!   see [`keys`].

pub mod answered;
pub mod codes;
pub mod connection;
pub mod consent;
pub mod contacts;
pub mod deliveries;
pub mod handles;
pub mod keys;
pub mod kv;
pub mod media;
pub mod models;
pub mod objects;
pub mod questions;
pub mod rate;
pub mod replies;
pub mod resources;
pub mod seen;
pub mod sent;
pub mod signing;
pub mod snapshots;
mod squeeze;
pub mod tally;
pub mod tokens;
pub mod trail;
pub mod uploads;
pub mod watch;
pub mod windows;

pub use connection::{Redis, RedisError, RedisOptions};
pub use kv::{KvBucket, KvError};

/// Milliseconds since the Unix epoch, as written in every record of this crate.
pub type Millis = i64;

/// The wall clock in milliseconds since the Unix epoch.
pub fn now_ms() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
