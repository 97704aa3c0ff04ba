//! How a process stops, in an order that loses nothing.
//!
//! On SIGTERM or SIGINT: readiness fails, the process keeps serving for `drain_seconds` (endpoint removal races the
//! signal), then takes no new work, finishes what is in hand for up to `grace_seconds`, then is cancelled; telemetry is
//! flushed last. A second signal ends it at once.

use std::{collections::HashMap, fmt::Display, future::Future, sync::Arc, time::Duration};

use futures::{Stream, StreamExt, stream::BoxStream};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{sleep, timeout},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};

use crate::{Health, TelemetryGuard, config::ShutdownSettings};

/// Exit codes of the binary. They are stable: scripts and units rely on them.
pub mod exit {
    /// It did what it was asked to.
    pub const OK: u8 = 0;
    /// Something failed while running.
    pub const FAILURE: u8 = 1;
    /// The command line was wrong.
    pub const USAGE: u8 = 2;
    /// What it was given to work on was wrong (`EX_DATAERR` of sysexits.h).
    pub const DATA: u8 = 65;
    /// The broker or another service is away (`EX_UNAVAILABLE`).
    pub const UNAVAILABLE: u8 = 69;
    /// The configuration was wrong (`EX_CONFIG` of sysexits.h).
    pub const CONFIG: u8 = 78;
}

/// After everything was cancelled, how long tasks have to notice.
const CANCEL_GRACE: Duration = Duration::from_secs(2);
/// How long the last spans and counts may take to leave.
const FLUSH_DEADLINE: Duration = Duration::from_secs(3);

/// Tells a service when to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(Arc<Phases>);

#[derive(Debug, Default)]
struct Phases {
    requested: CancellationToken,
    draining: CancellationToken,
    cancelled: CancellationToken,
}

impl Shutdown {
    /// A handle of its own, for tests and for services that are run without a [`Lifecycle`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the process to stop, in order.
    pub fn request(&self) {
        self.0.requested.cancel();
    }

    /// Completes when the process was asked to stop. Work goes on as before; only readiness changes.
    pub fn requested(&self) -> WaitForCancellationFuture<'_> {
        self.0.requested.cancelled()
    }

    /// Completes when no new work may be taken and what is in hand is to be finished.
    pub fn draining(&self) -> WaitForCancellationFuture<'_> {
        self.0.draining.cancelled()
    }

    /// Whether new work is no longer to be taken.
    pub fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Completes when what is in hand is to be dropped.
    pub fn cancelled(&self) -> WaitForCancellationFuture<'_> {
        self.0.cancelled.cancelled()
    }

    /// Whether what is in hand is to be dropped.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// The token behind [`draining`](Self::draining), for `select!` in spawned tasks and for libraries that want one.
    pub fn drain_token(&self) -> CancellationToken {
        self.0.draining.clone()
    }

    /// The token behind [`cancelled`](Self::cancelled).
    pub fn cancel_token(&self) -> CancellationToken {
        self.0.cancelled.clone()
    }

    /// Enters the phase in which no new work is taken.
    pub fn drain(&self) {
        self.0.requested.cancel();
        self.0.draining.cancel();
    }

    /// Enters the phase in which what is in hand is dropped.
    pub fn cancel(&self) {
        self.drain();
        self.0.cancelled.cancel();
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Asked to stop, and everything in hand was finished.
    Finished,
    /// Asked to stop, and something was still in hand at the deadline.
    CutShort,
    /// A part of it failed, or ended without being asked to.
    Failed,
    /// A second signal came.
    Interrupted,
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Finished => exit::OK,
            Self::CutShort | Self::Failed | Self::Interrupted => exit::FAILURE,
        }
    }
}

/// Runs the parts of a process, and stops them in order.
#[derive(Debug)]
pub struct Lifecycle {
    settings: ShutdownSettings,
    shutdown: Shutdown,
    health: Health,
    parts: JoinSet<Result<(), String>>,
    names: HashMap<Id, String>,
}

impl Lifecycle {
    /// `health` fails as soon as the process is asked to stop.
    pub fn new(settings: ShutdownSettings, health: Health) -> Self {
        Self { settings, shutdown: Shutdown::new(), health, parts: JoinSet::new(), names: HashMap::new() }
    }

