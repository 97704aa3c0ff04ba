//! `heliograph run`.
use crate::cli::Common;
use clap::Args;
/// Flags of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Services
    pub services: Vec<String>,
}
/// Runs.
#[allow(clippy::unused_async, reason = "x")]
pub async fn run(_args: &RunArgs, _common: &Common) -> anyhow::Result<u8> {
    Ok(0)
}
