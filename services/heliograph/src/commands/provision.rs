//! `heliograph provision`.

use clap::Args;
use heliograph_fabric::{
    Layout, Plan, ProvisionError,
    provision::{ProvisionOptions, Report, Verdict, provision},
};
use heliograph_runtime::Settings;
use serde_json::json;

use crate::{connect, output};

/// Flags of `provision`.
#[derive(Debug, Args)]
#[command(
    after_help = "Provisioning twice changes nothing. What would shrink a stream or change the number of \
partitions is refused unless --force is given: messages may be lost by it.

Examples:
  heliograph provision --nats-url nats://broker:4222 --replicas 3
  heliograph provision --dry-run"
)]
pub struct ProvisionArgs {
    /// Copies of every stream: 1 for development, 3 for production; kept as it is when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: Option<u8>,
    /// Partitions of each stage, fixed from then on [default: 16, or as it is]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub partitions: Option<u16>,
    /// Say what would change, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also carry out what may lose messages
    #[arg(long)]
    pub force: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Lays out the broker.
pub async fn run(args: &ProvisionArgs, settings: &Settings) -> anyhow::Result<()> {
    let fabric = connect::command_fabric(settings).await?;
    let mut plan = Plan::default();
    plan.layout = match (args.partitions, fabric.layout().await) {
        (Some(count), _) => Layout { inbound: count, routing: count, outbound: count },
        (None, Ok(layout)) => layout,
        (None, Err(ProvisionError::NotProvisioned(_))) => plan.layout,
        (None, Err(error)) => return Err(error.into()),
    };
    plan.replicas = match args.replicas {
        Some(replicas) => replicas.into(),
        None => copies(&fabric).await.unwrap_or(plan.replicas),
    };
    let options = ProvisionOptions { dry_run: args.dry_run, force: args.force };
    let report = provision(&fabric, &plan, options).await?;
    print(args, &report)?;
    let refused = report.refused().count();
    if refused > 0 {
        anyhow::bail!(
            "{refused} changes would shrink what is stored and were left out; --force carries them out, and may lose messages"
        );
    }
    Ok(())
}

/// How many copies the event stream has, when there is one: a second run must not ask for fewer.
async fn copies(fabric: &heliograph_fabric::Fabric) -> Option<usize> {
    let stream = fabric.jetstream().get_stream(heliograph_fabric::Stream::Events.name()).await.ok()?;
    Some(stream.cached_info().config.num_replicas)
}

fn print(args: &ProvisionArgs, report: &Report) -> anyhow::Result<()> {
    if args.json {
        let changes: Vec<_> = report
            .changes
            .iter()
            .map(|change| {
                json!({
                    "stream": change.stream, "field": change.field, "from": change.from, "to": change.to,
                    "verdict": verdict(change.verdict),
                })
            })
            .collect();
        return output::json(&json!({ "applied": report.applied, "changes": changes }));
    }
    for change in &report.changes {
        output::line(&change.to_string())?;
    }
    if report.changes.is_empty() {
        output::line("as planned already, nothing changed")?;
    } else if args.dry_run {
        output::note("dry run: nothing was changed");
    }
    Ok(())
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Create => "create",
        Verdict::Extend => "extend",
        Verdict::Refused => "refused",
        Verdict::Forced => "forced",
    }
}