    /// The handle that parts are given.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Starts a part. It must run until it is told to stop; if it ends sooner, the whole process stops, and fails.
    pub fn spawn<E: Display>(
        &mut self,
        name: impl Into<String>,
        part: impl Future<Output = Result<(), E>> + Send + 'static,
    ) {
        // The whole chain of causes goes into one line: `{:#}` is what `anyhow` needs, and does no harm to others.
        let handle = self.parts.spawn(async move { part.await.map_err(|error| format!("{error:#}")) });
        self.names.insert(handle.id(), name.into());
    }

    /// Runs until SIGTERM, SIGINT, a failed part or [`Shutdown::request`]; then stops everything, flushes `telemetry`
    /// and returns the exit code for `main` to return. After [`Outcome::Interrupted`] nothing is flushed; drop the
    /// runtime with `shutdown_background`, so that a blocking task cannot hold the process.
    pub async fn run_to_exit(self, telemetry: Option<TelemetryGuard>) -> u8 {
        let outcome = match signals() {
            Ok(signals) => self.run(signals).await,
            Err(error) => {
                tracing::error!(%error, "cannot listen for signals");
                Outcome::Failed
            }
        };
        if outcome != Outcome::Interrupted
            && let Some(telemetry) = telemetry
        {
            telemetry.shutdown(FLUSH_DEADLINE).await;
        }
        outcome.exit_code()
    }

    /// The same with signals given by the caller. Each item names one; the first asks to stop, the second ends it.
    pub async fn run(mut self, signals: impl Stream<Item = &'static str> + Send) -> Outcome {
        let mut signals = std::pin::pin!(signals.chain(futures::stream::pending()));
        let mut failed = tokio::select! {
            signal = signals.next() => {
                tracing::info!(signal, "stopping");
                false
            }
            () = self.shutdown.requested() => {
                tracing::info!("stopping on request");
                false
            }
            Some(ended) = self.parts.join_next_with_id() => {
                self.ended(ended, false);
                true
            }
        };
        let outcome = tokio::select! {
            _ = signals.next() => {
                tracing::warn!("second signal: ending at once");
                return Outcome::Interrupted;
            }
            outcome = self.stop(&mut failed) => outcome,
        };
        if failed { Outcome::Failed } else { outcome }
    }

    async fn stop(&mut self, failed: &mut bool) -> Outcome {
        self.health.leave("stopping");
        self.shutdown.request();
        // A process that has lost a part should not go on as if nothing had happened.
        if !*failed {
            sleep(Duration::from_secs(self.settings.drain_seconds)).await;
        }
        self.shutdown.drain();
        let grace = Duration::from_secs(self.settings.grace_seconds);
        let in_time = timeout(grace, self.all_ended(failed)).await.is_ok();
        self.shutdown.cancel();
        if in_time {
            return Outcome::Finished;
        }
        let mut left: Vec<&str> = self.names.values().map(String::as_str).collect();
        left.sort_unstable();
        tracing::warn!(parts = left.join(", "), "still busy at the deadline, cancelling");
        if timeout(CANCEL_GRACE, self.all_ended(failed)).await.is_err() {
            self.parts.abort_all();
        }
        Outcome::CutShort
    }

    async fn all_ended(&mut self, failed: &mut bool) {
        while let Some(ended) = self.parts.join_next_with_id().await {
            *failed |= !self.ended(ended, true);
        }
    }

    /// Says how a part ended; returns whether that was in order.
    fn ended(&mut self, ended: Result<(Id, Result<(), String>), JoinError>, asked: bool) -> bool {
        let (id, result) = match ended {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(error.to_string())),
        };
        let part = self.names.remove(&id).unwrap_or_default();
        match result {
            Ok(()) if asked => tracing::debug!(part, "stopped"),
            Ok(()) => tracing::error!(part, "ended without being asked to"),
            Err(error) => {
                tracing::error!(part, error, "failed");
                return false;
            }
        }
        asked
    }
}

/// SIGTERM and SIGINT of this process, as they come.
#[cfg(unix)]
pub fn signals() -> std::io::Result<BoxStream<'static, &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(futures::stream::poll_fn(move |cx| {
        if terminate.poll_recv(cx).is_ready() {
            return std::task::Poll::Ready(Some("SIGTERM"));
        }
        interrupt.poll_recv(cx).map(|_| Some("SIGINT"))
    })
    .boxed())
}

/// Ctrl-C of this process, as it comes.
#[cfg(not(unix))]
pub fn signals() -> std::io::Result<BoxStream<'static, &'static str>> {
    Ok(futures::stream::repeat(())
        .then(|()| async { tokio::signal::ctrl_c().await.map_or("error", |()| "Ctrl-C") })
        .boxed())
}
