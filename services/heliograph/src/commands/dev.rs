//! `heliograph dev`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use crate::{cli::Common, dev, settings::DATA_DIR};

/// Flags of `dev`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --nats-url and --redis-url, brokers of its own are started, with their data in \
the data directory. The sample tenant Acme is applied at the first start, and stand-ins for the providers \
play customers from three regions. Ctrl-C drains and ends; what was said is there again at the next start.

Examples:
  heliograph dev
  heliograph dev --http 127.0.0.1:0 --grpc 127.0.0.1:0 --ready-file /tmp/ready.json
  heliograph dev --apply my-tenant.yaml --no-sandbox --nats-url nats://127.0.0.1:4222"
)]
pub struct DevArgs {
    /// Webhooks, desk, widget demo; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub http: SocketAddr,
    /// gRPC: DeskService, EgressService, StreamService, AdminService
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9090")]
    pub grpc: SocketAddr,
    /// Where brokers keep their data
    #[arg(long, value_name = "DIR", default_value = DATA_DIR)]
    pub data_dir: PathBuf,
    /// Resources to apply at every start, instead of the sample tenant at the first
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub apply: Vec<String>,
    /// No stand-ins for providers, no playing customers
    #[arg(long)]
    pub no_sandbox: bool,
    /// Where to serve the stand-ins and the customers' phones; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub sandbox: SocketAddr,
    /// When everything is ready, write the addresses into this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Runs the development fleet until told to stop.
pub async fn run(args: &DevArgs, common: &Common) -> anyhow::Result<u8> {
    dev::run(args, common).await
}
