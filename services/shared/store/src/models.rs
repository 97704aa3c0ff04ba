//! Read models: small answers kept close, such as the open conversation of a contact or an agent's presence.
//!
//! Each is a hash with a time to live that something durable can rebuild. Losing it costs a lookup, never a fact.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;
use crate::seen::millis;

/// The fields of one entry.
pub type Fields = BTreeMap<String, String>;

/// Entries of one kind, such as `open-conversation` or `presence`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModel {
    redis: Redis,
    kind: String,
    ttl: Duration,
}

impl ReadModel {
    /// Entries of `kind` that live for `ttl` after they were last written or touched.
    pub fn new(redis: Redis, kind: &str, ttl: Duration) -> Self {
        Self { redis, kind: kind.to_owned(), ttl }
    }

    fn key(&self, tenant: &str, id: &str) -> String {
        keys::redis(tenant, "model", &[&self.kind, id])
    }

    /// Replaces an entry.
    pub async fn put(&self, tenant: &str, id: &str, fields: &Fields) -> Result<(), RedisError> {
        let key = self.key(tenant, id);
        let mut pipeline = redis::pipe();
        // A transaction, so that nobody sees the entry between its two states.
        pipeline.atomic().cmd("DEL").arg(&key).ignore();
        if !fields.is_empty() {
            pipeline.cmd("HSET").arg(&key).arg(fields).ignore();
            pipeline.cmd("PEXPIRE").arg(&key).arg(millis(self.ttl)).ignore();
        }
        self.redis.pipeline(Replay::Safe, &pipeline).await
    }

    /// Sets some fields of an entry and leaves the others.
    pub async fn merge(&self, tenant: &str, id: &str, fields: &Fields) -> Result<(), RedisError> {
        if fields.is_empty() {
            return Ok(());
        }
        let key = self.key(tenant, id);
        let mut pipeline = redis::pipe();
        pipeline.atomic().cmd("HSET").arg(&key).arg(fields).ignore();
        pipeline.cmd("PEXPIRE").arg(&key).arg(millis(self.ttl)).ignore();
        self.redis.pipeline(Replay::Safe, &pipeline).await
    }

    /// An entry; none if Redis has none.
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Option<Fields>, RedisError> {
        let fields: Fields =
            self.redis.command(Replay::Safe, redis::cmd("HGETALL").arg(self.key(tenant, id))).await?;
        Ok(Some(fields).filter(|fields| !fields.is_empty()))
    }

    /// Many entries in one round trip, in the order of `ids`.
    pub async fn get_many(&self, tenant: &str, ids: &[&str]) -> Result<Vec<Option<Fields>>, RedisError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = redis::pipe();
        for id in ids {
            pipeline.cmd("HGETALL").arg(self.key(tenant, id));
        }
        let found: Vec<Fields> = self.redis.pipeline(Replay::Safe, &pipeline).await?;
        Ok(found.into_iter().map(|fields| Some(fields).filter(|fields| !fields.is_empty())).collect())
    }

    /// Lets an entry live for another time to live; says whether it was there.
    pub async fn touch(&self, tenant: &str, id: &str) -> Result<bool, RedisError> {
        let key = self.key(tenant, id);
        self.redis.command(Replay::Safe, redis::cmd("PEXPIRE").arg(key).arg(millis(self.ttl))).await
    }

    /// Takes an entry away.
    pub async fn remove(&self, tenant: &str, id: &str) -> Result<(), RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("DEL").arg(self.key(tenant, id))).await
    }

    /// An entry, from Redis or, when Redis is away or has none, from `rebuild`.
    pub async fn get_or_rebuild<E, F, Fut>(
        &self,
        tenant: &str,
        id: &str,
        rebuild: F,
    ) -> Result<Option<Fields>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<Fields>, E>>,
    {
        if let Ok(Some(fields)) = self.get(tenant, id).await {
            return Ok(Some(fields));
        }
        let rebuilt = rebuild().await?;
        if let Some(fields) = &rebuilt
            && let Err(error) = self.put(tenant, id, fields).await
        {
            tracing::debug!(
                tenant,
                kind = self.kind,
                error = &error as &dyn std::error::Error,
                "read model not stored"
            );
        }
        Ok(rebuilt)
    }
}
