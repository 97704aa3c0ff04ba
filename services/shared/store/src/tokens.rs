//! Provider access tokens: one refresher at a time over all replicas.
//!
//! Providers such as WeChat count token requests and revoke the old token when they give out a new one, so a stampede
//! of replicas that all refresh would lock every one of them out. Here a refresh is done by whoever holds a lock, the
//! others use the old token while it is valid or wait, within bounds, for the new one. A token carries a *generation*:
//! reporting one as invalid discards that generation only, so a thousand failures with one bad token cause one refresh.
//!
//! The generation doubles as fencing token: it grows with every lock, and a refresher that lost its lock cannot
//! overwrite what a later one stored. Tokens stand in Redis as they are, for as long as they are valid: Redis must be
//! reached by those only who may call the provider.
//!
//! While Redis is away every replica refreshes for itself, one call at a time.

mod scripts;

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex as AsyncMutex;

use crate::connection::{Redis, RedisError, Replay};
use crate::seen::millis;
use crate::{Millis, keys, now_ms};
use scripts::{ASK, DISCARD, GIVE_UP, STORE};

/// A token is asked for anew after this at the latest, whatever the provider says of it: what it says is input, and Redis
/// keeps nothing for longer than a number of milliseconds that it can count.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Whose token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    /// The tenant.
    pub tenant: String,
    /// The channel.
    pub channel: String,
    /// The channel account.
    pub account: String,
    /// Which of the account's tokens, such as `access` or `jsapi`.
    pub name: String,
}

impl TokenKey {
    /// The token `name` of this account.
    pub fn new(
        tenant: impl Into<String>,
        channel: impl Into<String>,
        account: impl Into<String>,
        name: impl Into<String>,
    ) -> Self {
        Self { tenant: tenant.into(), channel: channel.into(), account: account.into(), name: name.into() }
    }

    fn encode(&self, kind: &str) -> String {
        keys::redis(&self.tenant, kind, &[&self.channel, &self.account, &self.name])
    }
}

/// A token that can be used now.
#[derive(Debug, Clone)]
pub struct Token {
    /// What the provider wants to see.
    pub value: SecretString,
    /// Tells this token from those before and after it; hand it back to [`TokenStore::invalidate`].
    pub generation: u64,
    /// When the provider stops accepting it, milliseconds since the epoch.
    pub expires_at_ms: Millis,
}

impl Token {
    fn lives(&self, now: Millis) -> bool {
        now < self.expires_at_ms
    }
}

