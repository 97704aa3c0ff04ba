//! One handle on Redis that never makes its caller wait for a server that is away.
//!
//! While Redis does not answer, operations fail at once with [`RedisError::Unavailable`] and a task asks for it in the
//! background; when it answers again they work again. A caller therefore waits at most one time budget per outage.

use std::future::Future;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Notify, watch};

use crate::watch::Task;

/// How often a server that is away is asked for.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How often a server that is there is asked, so that readiness notices an outage nobody else runs into.
const CHECK_EVERY: Duration = Duration::from_secs(2);
/// After so many questions without an answer the connection is made anew: it may hang in a black hole.
const ASKS_PER_CONNECTION: u32 = 5;

/// Why an operation on Redis failed. In every case the caller goes on without it.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// Redis is away or too slow. The operation may have been carried out all the same.
    #[error("Redis is not available")]
    Unavailable(#[source] Option<redis::RedisError>),
    /// Redis answered, and refused.
    #[error("Redis refused the operation")]
    Refused(#[source] redis::RedisError),
    /// The address cannot be parsed. It is not repeated here: it may hold a password.
    #[error("the Redis address is not valid: expected redis://[user:password@]host:port[/database]")]
    Address,
}

impl RedisError {
    /// Whether Redis is away, rather than unwilling.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// How to reach Redis.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// `redis://…`; secret because it may hold a password.
    pub url: SecretString,
    /// How long connecting may take. `response_timeout` does not cover it.
    pub connect_timeout: Duration,
    /// How long an answer may take.
    pub response_timeout: Duration,
}

impl RedisOptions {
    /// Options with the defaults for `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(1),
        }
    }
}

/// Whether an operation may be sent again when its connection broke under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replay {
    /// Doing it twice is the same as doing it once.
    Safe,
    /// Doing it twice would count twice, or misreport.
    Unsafe,
}

/// A connection to Redis. Cheap to clone.
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

struct Inner {
    client: redis::Client,
    config: ConnectionManagerConfig,
    budget: Duration,
    manager: RwLock<ConnectionManager>,
    up: watch::Sender<bool>,
    went_down: Arc<Notify>,
    task: OnceLock<Task>,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("up", &self.is_up()).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects, or begins to: a server that is away is no error, only an address that is none.
    pub async fn connect(options: &RedisOptions) -> Result<Self, RedisError> {
        let client = redis::Client::open(options.url.expose_secret()).map_err(|_| RedisError::Address)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            .set_response_timeout(Some(options.response_timeout))
            // One try each time: who waits is decided here, not in the connection.
            .set_number_of_retries(0);
        let manager = ConnectionManager::new_lazy_with_config(client.clone(), config.clone())
            .map_err(|_| RedisError::Address)?;
        let inner = Arc::new(Inner {
            client,
            config,
            budget: options.connect_timeout + options.response_timeout,
            manager: RwLock::new(manager),
            up: watch::Sender::new(false),
            went_down: Arc::new(Notify::new()),
            task: OnceLock::new(),
        });
        if inner.ping().await {
            inner.up.send_replace(true);
        }
        inner.task.get_or_init(|| Task(tokio::spawn(keep_asking(Arc::downgrade(&inner)))));
        Ok(Self { inner })
    }

    /// Whether Redis answered last time.
    pub fn is_up(&self) -> bool {
        *self.inner.up.borrow()
    }

    /// Follows [`Self::is_up`].
    pub fn health(&self) -> watch::Receiver<bool> {
        self.inner.up.subscribe()
    }

