//! `heliograph config`.

use clap::Args;
use heliograph_runtime::Settings;

use crate::output;

/// Flags of `config`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  heliograph config
  HELIOGRAPH__NATS__URL=nats://broker:4222 heliograph config --json | jq '.[] | select(.source != \"defaults\")'")]
pub struct ConfigArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints what is in force.
pub fn run(args: &ConfigArgs, settings: &Settings) -> anyhow::Result<()> {
    let masked = settings.masked();
    if args.json { output::json(&masked) } else { output::line(masked.to_string().trim_end()) }
}
