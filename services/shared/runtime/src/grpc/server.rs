//! The server.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tonic::service::Routes;

use super::observe::ObserveLayer;
use crate::{
    Health, Shutdown,
    config::GrpcSettings,
    http::{ServerError, bind},
    serve::{self, Limits},
    tls,
};

/// A gRPC server that listens but does not serve yet: connections wait until [`serve`](Self::serve).
#[derive(Debug)]
pub struct GrpcServer {
    listener: TcpListener,
    local_addr: SocketAddr,
    settings: GrpcSettings,
    health: Health,
    service_names: Vec<String>,
    descriptors: Vec<&'static [u8]>,
}

impl GrpcServer {
    /// Listens on `settings.addr`. `health` is what the gRPC health service will answer.
    pub async fn bind(settings: &GrpcSettings, health: &Health) -> Result<Self, ServerError> {
        let (listener, local_addr) = bind(settings.addr).await?;
        Ok(Self {
            listener,
            local_addr,
            settings: settings.clone(),
            health: health.clone(),
            service_names: Vec::new(),
            descriptors: Vec::new(),
        })
    }

    /// Adds a full service name (`heliograph.v1.ChannelService`) that the health service answers for.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_names.push(name.into());
        self
    }

    /// Adds an encoded file descriptor set that reflection serves.
    #[must_use]
    pub fn descriptors(mut self, encoded: &'static [u8]) -> Self {
        self.descriptors.push(encoded);
        self
    }

    /// The address in force, with the port that was found when 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves `routes`, health and reflection until `shutdown` drains, then lets calls finish until it cancels.
    ///
    /// Around every call: the peer's address, a span that continues the caller's trace, the caller's deadline
    /// (`grpc-timeout`) and `rpc.server.duration`. A connection is told to go away at `max_connection_age`, a tenth
    /// more or less, and cut after the grace. An endless stream watches `shutdown.draining()` itself and ends.
    pub async fn serve(self, routes: Routes, shutdown: Shutdown) -> Result<(), ServerError> {
        let Self { listener, settings, health, service_names, descriptors, .. } = self;
        let tls = settings.tls.as_ref().map(|tls| tls::acceptor(tls, &[b"h2"])).transpose()?;
        let (reporter, health_service) = tonic_health::server::health_reporter();
        health.mirror(reporter, service_names, shutdown.clone());
        let mut reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
        for encoded in descriptors {
            reflection = reflection.register_encoded_file_descriptor_set(encoded);
        }
        let router = routes
            .add_service(health_service)
            .add_service(reflection.build_v1()?)
            .into_axum_router()
            .layer(ObserveLayer::new())
            .with_state(());
        let limits = Limits {
            // Clients of other makes connect long before they call; pings find out whether they are alive.
            first_request: settings.max_connection_age,
            header_read: std::time::Duration::from_secs(10),
            idle: None,
            age: Some((settings.max_connection_age, settings.max_connection_age_grace)),
            max_header_bytes: 16 * 1024,
            keepalive: (settings.keepalive_interval, settings.keepalive_timeout),
            max_concurrent_streams: settings.max_concurrent_streams,
            http2_only: true,
        };
        serve::serve(listener, tls, router, limits, shutdown).await;
        Ok(())
    }
}
