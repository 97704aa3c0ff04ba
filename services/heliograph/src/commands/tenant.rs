//! `heliograph tenant`: where tenants are, and moving them.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clap::{Args, Subcommand};
use heliograph_fabric::{Fabric, Placement, Stream};
use heliograph_router::placement::{self, Move, MoveError, Progress};
use heliograph_runtime::Settings;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    admin::Admin,
    connect,
    failure::{Away, Usage},
    output,
};

/// How often it is looked how far a move is.
const LOOK: Duration = Duration::from_millis(200);
/// After this long in one state, the person is told what may be wrong.
const WONDER: Duration = Duration::from_secs(10);

/// What can be done about where tenants are.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Show which routing partition has each tenant, and how much is going on there
    List(ListArgs),
    /// Move a tenant to another routing partition, with all its conversations and agents
    Move(MoveArgs),
}

/// Flags of `tenant list`.
#[derive(Debug, Args)]
#[command(
    after_help = "What is counted is entries of the routing log: messages, commands, heartbeats. The busiest \
tenants come first.

Examples:
  heliograph tenant list
  heliograph tenant list --for 30 --json"
)]
pub struct ListArgs {
    /// Count for so many seconds
    #[arg(long = "for", value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Flags of `tenant move`.
#[derive(Debug, Args)]
#[command(
    after_help = "Nothing is lost, repeated or reordered by a move, and agents keep their work; the tenant \
pauses for a moment. Asked for again, a move that is under way is the same move. All routers must run this release.

Examples:
  heliograph tenant move acme --to 7
  heliograph tenant move acme --home"
)]
pub struct MoveArgs {
    /// The tenant
    #[arg(value_name = "TENANT")]
    pub tenant: String,
    /// The routing partition it goes to
    #[arg(long, value_name = "PARTITION", required_unless_present = "home", conflicts_with = "home")]
    pub to: Option<u16>,
    /// Back to where it is as long as nobody moves it
    #[arg(long)]
    pub home: bool,
    /// Give up waiting after so many seconds; the move goes on
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub wait: u64,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Does what was asked.
pub async fn run(command: &TenantCommand, settings: &Settings) -> anyhow::Result<()> {
    match command {
        TenantCommand::List(args) => list(args, settings).await,
        TenantCommand::Move(args) => go(args, settings).await,
    }
}

/// The tenants of which anything is declared.
async fn declared(admin: &Admin) -> anyhow::Result<BTreeSet<String>> {
    let declared = admin.list(None, None).await?;
    let tenants = declared.into_iter().map(|stored| stored.resource.metadata.tenant);
    Ok(tenants.filter(|tenant| !tenant.is_empty()).collect())
}

/// One line of the list.
struct Line {
    tenant: String,
    placement: Placement,
    first: u16,
    per_second: f64,
}

async fn list(args: &ListArgs, settings: &Settings) -> anyhow::Result<()> {
    let (admin, fabric) = (connect::admin(settings).await?, connect::command_fabric(settings).await?);
    let partitions = fabric.layout().await?.routing;
    let tenants = declared(&admin).await?;
    let before = written(&fabric).await?;
    sleep(Duration::from_secs(args.seconds.into())).await;
    let after = written(&fabric).await?;
    let mut lines = Vec::new();
    for tenant in tenants {
        let placement = placement::place(&fabric, partitions, &tenant).await?;
        let first = Placement::home(&tenant, partitions).partition;
        let at = |counts: &BTreeMap<String, u64>| counts.get(&tenant).copied().unwrap_or_default();
        // What was erased meanwhile is not counted.
        let entries = u32::try_from(at(&after).saturating_sub(at(&before))).unwrap_or(u32::MAX);
        let per_second = f64::from(entries) / f64::from(args.seconds);
        lines.push(Line { tenant, placement, first, per_second });
    }
    lines.sort_by(|one, other| {
        other.per_second.total_cmp(&one.per_second).then_with(|| one.tenant.cmp(&other.tenant))
    });
    if args.json {
        let one = |line: &Line| {
            json!({
                "tenant": line.tenant,
                "partition": line.placement.partition,
                "home": line.first,
                "moves": line.placement.generation,
                "moving_to": line.placement.moving.as_ref().map(|moving| moving.to),
                "entries_per_second": line.per_second,
            })
        };
        return output::json(&lines.iter().map(one).collect::<Vec<_>>());
    }
    let row = |line: &Line| {
        let Line { tenant, placement, first, per_second } = line;
        let note = match &placement.moving {
            Some(moving) => format!("on its way to {}", moving.to),
            None if placement.partition != *first => format!("moved from {first}"),
            None => String::new(),
        };
        [tenant.clone(), placement.partition.to_string(), format!("{per_second:.1}"), note]
    };
    output::table(["TENANT", "PARTITION", "ENTRIES/S", ""], &lines.iter().map(row).collect::<Vec<_>>())
}

/// How many entries are kept in the routing log, by tenant.
async fn written(fabric: &Fabric) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for (subject, count) in fabric.counts(Stream::Routing, Stream::Routing.subjects()[0]).await? {
        if let Some((_, tenant)) = subject.rsplit_once('.') {
            *counts.entry(tenant.to_owned()).or_default() += count;
        }
    }
    Ok(counts)
}

