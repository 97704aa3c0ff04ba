//! Messaging windows: how long, and how often, a channel lets the business write after the customer did.
//!
//! A window is opened by an inbound message, with the length and count that the channel's rules say, and counted down
//! by deliveries. It lives in Redis and is rebuilt from the transcript when Redis lost it: a lookup hands in what
//! rebuilds it. Opening and counting name their cause, so both may be repeated without counting twice.

use std::collections::HashMap;
use std::future::Future;
use std::sync::LazyLock;

use redis::Script;
use serde::{Deserialize, Serialize};

use crate::connection::{Redis, RedisError, Replay};
use crate::{Millis, keys};

/// A window is remembered this long after it closed, so that a closed window need not be rebuilt to be known closed.
const KEEP_CLOSED_MS: Millis = 24 * 60 * 60 * 1000;
/// "There never was a window" is believed this long.
const KEEP_NONE_MS: Millis = 30_000;

/// Whose window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WindowKey {
    /// The tenant.
    pub tenant: String,
    /// The channel.
    pub channel: String,
    /// The channel account.
    pub account: String,
    /// The provider's id of the customer.
    pub user_id: String,
}

impl WindowKey {
    /// The window of this customer on this account.
    pub fn new(
        tenant: impl Into<String>,
        channel: impl Into<String>,
        account: impl Into<String>,
        user_id: impl Into<String>,
    ) -> Self {
        Self {
            tenant: tenant.into(),
            channel: channel.into(),
            account: account.into(),
            user_id: user_id.into(),
        }
    }

    fn encode(&self) -> String {
        keys::redis(&self.tenant, "win", &[&self.channel, &self.account, &self.user_id])
    }
}

/// A window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The channel's name for this kind of window, such as `customer_service`.
    pub kind: String,
    /// When the customer wrote.
    pub opened_at_ms: Millis,
    /// When it closes.
    pub expires_at_ms: Millis,
    /// How many messages it allows; none means any number.
    pub limit: Option<u32>,
    /// How many of them are used up.
    pub used: u32,
}

impl Window {
    /// A window that begins now and is unused.
    pub fn opened(
        kind: impl Into<String>,
        at_ms: Millis,
        ttl: std::time::Duration,
        limit: Option<u32>,
    ) -> Self {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        Self {
            kind: kind.into(),
            opened_at_ms: at_ms,
            expires_at_ms: at_ms.saturating_add(ttl),
            limit,
            used: 0,
        }
    }

    /// How many messages are left; none means any number.
    pub fn remaining(&self) -> Option<u32> {
        self.limit.map(|limit| limit.saturating_sub(self.used))
    }

    /// Whether a message may be sent at this moment.
    pub fn allows(&self, now_ms: Millis) -> bool {
        self.check(now_ms) == WindowVerdict::Granted { remaining: self.remaining() }
    }

    fn check(&self, now_ms: Millis) -> WindowVerdict {
        if now_ms >= self.expires_at_ms {
            WindowVerdict::Closed { expired_at_ms: self.expires_at_ms }
        } else if self.remaining() == Some(0) {
            WindowVerdict::Exhausted { expires_at_ms: self.expires_at_ms }
        } else {
            WindowVerdict::Granted { remaining: self.remaining() }
        }
    }
}

/// Whether a message may be sent within the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowVerdict {
    /// It may.
    Granted {
        /// How many more may follow; none means any number.
        remaining: Option<u32>,
    },
    /// The window closed at this time.
    Closed {
        /// When.
        expired_at_ms: Millis,
    },
    /// The window is open, but its count is used up.
    Exhausted {
        /// When it will close.
        expires_at_ms: Millis,
    },
    /// The customer never wrote.
    Never,
}

/// KEYS: window. ARGV: kind, opened, expires, limit or -1, used, keep until.
/// Only a later opening replaces a window, so messages may come in any order and twice.
static OPEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local opened = tonumber(redis.call('HGET', KEYS[1], 'opened') or '-1')
if opened >= tonumber(ARGV[2]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'kind', ARGV[1], 'opened', ARGV[2], 'expires', ARGV[3], 'limit', ARGV[4], 'base', ARGV[5])
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1",
    )
});

