//! What providers call the media that were uploaded to them, so that each is uploaded once for as long as it lasts.
//!
//! Losing it costs another upload.

use std::time::Duration;

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;
use crate::seen::millis;

/// An uploaded medium of an account.
#[derive(Debug, Clone, Copy)]
pub struct UploadKey<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The channel.
    pub channel: &'a str,
    /// The channel account.
    pub account: &'a str,
    /// What was uploaded: our object's id or a URL, and what it was uploaded as.
    pub source: &'a str,
}

impl UploadKey<'_> {
    fn encode(&self) -> String {
        keys::redis(self.tenant, "upload", &[self.channel, self.account, self.source])
    }
}

/// The uploads of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Uploads {
    redis: Redis,
}

impl Uploads {
    /// Uploads remembered in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// The provider's id, if it may still be used.
    pub async fn recall(&self, key: &UploadKey<'_>) -> Result<Option<String>, RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("GET").arg(key.encode())).await
    }

    /// Remembers the provider's id for as long as it may be used.
    pub async fn remember(
        &self,
        key: &UploadKey<'_>,
        provider_media_id: &str,
        lasts: Duration,
    ) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(key.encode()).arg(provider_media_id).arg("PX").arg(millis(lasts).max(1));
        self.redis.command(Replay::Safe, &command).await
    }

    /// Forgets an id that the provider does not know any more, unless another upload has replaced it.
    pub async fn forget(&self, key: &UploadKey<'_>, provider_media_id: &str) -> Result<(), RedisError> {
        if self.recall(key).await?.as_deref() == Some(provider_media_id) {
            self.redis.command::<i64>(Replay::Safe, redis::cmd("DEL").arg(key.encode())).await?;
        }
        Ok(())
    }
}
