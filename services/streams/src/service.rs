//! The service put together.

use std::sync::Arc;

use axum::Router;
use futures::{Stream, stream};
use heliograph_fabric::Fabric;
use heliograph_media::Links;
use heliograph_proto::{
    DESCRIPTORS,
    v1::{SubscribeResponse, stream_service_server::StreamServiceServer},
};
use heliograph_runtime::{
    Check, Health, Shutdown, Telemetry,
    grpc::{GrpcServer, RoutesBuilder},
    http::HttpServer,
};
use tokio::sync::mpsc;

use crate::{GRPC_SERVICE, StreamsConfig, StreamsError, grpc, media, metrics::Metrics, source::Source, sse};

/// What the service stands on.
#[derive(Clone, Debug)]
pub struct StreamsDeps {
    /// The broker.
    pub fabric: Fabric,
    /// Links to media.
    pub links: Links,
    /// Where readiness is told; a [`Health::scope`] of its own when the process runs more than this service.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// What subscriptions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: StreamsConfig,
    pub(crate) fabric: Fabric,
    pub(crate) links: Links,
    pub(crate) metrics: Metrics,
    pub(crate) shutdown: Shutdown,
}

/// Why a subscription ended from our side.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// The process stops.
    #[error("the service restarts; subscribe again after the last sequence seen")]
    Restart,
    /// The stream cannot be read any more.
    #[error("the stream cannot be read; subscribe again after the last sequence seen")]
    Broken,
}

impl Shared {
    /// The events of a source as they come. A subscriber that does not read holds its reader back, and nothing else.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        transport: &'static str,
        mut source: Source,
    ) -> impl Stream<Item = Result<SubscribeResponse, Ended>> + Send + 'static {
        let (queue, waiting) = mpsc::channel(self.config.read_ahead);
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            shared.metrics.opened(transport);
            loop {
                let next = tokio::select! {
                    next = source.next() => next,
                    () = queue.closed() => break,
                    () = shared.shutdown.draining() => {
                        // Without room the subscriber sees the end all the same.
                        let _ = queue.try_send(Err(Ended::Restart));
                        break;
                    }
                };
                let item = next.map_err(|error| {
                    tracing::error!(%error, "a subscription ended");
                    Ended::Broken
                });
                let last = item.is_err();
                let sent = tokio::select! {
                    sent = queue.send(item) => sent.is_ok(),
                    () = shared.shutdown.draining() => false,
                };
                if last || !sent {
                    break;
                }
                shared.metrics.event(transport);
            }
            shared.metrics.closed(transport);
        });
        stream::unfold(waiting, |mut waiting| async move { Some((waiting.recv().await?, waiting)) })
    }
}

/// The service, ready to be mounted on an HTTP and a gRPC server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Streams {
    shared: Arc<Shared>,
}

impl Streams {
    /// Puts it together. Nothing listens yet.
    ///
    /// # Errors
    /// When a setting cannot work or the broker is not provisioned.
    pub async fn start(config: StreamsConfig, deps: StreamsDeps) -> Result<Self, StreamsError> {
        config.check()?;
        let StreamsDeps { fabric, links, health, shutdown } = deps;
        fabric.check().await?;
        follow(&fabric, health.check("broker"), shutdown.clone());
        let shared = Shared { config, fabric, links, metrics: Metrics::new(), shutdown };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Server-sent events and the way to media, below `/streams`.
    pub fn router(&self) -> Router {
        sse::router(Arc::clone(&self.shared)).merge(media::router(Arc::clone(&self.shared)))
    }

    /// Adds `StreamService` to a gRPC server's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        routes.add_service(StreamServiceServer::new(grpc::Service { shared: Arc::clone(&self.shared) }));
    }
}

/// Runs the service alone on these servers until shutdown.
///
/// # Errors
/// When it cannot start, or a server fails.
pub async fn run(
    config: StreamsConfig,
    deps: StreamsDeps,
    http: HttpServer,
    grpc: GrpcServer,
    telemetry: &Telemetry,
) -> Result<(), StreamsError> {
    let (health, shutdown) = (deps.health.clone(), deps.shutdown.clone());
    let streams = Streams::start(config, deps).await?;
    let mut routes = RoutesBuilder::default();
    streams.add_to(&mut routes);
    let grpc = grpc.service_name(GRPC_SERVICE).descriptors(DESCRIPTORS);
    let router = streams.router().merge(health.router(telemetry));
    tokio::try_join!(http.serve(router, shutdown.clone()), grpc.serve(routes.routes(), shutdown))?;
    Ok(())
}

/// Ready while the broker can be reached.
fn follow(fabric: &Fabric, check: Check, shutdown: Shutdown) {
    let link = fabric.link();
    tokio::spawn(async move {
        tokio::select! {
            () = check.follow(link, |link| link.connected, "not connected to NATS") => {}
            () = shutdown.cancelled() => {}
        }
    });
}