/// KEYS: window. ARGV: now, cause. Answers {state, number}: -1 unknown, 0 closed, 1 granted, 2 exhausted.
/// The cause is kept in the window, so a delivery that is tried again is counted once.
static CONSUME: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local w = redis.call('HMGET', KEYS[1], 'opened', 'expires', 'limit', 'base')
if not w[1] then return {-1, 0} end
local expires, limit = tonumber(w[2]), tonumber(w[3])
if tonumber(ARGV[1]) >= expires then return {0, expires} end
if limit < 0 then return {1, -1} end
local used = tonumber(w[4]) + redis.call('HLEN', KEYS[1]) - 5
if redis.call('HEXISTS', KEYS[1], 'c:' .. ARGV[2]) == 1 then return {1, limit - used} end
if used >= limit then return {2, expires} end
redis.call('HSET', KEYS[1], 'c:' .. ARGV[2], '1')
return {1, limit - used - 1}",
    )
});

/// The windows of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Windows {
    redis: Redis,
}

impl Windows {
    /// Windows kept in this Redis.
    pub fn new(redis: Redis) -> Self {
        Self { redis }
    }

    /// Opens a window, unless one that was opened later stands already.
    pub async fn open(&self, key: &WindowKey, window: &Window) -> Result<(), RedisError> {
        self.write(key, window, window.expires_at_ms.saturating_add(KEEP_CLOSED_MS)).await
    }

    async fn write(&self, key: &WindowKey, window: &Window, keep_until: Millis) -> Result<(), RedisError> {
        let limit = window.limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string());
        let arguments = [
            window.kind.as_str(),
            &window.opened_at_ms.to_string(),
            &window.expires_at_ms.to_string(),
            &limit,
            &window.used.to_string(),
            &keep_until.to_string(),
        ];
        self.redis.script(Replay::Safe, &OPEN, &[&key.encode()], &arguments).await
    }

    /// Remembers for a moment that there is no window, so that it is not rebuilt for every message.
    async fn write_none(&self, key: &WindowKey, now_ms: Millis) -> Result<(), RedisError> {
        let none = Window { kind: String::new(), opened_at_ms: 0, expires_at_ms: 0, limit: None, used: 0 };
        self.write(key, &none, now_ms.saturating_add(KEEP_NONE_MS)).await
    }

    async fn known(&self, key: &WindowKey) -> Result<Known, RedisError> {
        let fields: HashMap<String, String> =
            self.redis.command(Replay::Safe, redis::cmd("HGETALL").arg(key.encode())).await?;
        Ok(parse(&fields))
    }

    /// The window as Redis knows it; none if it knows nothing.
    pub async fn get(&self, key: &WindowKey) -> Result<Option<Window>, RedisError> {
        Ok(match self.known(key).await? {
            Known::Open(window) => Some(window),
            Known::Never | Known::Nothing => None,
        })
    }

    /// The window, from Redis or, when Redis is away or has forgotten it, from `rebuild`.
    pub async fn get_or_rebuild<E, F, Fut>(
        &self,
        key: &WindowKey,
        now_ms: Millis,
        rebuild: F,
    ) -> Result<Option<Window>, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<Window>, E>>,
    {
        match self.known(key).await {
            Ok(Known::Open(window)) => return Ok(Some(window)),
            Ok(Known::Never) => return Ok(None),
            Ok(Known::Nothing) | Err(_) => {}
        }
        let window = rebuild().await?;
        self.remember(key, now_ms, window.as_ref()).await;
        Ok(window)
    }

    /// Best effort: what cannot be stored is rebuilt next time.
    async fn remember(&self, key: &WindowKey, now_ms: Millis, window: Option<&Window>) {
        let stored = match window {
            Some(window) => self.open(key, window).await,
            None => self.write_none(key, now_ms).await,
        };
        if let Err(error) = stored {
            tracing::debug!(
                tenant = key.tenant,
                error = &error as &dyn std::error::Error,
                "window not stored"
            );
        }
    }

    /// Takes one message from the window on behalf of `cause` (a delivery's id): the same cause takes one only.
    /// None when Redis does not know the window.
    pub async fn consume(
        &self,
        key: &WindowKey,
        cause: &str,
        now_ms: Millis,
    ) -> Result<Option<WindowVerdict>, RedisError> {
        let (state, number): (i64, i64) = self
            .redis
            .script(Replay::Safe, &CONSUME, &[&key.encode()], &[&now_ms.to_string(), cause])
            .await?;
        Ok(match state {
            0 if number == 0 => Some(WindowVerdict::Never),
            0 => Some(WindowVerdict::Closed { expired_at_ms: number }),
            1 => Some(WindowVerdict::Granted { remaining: u32::try_from(number).ok() }),
            2 => Some(WindowVerdict::Exhausted { expires_at_ms: number }),
            _ => None,
        })
    }

    /// As [`Self::consume`], with `rebuild` for when Redis is away or has forgotten the window.
    ///
    /// While Redis is away the count goes by what `rebuild` says is used.
    pub async fn consume_or_rebuild<E, F, Fut>(
        &self,
        key: &WindowKey,
        cause: &str,
        now_ms: Millis,
        rebuild: F,
    ) -> Result<WindowVerdict, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<Window>, E>>,
    {
        if let Ok(Some(verdict)) = self.consume(key, cause, now_ms).await {
            return Ok(verdict);
        }
        let window = rebuild().await?;
        self.remember(key, now_ms, window.as_ref()).await;
        if let Ok(Some(verdict)) = self.consume(key, cause, now_ms).await {
            return Ok(verdict);
        }
        Ok(window.map_or(WindowVerdict::Never, |window| match window.check(now_ms) {
            WindowVerdict::Granted { remaining } => {
                WindowVerdict::Granted { remaining: remaining.map(|left| left.saturating_sub(1)) }
            }
            other => other,
        }))
    }

    /// Gives back what `cause` took: the provider refused the message, so it does not count.
    pub async fn release(&self, key: &WindowKey, cause: &str) -> Result<(), RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("HDEL").arg(key.encode()).arg(format!("c:{cause}"))).await
    }

    /// Forgets a window: the provider says it is closed, whatever we believed.
    pub async fn forget(&self, key: &WindowKey) -> Result<(), RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("DEL").arg(key.encode())).await
    }
}

