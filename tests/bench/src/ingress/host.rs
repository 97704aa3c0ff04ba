//! The channel host as a process of its own, with the settings it has in production.

use std::{net::SocketAddr, sync::Arc};

use heliograph_channel::host::{ChannelHost, HostDeps, HostSettings, NoMedia};
use heliograph_channel_sms::Sms;
use heliograph_fabric::{Fabric, Options};
use heliograph_runtime::{
    Health, Shutdown,
    config::{HttpSettings, TelemetrySettings},
    http::HttpServer,
    telemetry,
};
use heliograph_store::{Redis, RedisOptions, resources::ResourceStore};

use crate::{ground::Addresses, process::until_let_go};

/// Prints its address, then serves until it is let go.
pub(crate) async fn serve(addresses: &Addresses) -> anyhow::Result<()> {
    let telemetry = telemetry::init(&TelemetrySettings::default())?;
    let fabric = Fabric::connect(Options::new(&addresses.nats, "bench-host")).await?;
    let resources = ResourceStore::open(fabric.jetstream()).await?.watch();
    resources.ready().await;
    let (health, shutdown) = (Health::new(), Shutdown::new());
    let deps = HostDeps {
        redis: Redis::connect(&RedisOptions::new(&addresses.redis)).await?,
        settings: HostSettings { private_networks: true, inline_secrets: true, ..HostSettings::default() },
        fabric,
        resources,
        media: Arc::new(NoMedia),
        health: health.clone(),
        shutdown: shutdown.clone(),
    };
    let mut hosted = ChannelHost::new(Sms).webhook().provider().start(&deps).await?;
    let router = hosted.take_router().merge(health.router(&telemetry.handle()));
    let settings = HttpSettings { addr: SocketAddr::from(([127, 0, 0, 1], 0)), ..HttpSettings::default() };
    let server = HttpServer::bind(&settings).await?;
    health.ready().await;
    println!("{}", server.local_addr());
    tokio::select! {
        served = server.serve(router, shutdown) => served?,
        () = until_let_go() => {}
    }
    Ok(())
}
