//! Whether the process lives, whether it can take work, and why not.
//!
//! Parts register a check and keep its state true; nothing is probed when somebody asks, so asking is cheap and cannot
//! hang. `/livez` says that the process answers at all; `/readyz` that every check holds; `/metrics` what was counted.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use serde::Serialize;
use tokio::sync::watch;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{Shutdown, Telemetry};

/// The paths that are asked all the time and tell nothing when logged.
pub(crate) const OPERATIONS_PATHS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// The checks of a process. Cheap to clone; clones share the checks.
#[derive(Clone, Debug)]
pub struct Health {
    state: Arc<watch::Sender<Report>>,
    prefix: String,
}

/// What `/readyz` answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether work may be sent here.
    pub ready: bool,
    /// Why the process is going away, once it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaving: Option<String>,
    /// Every check by its name.
    pub checks: BTreeMap<String, CheckState>,
}

/// The state of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckState {
    /// Whether it holds.
    pub ready: bool,
    /// Why it does not, or what is amiss all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Report {
    fn settle(&mut self) {
        self.ready = self.leaving.is_none() && self.checks.values().all(|check| check.ready);
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// No checks yet: ready.
    pub fn new() -> Self {
        let report = Report { ready: true, ..Report::default() };
        Self { state: Arc::new(watch::Sender::new(report)), prefix: String::new() }
    }

    /// The same checks, with `name.` before every name registered through it: for services that share a process.
    #[must_use]
    pub fn scope(&self, name: &str) -> Self {
        Self { state: Arc::clone(&self.state), prefix: format!("{}{name}.", self.prefix) }
    }

    /// Registers a check, or takes over the one of that name. It starts as not ready, because "starting".
    pub fn check(&self, name: &str) -> Check {
        let check = Check { state: Arc::clone(&self.state), name: format!("{}{name}", self.prefix) };
        check.not_ready("starting");
        check
    }

    /// Fails readiness for good, whatever the checks say.
    pub fn leave(&self, why: &str) {
        self.state.send_modify(|report| {
            report.leaving.get_or_insert_with(|| why.to_owned());
            report.settle();
        });
    }

    /// Whether every check holds and the process stays.
    pub fn is_ready(&self) -> bool {
        self.state.borrow().ready
    }

    /// Every check as it is now.
    pub fn report(&self) -> Report {
        self.state.borrow().clone()
    }

    /// Completes once everything is ready.
    pub async fn ready(&self) {
        let mut changes = self.state.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = changes.wait_for(|report| report.ready).await;
    }

    /// `/livez`, `/readyz` and `/metrics`, to merge into a service's router.
    pub fn router<S: Clone + Send + Sync + 'static>(&self, telemetry: &Telemetry) -> Router<S> {
        Router::new()
            .route("/livez", get(async || "ok\n"))
            .route("/readyz", get(readyz))
            .with_state(self.clone())
            .route("/metrics", get(metrics).with_state(telemetry.clone()))
    }

    /// Keeps the gRPC health service in step: the server as a whole (`""`) and each of `services`. Spawns a task that
    /// ends when `shutdown` cancels.
    pub fn mirror(&self, reporter: HealthReporter, services: Vec<String>, shutdown: Shutdown) {
        let mut changes = self.state.subscribe();
        tokio::spawn(async move {
            loop {
                let ready = changes.borrow_and_update().ready;
                let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
                for service in std::iter::once("").chain(services.iter().map(String::as_str)) {
                    reporter.set_service_status(service, status).await;
                }
                tokio::select! {
                    () = shutdown.cancelled() => return,
                    changed = changes.wait_for(|report| report.ready != ready) => if changed.is_err() { return },
                }
            }
        });
    }
}

/// One check. Whoever holds it keeps it true; when the last clone is dropped nothing changes, so say `not_ready` first
/// if that is what the end of a part means.
#[derive(Clone, Debug)]
pub struct Check {
    state: Arc<watch::Sender<Report>>,
    name: String,
}

impl Check {
    /// It holds.
    pub fn ready(&self) {
        self.set(CheckState { ready: true, reason: None });
    }

    /// It holds, with something to say all the same: a part of many does not work. `note` is shown to anyone who can
    /// reach `/readyz`: no secrets, no customers.
    pub fn ready_but(&self, note: impl Into<String>) {
        self.set(CheckState { ready: true, reason: Some(note.into()) });
    }

    /// It does not hold. `reason` is shown to anyone who can reach `/readyz`: no secrets, no customers.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(CheckState { ready: false, reason: Some(reason.into()) });
    }

    /// Keeps it true to `state`, for as long as somebody tells it: ready while `holds`, otherwise not because `why`.
    pub async fn follow<T>(&self, mut state: watch::Receiver<T>, holds: impl Fn(&T) -> bool, why: &str) {
        loop {
            let ready = holds(&state.borrow_and_update());
            if ready {
                self.ready();
            } else {
                self.not_ready(why);
            }
            if state.changed().await.is_err() {
                return;
            }
        }
    }

    fn set(&self, state: CheckState) {
        self.state.send_if_modified(|report| {
            if report.checks.get(&self.name) == Some(&state) {
                return false;
            }
            report.checks.insert(self.name.clone(), state);
            report.settle();
            true
        });
    }
}

async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let report = health.report();
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(report))
}

async fn metrics(State(telemetry): State<Telemetry>) -> impl IntoResponse {
    match telemetry.prometheus_text() {
        Some(text) => (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text),
        None => {
            (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain")], "metrics are off\n".to_owned())
        }
    }
}