async fn go(args: &MoveArgs, settings: &Settings) -> anyhow::Result<()> {
    let (admin, fabric) = (connect::admin(settings).await?, connect::command_fabric(settings).await?);
    let partitions = fabric.layout().await?.routing;
    let tenant = &args.tenant;
    if !declared(&admin).await?.contains(tenant) {
        let text = format!("there is no tenant {tenant}; `heliograph tenant list` shows which there are");
        return Err(Usage(text).into());
    }
    let to = args.to.unwrap_or_else(|| Placement::home(tenant, partitions).partition);
    let asked = match placement::ask(&fabric, partitions, tenant, to).await {
        Ok(asked) => asked,
        Err(
            error @ (MoveError::NoSuchPartition { .. }
            | MoveError::AlreadyThere { .. }
            | MoveError::UnderWay { .. }
            | MoveError::Subject(_)),
        ) => return Err(Usage(error.to_string()).into()),
        Err(error) => return Err(error.into()),
    };
    follow(&fabric, partitions, &asked, Duration::from_secs(args.wait)).await?;
    if args.json {
        let Move { tenant, from, to, generation, sequence } = &asked;
        let done = json!({
            "tenant": tenant, "from": from, "to": to, "moves": generation, "sequence": sequence,
        });
        return output::json(&done);
    }
    output::line(&format!("{tenant} is in routing partition {to}"))
}

/// Tells how far a move is until it is done.
async fn follow(fabric: &Fabric, partitions: u16, asked: &Move, patience: Duration) -> anyhow::Result<()> {
    let Move { tenant, from, to, .. } = asked;
    let begun = Instant::now();
    let mut told: Option<(Progress, Instant, bool)> = None;
    loop {
        let progress = asked.progress(fabric, partitions).await?;
        let since = told.filter(|(before, ..)| *before == progress);
        let news = match progress {
            Progress::PassedOn => return Ok(()),
            Progress::Asked => format!("asked: {tenant} leaves partition {from} when its owner comes to it"),
            Progress::Left => format!("on its way: {tenant} has left partition {from} for {to}"),
            Progress::Arrived => {
                format!("there: what was written at partition {from} meanwhile is passed on to {to}")
            }
        };
        match since {
            None => {
                output::note(&news);
                told = Some((progress, Instant::now(), false));
            }
            Some((_, at, false)) if at.elapsed() >= WONDER => {
                let waits_for = if progress == Progress::Left { to } else { from };
                output::note(&format!(
                    "this takes long: does a router own partition {waits_for}? `heliograph doctor` tells"
                ));
                told = Some((progress, at, true));
            }
            Some(_) => {}
        }
        if begun.elapsed() >= patience {
            let text = format!(
                "{tenant} is not in partition {to} yet; the move goes on, and asking for it again shows how far it is"
            );
            return Err(Away(text).into());
        }
        sleep(LOOK).await;
    }
}
