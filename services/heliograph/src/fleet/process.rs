//! The services of a process behind one HTTP and one gRPC listener.
//!
//! Every channel implements the same gRPC service, so only one channel fits on a listener: when there are more of them,
//! or other services beside one, each channel gets a loopback listener of its own and egress is told where.

use std::{collections::BTreeMap, net::SocketAddr};

use anyhow::Context as _;
use axum::Router;
use heliograph_channel::host::Hosted;
use heliograph_proto::DESCRIPTORS;
use heliograph_runtime::{
    Lifecycle, Telemetry,
    config::{ChannelEndpoint, GrpcSettings},
    grpc::{GrpcServer, RoutesBuilder},
    http::{HttpServer, ServerError},
};
use serde::Serialize;

use super::{Ground, Part, SERVICES};
use crate::channels;

/// The listeners of a process, before anything is served.
#[derive(Debug)]
pub struct Servers {
    /// Webhooks, desk, widget, health.
    pub http: HttpServer,
    /// gRPC services.
    pub grpc: GrpcServer,
}

impl Servers {
    /// Listens where the settings say.
    pub async fn bind(ground: &Ground) -> anyhow::Result<Self> {
        let http =
            HttpServer::bind(&ground.settings.http).await.map_err(|error| elsewhere(&error, "--http"))?;
        let grpc = GrpcServer::bind(&ground.settings.grpc, &ground.health)
            .await
            .map_err(|error| elsewhere(&error, "--grpc"))?;
        Ok(Self { http, grpc })
    }
}

/// Says what to do about an address that cannot be listened on.
pub fn elsewhere(error: &ServerError, flag: &str) -> anyhow::Error {
    anyhow::anyhow!("{error}; say another address with {flag}, port 0 takes a free one")
}

/// Where a process answers.
#[derive(Clone, Debug, Serialize)]
pub struct Addresses {
    /// HTTP.
    pub http: SocketAddr,
    /// gRPC, without channels that have listeners of their own.
    pub grpc: SocketAddr,
    /// `ChannelService` of each channel in the process.
    pub channels: BTreeMap<String, SocketAddr>,
}

/// Started services, before their servers serve.
pub struct Process {
    addresses: Addresses,
    servers: Servers,
    http: Router,
    grpc: RoutesBuilder,
    grpc_names: Vec<&'static str>,
    tasks: Vec<(&'static str, super::services::Task)>,
    /// The only channel, which has the main listener for itself.
    alone: Option<Hosted>,
    /// Channels with listeners of their own.
    beside: Vec<(Hosted, GrpcServer)>,
    ground: Ground,
}

impl Process {
    /// Starts services and channels by name: channels first, so that the others know where they answer.
    ///
    /// # Errors
    /// When a service lacks something of the configuration, or the broker refuses.
    pub async fn start(names: &[String], mut ground: Ground, servers: Servers) -> anyhow::Result<Self> {
        let rows: Vec<_> = SERVICES.iter().filter(|row| names.iter().any(|name| name == row.name)).collect();
        let hosted: Vec<_> =
            channels::CHANNELS.iter().filter(|row| names.iter().any(|name| name == row.name)).collect();
        let mut addresses = Addresses {
            http: servers.http.local_addr(),
            grpc: servers.grpc.local_addr(),
            channels: BTreeMap::new(),
        };
        let only_one = hosted.len() == 1 && rows.is_empty();
        let (mut http, mut alone, mut beside) = (Router::new(), None, Vec::new());
        for row in hosted {
            let mut channel =
                (row.start)(&ground).await.with_context(|| format!("{} cannot start", row.name))?;
            http = http.merge(channel.take_router());
            let at = if only_one {
                alone = Some(channel);
                addresses.grpc
            } else {
                let settings = GrpcSettings {
                    addr: SocketAddr::from(([127, 0, 0, 1], 0)),
                    ..ground.settings.grpc.clone()
                };
                let server = GrpcServer::bind(&settings, &ground.health).await?;
                let at = server.local_addr();
                beside.push((channel, server));
                at
            };
            addresses.channels.insert(row.name.to_owned(), at);
            ground
                .endpoints
                .insert(row.name.to_owned(), ChannelEndpoint { endpoint: format!("http://{at}") });
        }
        let (mut grpc, mut grpc_names, mut tasks) = (RoutesBuilder::default(), Vec::new(), Vec::new());
        for row in rows {
            let part: Part = (row.start)(ground.clone(), &mut grpc)
                .await
                .with_context(|| format!("{} cannot start", row.name))?;
            http = http.merge(part.http);
            grpc_names.extend(part.grpc_name);
            tasks.extend(part.task.map(|task| (row.name, task)));
        }
        Ok(Self { addresses, servers, http, grpc, grpc_names, tasks, alone, beside, ground })
    }

    /// Where it answers.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Serves until the lifecycle ends. `more` are routes of the process itself.
    pub fn serve(self, lifecycle: &mut Lifecycle, telemetry: &Telemetry, more: Router) {
        let Self { servers, http, grpc, grpc_names, tasks, alone, beside, ground, .. } = self;
        let shutdown = ground.shutdown.clone();
        let router = http.merge(more).merge(ground.health.router(telemetry));
        lifecycle.spawn("http", servers.http.serve(router, shutdown.clone()));
        if let Some(channel) = alone {
            lifecycle.spawn("grpc", channel.serve_grpc(servers.grpc));
        } else {
            let server = grpc_names.into_iter().fold(servers.grpc, GrpcServer::service_name);
            lifecycle.spawn("grpc", server.descriptors(DESCRIPTORS).serve(grpc.routes(), shutdown));
        }
        for (channel, server) in beside {
            lifecycle.spawn(format!("grpc of {}", channel.name()), channel.serve_grpc(server));
        }
        for (name, task) in tasks {
            lifecycle.spawn(name, task);
        }
    }
}
