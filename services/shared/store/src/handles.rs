//! What providers give with a message and want back when that message is meant again: to quote it, to mark it read.
//!
//! Losing one costs a quote or a read mark, never a message.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;
use crate::seen::millis;

/// Which handle of which message.
#[derive(Debug, Clone, Copy)]
pub struct HandleKey<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The channel account.
    pub account: &'a str,
    /// What the provider wants it back for.
    pub purpose: &'a str,
    /// Our message's id.
    pub message: &'a str,
}

impl HandleKey<'_> {
    fn encode(&self, tenant: &str) -> String {
        keys::redis(tenant, "handle", &[self.purpose, self.channel, self.account, self.message])
    }
}

/// The handles of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handles {
    redis: Redis,
}

impl Handles {
    /// Handles kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Keeps handles, each for as long as it may be used, in one round trip. The first one of a message stays.
    pub async fn keep(
        &self,
        tenant: &str,
        handles: &[(HandleKey<'_>, &SecretString, Duration)],
    ) -> Result<(), RedisError> {
        if handles.is_empty() {
            return Ok(());
        }
        let mut pipeline = redis::pipe();
        for (key, value, valid_for) in handles {
            let command = pipeline.cmd("SET").arg(key.encode(tenant)).arg(value.expose_secret());
            command.arg("NX").arg("PX").arg(millis(*valid_for).max(1)).ignore();
        }
        self.redis.pipeline(Replay::Safe, &pipeline).await
    }

    /// The handle, if it is known and may still be used.
    pub async fn find(&self, tenant: &str, key: &HandleKey<'_>) -> Result<Option<SecretString>, RedisError> {
        let mut command = redis::cmd("GET");
        command.arg(key.encode(tenant));
        let found: Option<String> = self.redis.command(Replay::Safe, &command).await?;
        Ok(found.map(SecretString::from))
    }
}
