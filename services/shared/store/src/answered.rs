//! Answers that providers were given to their requests and that said something to the customer, so that a repeat of the
//! request gets the same.

use std::time::Duration;

use redis::FromRedisValue as _;

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;
use crate::seen::millis;

/// Providers repeat a request that they got no answer to for seconds or minutes.
const TTL: Duration = Duration::from_hours(1);

/// The answers of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Answered {
    redis: Redis,
}

impl Answered {
    /// Answers kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Keeps the body of the answer to an event.
    pub async fn keep(&self, tenant: &str, event_id: &str, body: &[u8]) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(keys::redis(tenant, "answered", &[event_id])).arg(body).arg("PX").arg(millis(TTL));
        self.redis.command(Replay::Safe, &command).await
    }

    /// The body of the answer to an event, if one was kept.
    pub async fn recall(&self, tenant: &str, event_id: &str) -> Result<Option<Vec<u8>>, RedisError> {
        let mut command = redis::cmd("GET");
        command.arg(keys::redis(tenant, "answered", &[event_id]));
        let found: redis::Value = self.redis.command(Replay::Safe, &command).await?;
        Ok(Option::<Vec<u8>>::from_redis_value(found).ok().flatten())
    }
}
