//! Messaging windows: how long, and how often, a channel lets the business write after the customer did.
//!
//! A window is opened by an inbound event, with the length and count that the channel's rules say, and counted down by
//! deliveries. A customer has one of each kind at most (a message opens 24 hours, an ad click 7 days, …): opening one
//! leaves the others as they are, and a message may go if any of them allows it. A delivery takes from the window that
//! costs nothing, else from the one that closes first.
//!
//! Windows live in Redis and are rebuilt from the transcript when Redis lost them: a lookup hands in what rebuilds
//! them. Opening and counting name their cause, so both may be repeated without counting twice.

mod model;
mod scripts;

use std::collections::HashMap;
use std::future::Future;

use crate::connection::{Redis, RedisError, Replay};
use crate::{Millis, keys};

pub use model::{Window, WindowSet, WindowVerdict};

/// A window is remembered this long after it closed, so that a closed window need not be rebuilt to be known closed.
const KEEP_CLOSED_MS: Millis = 24 * 60 * 60 * 1000;
/// "There never was a window" is believed this long.
const KEEP_NONE_MS: Millis = 30_000;

/// Whose windows.
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
    /// The windows of this customer on this account.
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
        keys::redis(&self.tenant, "wins", &[&self.channel, &self.account, &self.user_id])
    }
}

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

    /// Opens a window, unless one of its kind that was opened later stands already. Windows of other kinds stay.
    pub async fn open(&self, key: &WindowKey, window: &Window) -> Result<(), RedisError> {
        let limit = window.limit.map_or_else(|| "-1".to_owned(), |limit| limit.to_string());
        let arguments = [
            window.kind.as_str(),
            &window.opened_at_ms.to_string(),
            &window.expires_at_ms.to_string(),
            &limit,
            &window.used.to_string(),
            &KEEP_CLOSED_MS.to_string(),
        ];
        self.redis.script(Replay::Safe, &scripts::OPEN, &[&key.encode()], &arguments).await
    }

    async fn known(&self, key: &WindowKey) -> Result<Known, RedisError> {
        let fields: HashMap<String, String> =
            self.redis.command(Replay::Safe, redis::cmd("HGETALL").arg(key.encode())).await?;
        Ok(parse(&fields))
    }

    /// The windows as Redis knows them; empty also when it has lost them.
    pub async fn get(&self, key: &WindowKey) -> Result<WindowSet, RedisError> {
        Ok(match self.known(key).await? {
            Known::Windows(windows) => windows,
            Known::Never | Known::Nothing => WindowSet::default(),
        })
    }

    /// The windows, from Redis or, when Redis is away or has forgotten them, from `rebuild`.
    pub async fn get_or_rebuild<E, F, Fut, W>(&self, key: &WindowKey, rebuild: F) -> Result<WindowSet, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<W, E>>,
        W: IntoIterator<Item = Window>,
    {
        match self.known(key).await {
            Ok(Known::Windows(windows)) => return Ok(windows),
            Ok(Known::Never) => return Ok(WindowSet::default()),
            Ok(Known::Nothing) | Err(_) => {}
        }
        let windows: WindowSet = rebuild().await?.into_iter().collect();
        self.remember(key, &windows).await;
        Ok(windows)
    }

    /// Best effort: what cannot be stored is rebuilt next time.
    async fn remember(&self, key: &WindowKey, windows: &WindowSet) {
        let stored = async {
            for window in windows.iter() {
                self.open(key, window).await?;
            }
            if windows.is_empty() {
                // For a moment, so that it is not rebuilt for every message.
                self.redis
                    .script::<()>(
                        Replay::Safe,
                        &scripts::NONE,
                        &[&key.encode()],
                        &[&KEEP_NONE_MS.to_string()],
                    )
                    .await?;
            }
            Ok::<_, RedisError>(())
        };
        if let Err(error) = stored.await {
            tracing::debug!(
                tenant = key.tenant,
                error = &error as &dyn std::error::Error,
                "windows not stored"
            );
        }
    }

    /// Takes one message from the windows on behalf of `cause` (a delivery's id): the same cause takes one only.
    /// Nothing is counted while a window without a count is open. None when Redis knows no window.
    pub async fn consume(
        &self,
        key: &WindowKey,
        cause: &str,
        now_ms: Millis,
    ) -> Result<Option<WindowVerdict>, RedisError> {
        let (state, number): (i64, i64) = self
            .redis
            .script(Replay::Safe, &scripts::CONSUME, &[&key.encode()], &[&now_ms.to_string(), cause])
            .await?;
        Ok(match state {
            0 if number == 0 => Some(WindowVerdict::Never),
            0 => Some(WindowVerdict::Closed { expired_at_ms: number }),
            1 => Some(WindowVerdict::Granted { remaining: u32::try_from(number).ok() }),
            2 => Some(WindowVerdict::Exhausted { expires_at_ms: number }),
            _ => None,
        })
    }

    /// As [`Self::consume`], with `rebuild` for when Redis is away or has forgotten the windows.
    ///
    /// While Redis is away the count goes by what `rebuild` says is used.
    pub async fn consume_or_rebuild<E, F, Fut, W>(
        &self,
        key: &WindowKey,
        cause: &str,
        now_ms: Millis,
        rebuild: F,
    ) -> Result<WindowVerdict, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<W, E>>,
        W: IntoIterator<Item = Window>,
    {
        if let Ok(Some(verdict)) = self.consume(key, cause, now_ms).await {
            return Ok(verdict);
        }
        let windows: WindowSet = rebuild().await?.into_iter().collect();
        self.remember(key, &windows).await;
        if let Ok(Some(verdict)) = self.consume(key, cause, now_ms).await {
            return Ok(verdict);
        }
        Ok(match windows.verdict(now_ms) {
            WindowVerdict::Granted { remaining } => {
                WindowVerdict::Granted { remaining: remaining.map(|left| left.saturating_sub(1)) }
            }
            other => other,
        })
    }

    /// Gives back what `cause` took: the provider refused the message, so it does not count.
    pub async fn release(&self, key: &WindowKey, cause: &str) -> Result<(), RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("HDEL").arg(key.encode()).arg(format!("c:{cause}"))).await
    }

    /// Forgets all windows: the provider says that none is open, whatever we believed.
    pub async fn forget(&self, key: &WindowKey) -> Result<(), RedisError> {
        self.redis.command(Replay::Safe, redis::cmd("DEL").arg(key.encode())).await
    }
}

