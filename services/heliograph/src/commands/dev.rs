//! `heliograph dev`.
use crate::cli::Common;
use clap::Args;
/// Flags of `dev`.
#[derive(Debug, Args)]
pub struct DevArgs {}
/// Runs.
#[allow(clippy::unused_async, reason = "x")]
pub async fn run(_args: &DevArgs, _common: &Common) -> anyhow::Result<u8> {
    Ok(0)
}