/// What Redis knows of a window.
enum Known {
    /// Nothing: ask something durable.
    Nothing,
    /// That the customer never wrote.
    Never,
    /// The window, which may have closed.
    Open(Window),
}

fn parse(fields: &HashMap<String, String>) -> Known {
    let number = |name: &str| fields.get(name)?.parse::<i64>().ok();
    let window = || {
        let taken = fields.keys().filter(|name| name.starts_with("c:")).count();
        let used = number("base")?.saturating_add(i64::try_from(taken).unwrap_or(i64::MAX));
        Some(Window {
            kind: fields.get("kind")?.clone(),
            opened_at_ms: number("opened")?,
            expires_at_ms: number("expires")?,
            limit: u32::try_from(number("limit")?).ok(),
            used: u32::try_from(used).unwrap_or(u32::MAX),
        })
    };
    match window() {
        Some(window) if window.opened_at_ms == 0 => Known::Never,
        Some(window) => Known::Open(window),
        None => Known::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::{Window, WindowVerdict};
    use std::time::Duration;

    #[test]
    fn a_window_allows_until_it_closes_or_is_used_up() {
        let mut window = Window::opened("service", 1_000, Duration::from_secs(1), Some(2));
        assert!(window.allows(1_000));
        assert!(window.allows(1_999));
        assert!(!window.allows(2_000));
        window.used = 2;
        assert_eq!(window.check(1_500), WindowVerdict::Exhausted { expires_at_ms: 2_000 });
        window.limit = None;
        assert_eq!(window.check(1_500), WindowVerdict::Granted { remaining: None });
    }
}
