//! `make bench`: what the message path costs, beside the raw limits of the same machine in the same run.
//!
//! * ingress: webhook → PubAck → 200, beside a bare axum handler that checks the same HMAC and publishes the same bytes.
//! * path: customer → agent and agent → provider through the whole fleet, beside a raw two-hop JetStream chain.
//! * growth: what a message costs with 10 to 100,000 open conversations.
//! * policy: applying a large one, and its way to every replica.
//! * recovery: a large centre restored after `kill -9`, and a failover under load.
//! * outage: a provider that fails for ten minutes: what is lost there, and what it costs the other channels.
//! * start: idle memory and time to ready of each service.
//!
//! Every ratio comes from runs that take turns, so that a machine that slows down slows both. Prints a table and writes
//! `target/bench/<date>.json`. `--quick` runs everything with small numbers, to see that the bench itself works.
#![allow(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "counts here stay far below 2^52")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is run for")]

mod agent;
mod arrivals;
mod chain;
mod fleet;
mod ground;
mod growth;
mod ingress;
mod load;
mod machine;
mod outage;
mod path;
mod policy;
mod process;
mod recovery;
mod report;
mod signed;
mod sink;
mod start;
mod stats;

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use ground::Ground;
use report::Report;

/// Measures Heliograph beside the raw limits of this machine.
#[derive(Debug, Parser)]
struct Arguments {
    /// Small numbers: does the bench work, not how fast is anything.
    #[arg(long)]
    quick: bool,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// Which channel's provider fails in the outage.
    #[arg(long, value_enum, default_value = "line")]
    ill: outage::Ill,
    /// Where the report goes.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    #[command(subcommand)]
    child: Option<Child>,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Webhook → PubAck → 200.
    Ingress,
    /// Customer → agent and agent → provider through the whole fleet.
    Path,
    /// The same with more and more open conversations.
    Growth,
    /// Applying a large policy, and its way to every replica.
    Policy,
    /// A large centre after `kill -9`.
    Recovery,
    /// A provider that fails for ten minutes.
    Outage,
    /// Idle memory and time to ready of each service.
    Start,
}

/// What the bench starts itself as, in processes of their own.
#[derive(Debug, Subcommand)]
enum Child {
    /// The channel host with the SMS channel.
    #[command(name = "serve-host", hide = true)]
    Host(ground::Addresses),
    /// The bare handler.
    #[command(name = "serve-bare", hide = true)]
    Bare(ground::Addresses),
    /// The hop between two streams.
    #[command(name = "serve-hop", hide = true)]
    Hop(ground::Addresses),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.child {
        Some(Child::Host(addresses)) => ingress::host::serve(addresses).await,
        Some(Child::Bare(addresses)) => ingress::bare::serve(addresses).await,
        Some(Child::Hop(addresses)) => chain::serve(addresses).await,
        None => tokio::select! {
            measured = measure(&arguments) => measured,
            // Dropping what runs ends the servers and services with us.
            () = interrupted() => anyhow::bail!("interrupted"),
        },
    }
}

/// Completes at Ctrl-C or SIGTERM.
async fn interrupted() {
    let Ok(mut terminated) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated.recv() => {}
    }
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted = |part: Part| arguments.only.is_empty() || arguments.only.contains(&part);
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("cannot make {}", arguments.out.display()))?;
    let mut report = Report::new(arguments.quick);
    let (quick, out) = (arguments.quick, arguments.out.as_path());
    // Each part has servers of its own, so that none pays for what another left behind.
    if wanted(Part::Ingress) {
        ingress::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    if wanted(Part::Path) {
        path::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    if wanted(Part::Growth) {
        growth::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    if wanted(Part::Policy) {
        policy::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    if wanted(Part::Recovery) {
        recovery::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    if wanted(Part::Outage) {
        outage::measure(&Ground::start().await?, arguments.ill, quick, out, &mut report).await?;
    }
    if wanted(Part::Start) {
        start::measure(&Ground::start().await?, quick, out, &mut report).await?;
    }
    println!("{}", report.table());
    let path = report.write(&arguments.out)?;
    println!("written to {}", path.display());
    Ok(())
}