    /// Carries out an operation within the time budget, once more if that is safe and its connection broke.
    pub(crate) async fn run<T, F, Fut>(&self, replay: Replay, operation: F) -> Result<T, RedisError>
    where
        F: Fn(ConnectionManager) -> Fut,
        Fut: Future<Output = RedisResult<T>>,
    {
        if !self.is_up() {
            return Err(RedisError::Unavailable(None));
        }
        let attempt = || async {
            // The manager fails the operation that meets a broken connection and connects anew behind it.
            match operation(self.inner.manager()).await {
                Err(error) if replay == Replay::Safe && error.is_connection_dropped() => {
                    operation(self.inner.manager()).await
                }
                other => other,
            }
        };
        match tokio::time::timeout(self.inner.budget, attempt()).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if is_outage(&error) => {
                self.inner.down(Some(&error));
                Err(RedisError::Unavailable(Some(error)))
            }
            Ok(Err(error)) => Err(RedisError::Refused(error)),
            Err(_) => {
                self.inner.down(None);
                Err(RedisError::Unavailable(None))
            }
        }
    }

    /// Sends commands in one round trip.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        replay: Replay,
        pipeline: &redis::Pipeline,
    ) -> Result<T, RedisError> {
        self.run(replay, |mut connection| async move { pipeline.query_async(&mut connection).await }).await
    }

    /// Sends one command.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        replay: Replay,
        command: &redis::Cmd,
    ) -> Result<T, RedisError> {
        self.run(replay, |mut connection| async move { command.query_async(&mut connection).await }).await
    }

    /// Runs a script; a server that does not know it yet is taught it.
    pub(crate) async fn script<T: FromRedisValue>(
        &self,
        replay: Replay,
        script: &Script,
        keys: &[&str],
        arguments: &[&str],
    ) -> Result<T, RedisError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(*key);
        }
        for argument in arguments {
            invocation.arg(*argument);
        }
        let invocation = &invocation;
        self.run(replay, |mut connection| async move { invocation.invoke_async(&mut connection).await }).await
    }
}

impl Inner {
    fn manager(&self) -> ConnectionManager {
        self.manager.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn renew(&self) {
        if let Ok(manager) = ConnectionManager::new_lazy_with_config(self.client.clone(), self.config.clone())
        {
            *self.manager.write().unwrap_or_else(PoisonError::into_inner) = manager;
        }
    }

    fn down(&self, error: Option<&redis::RedisError>) {
        if self.up.send_replace(false) {
            let error = error.map(|error| error as &dyn std::error::Error);
            tracing::warn!(error, "Redis is away; going on without it");
        }
        self.went_down.notify_one();
    }

    async fn ping(&self) -> bool {
        let mut connection = self.manager();
        let command = redis::cmd("PING");
        let ping = command.query_async::<()>(&mut connection);
        matches!(tokio::time::timeout(self.budget, ping).await, Ok(Ok(())))
    }
}

/// Asks for Redis until its handle is dropped.
async fn keep_asking(inner: Weak<Inner>) {
    let mut unanswered: u32 = 0;
    loop {
        let Some(handle) = inner.upgrade() else { return };
        let up = *handle.up.borrow();
        if handle.ping().await {
            unanswered = 0;
            if !up {
                tracing::info!("Redis is available");
                handle.up.send_replace(true);
            }
        } else {
            if up {
                handle.down(None);
            }
            unanswered += 1;
            if unanswered.is_multiple_of(ASKS_PER_CONNECTION) {
                handle.renew();
            }
        }
        let up = *handle.up.borrow();
        let went_down = Arc::clone(&handle.went_down);
        // While waiting, the handle must be free to be dropped.
        drop(handle);
        if up {
            tokio::select! {
                () = went_down.notified() => {}
                () = tokio::time::sleep(CHECK_EVERY) => {}
            }
        } else {
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

/// Whether an error says that the server cannot serve now, rather than that it will not do this.
fn is_outage(error: &redis::RedisError) -> bool {
    error.is_io_error()
        || error.is_cluster_error()
        || error.is_unrecoverable_error()
        || matches!(
            error.kind(),
            ErrorKind::AuthenticationFailed
                | ErrorKind::Server(
                    ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly
                )
        )
}
