//! `heliograph run`.

use std::net::SocketAddr;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser},
};
use heliograph_runtime::{Health, Lifecycle, telemetry};

use crate::{
    cli::Common,
    fleet::{Ground, Process, Servers, known},
    settings::{self, Purpose},
};

/// Flags of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Services: router, egress, desk, streams, admin, and the channels bottle, sms, webchat, \
wechat. A channel named alone serves ChannelService on --grpc. With others in the process, each channel \
gets a loopback port of its own, and egress in the same process is told; an egress elsewhere finds \
channels by channels.<name>.endpoint.

Every process answers /livez, /readyz and /metrics on --http. SIGTERM drains; a second one ends at once.

Examples:
  heliograph run sms --http 0.0.0.0:8080 --grpc 0.0.0.0:9090
  heliograph run router egress --config /etc/heliograph.yaml"
)]
pub struct RunArgs {
    /// Which services
    #[arg(required = true, value_name = "SERVICE", value_parser = services())]
    pub services: Vec<String>,
    /// Where to serve HTTP; sets http.addr
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Where to serve gRPC; sets grpc.addr
    #[arg(long, value_name = "ADDR")]
    pub grpc: Option<SocketAddr>,
}

/// Every service by its name, with what it does.
fn services() -> PossibleValuesParser {
    known().into_iter().map(|(name, about)| PossibleValue::new(name).help(about)).collect::<Vec<_>>().into()
}

/// Runs services until told to stop.
pub async fn run(args: &RunArgs, common: &Common) -> anyhow::Result<u8> {
    let name = format!("heliograph-{}", args.services.join("-"));
    let mut builder = settings::builder(common, Purpose::Service)
        .default_value("telemetry.service_name", &name)
        .default_value("nats.name", &name);
    for (address, key, flag) in [(args.http, "http.addr", "--http"), (args.grpc, "grpc.addr", "--grpc")] {
        if let Some(address) = address {
            builder = builder.flag(key, &address.to_string(), flag);
        }
    }
    let settings = builder.load()?;
    let telemetry = telemetry::init(&settings.telemetry)?;
    let health = Health::new();
    let mut lifecycle = Lifecycle::new(settings.shutdown.clone(), health.clone());
    let ground = Ground::connect(settings, &name, health, lifecycle.shutdown()).await?;
    let servers = Servers::bind(&ground).await?;
    let process = Process::start(&args.services, ground, servers).await?;
    let at = process.addresses();
    tracing::info!(services = args.services.join(" "), http = %at.http, grpc = %at.grpc, "serving");
    process.serve(&mut lifecycle, &telemetry.handle(), axum::Router::new());
    Ok(lifecycle.run_to_exit(Some(telemetry)).await)
}
