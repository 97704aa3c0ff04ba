//! What the end-to-end tests stand on: a fleet of real processes, an agent at the desk, the peers' scripts.
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]

pub mod agent;
pub mod fleet;
pub mod peers;
pub mod process;
pub mod tenant;
pub mod visitor;
pub mod web;

use std::{path::PathBuf, time::Duration};

/// How long anything may take before a test gives up. Nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the manifest is in the repository")
}

/// Waits until `check` says what it found.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut check: impl FnMut() -> F) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = check().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "gave up waiting: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