/// What Redis knows of a customer's windows.
enum Known {
    /// Nothing: ask something durable.
    Nothing,
    /// That the customer never wrote.
    Never,
    /// The windows, which may have closed.
    Windows(WindowSet),
}

fn parse(fields: &HashMap<String, String>) -> Known {
    let window = |kind: &str, value: &str| {
        let mut numbers = value.split(':').map(str::parse::<i64>);
        let mut number = || numbers.next()?.ok();
        let (opened_at_ms, expires_at_ms, limit, base) = (number()?, number()?, number()?, number()?);
        let taken = fields.iter().filter(|(name, from)| name.starts_with("c:") && *from == kind).count();
        let used = base.saturating_add(i64::try_from(taken).unwrap_or(i64::MAX));
        Some(Window {
            kind: kind.to_owned(),
            opened_at_ms,
            expires_at_ms,
            limit: u32::try_from(limit).ok(),
            used: u32::try_from(used).unwrap_or(u32::MAX),
        })
    };
    let windows: WindowSet =
        fields.iter().filter_map(|(name, value)| window(name.strip_prefix("w:")?, value)).collect();
    if !windows.is_empty() {
        Known::Windows(windows)
    } else if fields.contains_key("none") {
        Known::Never
    } else {
        Known::Nothing
    }
}
