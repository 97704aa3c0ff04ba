//! Handles that a provider gives for one reply, soon: reply tokens.
//!
//! The newest one of each customer is kept while it may be used. A delivery takes it and keeps it as its own, so that
//! another attempt at the same delivery knows what was tried. Losing one costs a message that the provider charges for.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;
use secrecy::{ExposeSecret as _, SecretString};

use crate::connection::{Redis, RedisError, Replay};
use crate::keys;
use crate::seen::millis;

/// How long a delivery's handle is remembered: longer than anybody tries to send a message.
const TAKEN_FOR: Duration = Duration::from_hours(48);

/// KEYS: the customer's handle, the delivery's. ARGV: how long the delivery's is remembered. Answers the handle and
/// whether the delivery may have used it before. A delivery's handle stands behind that as a digit.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local taken = redis.call('GET', KEYS[2])
if taken then
  local before, handle = string.sub(taken, 1, 1), string.sub(taken, 2)
  if before == '0' then redis.call('SET', KEYS[2], '1' .. handle, 'KEEPTTL') end
  return {handle, before}
end
local handle = redis.call('GET', KEYS[1])
if not handle then return {} end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], '1' .. handle, 'PX', ARGV[1])
return {handle, '0'}",
    )
});

/// KEYS: the delivery's handle.
static UNUSED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local taken = redis.call('GET', KEYS[1])
if taken then redis.call('SET', KEYS[1], '0' .. string.sub(taken, 2), 'KEEPTTL') end",
    )
});

/// A handle that a delivery has taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The provider's token.
    pub value: SecretString,
    /// The delivery had it before, and it may have been used.
    pub before: bool,
}

/// The reply handles of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Replies {
    redis: Redis,
}

impl Replies {
    /// Handles kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Keeps a handle for the next delivery to a customer, instead of the one before.
    pub async fn keep(
        &self,
        tenant: &str,
        customer: &Customer<'_>,
        value: &SecretString,
        valid_for: Duration,
    ) -> Result<(), RedisError> {
        let mut command = redis::cmd("SET");
        command.arg(customer.key(tenant)).arg(value.expose_secret()).arg("PX").arg(millis(valid_for).max(1));
        self.redis.command(Replay::Safe, &command).await
    }

    /// The customer's newest handle, left where it is.
    pub async fn newest(
        &self,
        tenant: &str,
        customer: &Customer<'_>,
    ) -> Result<Option<SecretString>, RedisError> {
        let mut command = redis::cmd("GET");
        command.arg(customer.key(tenant));
        let found: Option<String> = self.redis.command(Replay::Safe, &command).await?;
        Ok(found.map(SecretString::from))
    }

    /// The handle for a delivery: the one it took before, or the customer's newest.
    pub async fn take(
        &self,
        tenant: &str,
        customer: &Customer<'_>,
        delivery_id: &str,
    ) -> Result<Option<Taken>, RedisError> {
        let (handle, taken) = (customer.key(tenant), of_delivery(tenant, delivery_id));
        let lasts = millis(TAKEN_FOR).to_string();
        let found: Vec<String> =
            self.redis.script(Replay::Safe, &TAKE, &[&handle, &taken], &[&lasts]).await?;
        Ok(<[String; 2]>::try_from(found)
            .ok()
            .map(|[value, before]| Taken { value: value.into(), before: before == "1" }))
    }

    /// The provider refused the delivery: its handle was not used, whatever becomes of the next attempt.
    pub async fn unused(&self, tenant: &str, delivery_id: &str) -> Result<(), RedisError> {
        self.redis.script(Replay::Safe, &UNUSED, &[&of_delivery(tenant, delivery_id)], &[]).await
    }
}

fn of_delivery(tenant: &str, delivery_id: &str) -> String {
    keys::redis(tenant, "replied", &[delivery_id])
}

/// Who is replied to.
#[derive(Debug, Clone, Copy)]
pub struct Customer<'a> {
    /// The channel.
    pub channel: &'a str,
    /// The channel account.
    pub account: &'a str,
    /// What the provider calls them.
    pub user_id: &'a str,
}

impl Customer<'_> {
    fn key(&self, tenant: &str) -> String {
        keys::redis(tenant, "reply", &[self.channel, self.account, self.user_id])
    }
}