/// What a refresh brought.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// The token.
    pub value: SecretString,
    /// How long the provider says it is valid.
    pub valid_for: Duration,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError<E> {
    /// This caller was the refresher, and the provider refused.
    #[error("the token could not be refreshed")]
    Refresh(#[source] E),
    /// The provider did not answer the refresher in time.
    #[error("the token was not refreshed in time")]
    TimedOut,
    /// Somebody else's refresh failed a moment ago; ask again after this long.
    #[error("refreshing the token failed a moment ago")]
    RecentlyFailed {
        /// How long refreshes are held back.
        retry_after: Duration,
    },
}

/// How tokens are refreshed.
#[derive(Debug, Clone, Copy)]
pub struct TokenOptions {
    /// A token is replaced this long before it expires, or at half of its life if that is later.
    pub margin: Duration,
    /// How long a refresh may take. The lock outlives it a little.
    pub refresh_timeout: Duration,
    /// How long others wait for it.
    pub wait: Duration,
    /// How long nobody tries again after a refresh failed.
    pub failure_pause: Duration,
}

impl Default for TokenOptions {
    fn default() -> Self {
        Self {
            margin: Duration::from_mins(5),
            refresh_timeout: Duration::from_secs(10),
            wait: Duration::from_secs(12),
            failure_pause: Duration::from_secs(1),
        }
    }
}

/// The tokens of all accounts. Cheap to clone; clones share what they know without Redis.
#[derive(Debug, Clone)]
pub struct TokenStore {
    redis: Redis,
    options: TokenOptions,
    /// This process among all that refresh.
    name: Arc<str>,
    local: Arc<Mutex<HashMap<TokenKey, Arc<Local>>>>,
}

/// What this process knows of one token.
#[derive(Debug, Default)]
struct Local {
    /// Held while refreshing, with Redis or without.
    refreshing: AsyncMutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    token: Option<Token>,
    /// When the token should be replaced.
    renew_at_ms: Millis,
    /// The token was refreshed while Redis was away, so Redis has not seen it.
    unshared: bool,
    failed_until: Option<Instant>,
}

impl Local {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Redis's answer to who should do what.
enum Answer {
    Use(Token),
    Refresh { generation: u64 },
    Wait,
    Pause(Duration),
}

impl TokenStore {
    /// Tokens kept in this Redis.
    pub fn new(redis: Redis, options: TokenOptions) -> Self {
        let name = format!("{:016x}", rand::random::<u64>());
        Self { redis, options, name: Arc::from(name), local: Arc::default() }
    }

    /// A token that is valid now. `refresh` asks the provider for a new one, and is called by one caller at a time.
    pub async fn get<E, F, Fut>(&self, key: &TokenKey, refresh: F) -> Result<Token, TokenError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Refreshed, E>>,
    {
        let local = self.local(key);
        let deadline = Instant::now() + self.options.wait;
        let mut pause = Duration::from_millis(10);
        loop {
            // One of this process's callers asks for the lock at a time: the lock knows processes, not callers.
            let turn = match local.refreshing.try_lock() {
                Ok(turn) => turn,
                Err(_) => match self.usable_meanwhile(key, &local).await {
                    Some(token) => return Ok(token),
                    None => local.refreshing.lock().await,
                },
            };
            match self.ask(key).await {
                Ok(Answer::Use(token)) => {
                    local.known().note(token.clone());
                    return Ok(token);
                }
                Ok(Answer::Refresh { generation }) => {
                    let result = self.refresh(key, &local, generation, refresh).await;
                    drop(turn);
                    return result;
                }
                Ok(Answer::Pause(retry_after)) => return Err(TokenError::RecentlyFailed { retry_after }),
                Ok(Answer::Wait) => {
                    drop(turn);
                    if Instant::now() + pause > deadline {
                        return Err(TokenError::TimedOut);
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_millis(200));
                }
                Err(_) => {
                    let result = self.refresh_alone(&local, refresh).await;
                    drop(turn);
                    return result;
                }
            }
        }
    }

    /// Says that the provider refused the token of this generation. Whatever came after it is left alone.
    pub async fn invalidate(&self, key: &TokenKey, generation: u64) {
        let local = self.local(key);
        {
            let mut known = local.known();
            if known.token.as_ref().is_some_and(|token| token.generation == generation) {
                known.token = None;
                known.unshared = false;
            }
        }
        let discarded: Result<u64, RedisError> = self
            .redis
            .script(Replay::Safe, &DISCARD, &[&key.encode("tok")], &[&generation.to_string()])
            .await;
        if let Err(error) = discarded {
            tracing::debug!(
                tenant = key.tenant,
                channel = key.channel,
                error = &error as &dyn std::error::Error,
                "invalid token not reported"
            );
        }
    }

    fn local(&self, key: &TokenKey) -> Arc<Local> {
        let mut locals = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locals.entry(key.clone()).or_default())
    }

    /// The old token, while one of this process's callers refreshes it before its time.
    async fn usable_meanwhile(&self, key: &TokenKey, local: &Local) -> Option<Token> {
        let known = local.known().token.clone().filter(|token| token.lives(now_ms()))?;
        // Somebody elsewhere may have found it invalid in the meantime.
        match self
            .redis
            .command::<Option<String>>(Replay::Safe, redis::cmd("HGET").arg(key.encode("tok")).arg("value"))
            .await
        {
            Ok(Some(value)) if value == known.value.expose_secret() => Some(known),
            Ok(_) => None,
            Err(_) => Some(known),
        }
    }

    async fn ask(&self, key: &TokenKey) -> Result<Answer, RedisError> {
        // Long enough that a refresher that is still within its time never loses the lock.
        let lock = millis(self.options.refresh_timeout + Duration::from_secs(5)).to_string();
        let (state, generation, value, expires, pause): (u8, u64, String, i64, u64) = self
            .redis
            .script(Replay::Safe, &ASK, &[&key.encode("tok"), &key.encode("toklock")], &[&self.name, &lock])
            .await?;
        Ok(match state {
            0 => Answer::Use(Token { value: SecretString::from(value), generation, expires_at_ms: expires }),
            1 => Answer::Refresh { generation },
            2 => Answer::Wait,
            _ => Answer::Pause(Duration::from_millis(pause)),
        })
    }

    /// Refreshes as the holder of the lock.
    async fn refresh<E, F, Fut>(
        &self,
        key: &TokenKey,
        local: &Local,
        generation: u64,
        refresh: F,
    ) -> Result<Token, TokenError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Refreshed, E>>,
    {
        // What was refreshed while Redis was away is still good: share it rather than ask the provider again.
        let unshared = local.known().unshared_token();
        let fresh = match unshared {
            Some(token) => Ok(Refreshed {
                valid_for: Duration::from_millis(u64::try_from(token.expires_at_ms - now_ms()).unwrap_or(0)),
                value: token.value,
            }),
            None => self.call(refresh).await,
        };
        let keys = [key.encode("tok"), key.encode("toklock")];
        let keys = [keys[0].as_str(), keys[1].as_str()];
        match fresh {
            Ok(fresh) => {
                let (valid, renew) = self.lifetimes(fresh.valid_for);
                let token = fresh.into_token(generation);
                let arguments = [
                    &*self.name,
                    &generation.to_string(),
                    token.value.expose_secret(),
                    &millis(valid).to_string(),
                    &millis(renew).to_string(),
                ];
                let stored: Result<u64, RedisError> =
                    self.redis.script(Replay::Safe, &STORE, &keys, &arguments).await;
                let mut known = local.known();
                known.note(token.clone());
                known.renew_at_ms = renew_at(renew);
                known.unshared = stored.is_err();
                Ok(token)
            }
            Err(error) => {
                let pause = millis(self.options.failure_pause).to_string();
                let arguments = [&*self.name, &generation.to_string(), &pause];
                let given_up: Result<u64, RedisError> =
                    self.redis.script(Replay::Safe, &GIVE_UP, &keys, &arguments).await;
                if let Err(error) = given_up {
                    tracing::debug!(
                        tenant = key.tenant,
                        error = &error as &dyn std::error::Error,
                        "refresh lock left to expire"
                    );
                }
                Err(error)
            }
        }
    }

    /// Refreshes for this process alone, because Redis is away.
    async fn refresh_alone<E, F, Fut>(&self, local: &Local, refresh: F) -> Result<Token, TokenError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Refreshed, E>>,
    {
        let now = now_ms();
        let held_back = {
            let known = local.known();
            if let Some(token) = known
                .token
                .clone()
                .filter(|token| token.lives(now) && (now < known.renew_at_ms || !known.unshared))
            {
                return Ok(token);
            }
            known.failed_until.map(|until| until.saturating_duration_since(Instant::now()))
        };
        if let Some(retry_after) = held_back.filter(|left| !left.is_zero()) {
            return Err(TokenError::RecentlyFailed { retry_after });
        }
        match self.call(refresh).await {
            Ok(fresh) => {
                let (_, renew) = self.lifetimes(fresh.valid_for);
                // Microseconds, as Redis numbers its generations, so that the two never mean the same one.
                let generation = u64::try_from(now_ms()).unwrap_or(0) * 1000;
                let token = fresh.into_token(generation);
                let mut known = local.known();
                known.note(token.clone());
                known.renew_at_ms = renew_at(renew);
                known.unshared = true;
                Ok(token)
            }
            Err(error) => {
                local.known().failed_until = Some(Instant::now() + self.options.failure_pause);
                Err(error)
            }
        }
    }

    async fn call<E, F, Fut>(&self, refresh: F) -> Result<Refreshed, TokenError<E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Refreshed, E>>,
    {
        match tokio::time::timeout(self.options.refresh_timeout, refresh()).await {
            Ok(Ok(fresh)) => Ok(Refreshed { valid_for: fresh.valid_for.min(LONGEST), ..fresh }),
            Ok(Err(error)) => Err(TokenError::Refresh(error)),
            Err(_) => Err(TokenError::TimedOut),
        }
    }

    /// How long a token is used, and after how long it is replaced.
    fn lifetimes(&self, valid_for: Duration) -> (Duration, Duration) {
        let renew = valid_for.saturating_sub(self.options.margin).max(valid_for / 2);
        (valid_for, renew)
    }
}

impl Refreshed {
    fn into_token(self, generation: u64) -> Token {
        let expires_at_ms =
            now_ms().saturating_add(i64::try_from(self.valid_for.as_millis()).unwrap_or(i64::MAX));
        Token { value: self.value, generation, expires_at_ms }
    }
}

impl Known {
    fn note(&mut self, token: Token) {
        self.token = Some(token);
        self.unshared = false;
        self.failed_until = None;
    }

    fn unshared_token(&self) -> Option<Token> {
        let now = now_ms();
        self.token.clone().filter(|token| self.unshared && token.lives(now) && now < self.renew_at_ms)
    }
}

fn renew_at(after: Duration) -> Millis {
    now_ms().saturating_add(i64::try_from(after.as_millis()).unwrap_or(i64::MAX))
}
