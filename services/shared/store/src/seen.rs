//! Idempotency records: what was taken in already, for longer than the broker's own window of duplicates.
//!
//! Providers repeat for hours or days what they believe was not received. A record is made after the item is durable,
//! so a missing record costs a second, deduplicated trip and never a message.

use std::time::Duration;

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;

/// Providers retry for up to three days; a week leaves room.
pub const DEFAULT_TTL: Duration = Duration::from_hours(7 * 24);

/// Records of one kind, such as `inbound`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Seen {
    redis: Redis,
    kind: String,
    ttl: Duration,
}

impl Seen {
    /// Records of `kind` that are kept for `ttl`.
    pub fn new(redis: Redis, kind: &str, ttl: Duration) -> Self {
        Self { redis, kind: kind.to_owned(), ttl }
    }

    fn key(&self, tenant: &str, id: &str) -> String {
        keys::redis(tenant, "seen", &[&self.kind, id])
    }

    /// Whether `id` was marked.
    pub async fn check(&self, tenant: &str, id: &str) -> Result<bool, RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("EXISTS").arg(self.key(tenant, id))).await
    }

    /// Marks `id`.
    pub async fn mark(&self, tenant: &str, id: &str) -> Result<(), RedisError> {
        self.mark_many(tenant, &[id]).await
    }

    /// Which of `ids` were marked, in their order, in one round trip.
    pub async fn check_many(&self, tenant: &str, ids: &[&str]) -> Result<Vec<bool>, RedisError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("MGET");
        for id in ids {
            get.arg(self.key(tenant, id));
        }
        let found: Vec<Option<()>> = self.redis.command(Replay::Safe, &get).await?;
        Ok(found.iter().map(Option::is_some).collect())
    }

    /// Marks `ids`, in one round trip. What is marked keeps its first time.
    pub async fn mark_many(&self, tenant: &str, ids: &[&str]) -> Result<(), RedisError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline
                .cmd("SET")
                .arg(self.key(tenant, id))
                .arg("1")
                .arg("NX")
                .arg("PX")
                .arg(millis(self.ttl))
                .ignore();
        }
        self.redis.pipeline(Replay::Safe, &pipeline).await
    }

    /// Marks `id` for `owner`; true if it was not marked, or by the same owner.
    ///
    /// For work that at most one may do where doing it twice is a nuisance and no fault. Naming the owner makes it
    /// safe to send again after a broken connection.
    pub async fn claim(&self, tenant: &str, id: &str, owner: &str) -> Result<bool, RedisError> {
        let key = self.key(tenant, id);
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(owner).arg("NX").arg("GET").arg("PX").arg(millis(self.ttl));
        let holder: Option<String> = self.redis.command(Replay::Safe, &set).await?;
        Ok(holder.is_none_or(|holder| holder == owner))
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
