//! The desk put together.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use heliograph_fabric::Fabric;
use heliograph_media::{Face, Intake, Links};
use heliograph_proto::{DESCRIPTORS, v1::desk_service_server::DeskServiceServer};
use heliograph_runtime::{
    Check, Health, Shutdown, Telemetry,
    config::ChannelEndpoint,
    grpc::{GrpcServer, RoutesBuilder},
    http::HttpServer,
};
use heliograph_store::{Redis, rate::RateLimiter, resources::ResourceView, windows::Windows};
use tokio_util::task::TaskTracker;

use crate::{
    DeskConfig, DeskError, GRPC_SERVICE,
    auth::Tokens,
    board::Boards,
    carriers::Carriers,
    grpc,
    http::{self, Web},
    metrics::Metrics,
    people::People,
    policies::Policies,
    roster::Roster,
    routing::Routing,
    session::Shared,
    sign_in::Users,
    tail::Tails,
    tally::{self, Tally},
};

/// Largest frame of a client over gRPC, in bytes: a reply of 64 KiB and room around it.
const FRAME_BYTES: usize = 512 * 1024;

/// What the desk stands on.
#[derive(Clone, Debug)]
pub struct DeskDeps {
    /// The broker.
    pub fabric: Fabric,
    /// Rate limits.
    pub redis: Redis,
    /// Agents and their queues.
    pub resources: ResourceView,
    /// How what agents attach is taken in, and where it is kept with what customers sent.
    pub intake: Intake,
    /// Links to it.
    pub links: Links,
    /// Where channels say which files they carry; agents are not told of others'.
    pub channels: BTreeMap<String, ChannelEndpoint>,
    /// Where readiness is told; a [`Health::scope`] of its own when the process runs more than the desk.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// The desk, ready to be mounted on an HTTP and a gRPC server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Desk {
    shared: Arc<Shared>,
    intake: Intake,
    shutdown: Shutdown,
}

impl Desk {
    /// Puts it together. Nothing listens yet.
    ///
    /// # Errors
    /// When a setting cannot work or the broker is not provisioned.
    pub async fn start(config: DeskConfig, deps: DeskDeps) -> Result<Self, DeskError> {
        config.check()?;
        let DeskDeps { fabric, redis, resources, intake, links, channels, health, shutdown } = deps;
        fabric.check().await?;
        let partitions = fabric.layout().await?.routing;
        follow(&fabric, resources.clone(), health.check("broker"), shutdown.clone());

        let tokens = Arc::new(Tokens::new(&config));
        let routing = Routing::new(fabric.clone(), partitions, config.publish_deadline);
        let roster =
            Roster::new(routing.clone(), config.heartbeat, config.disconnect_grace, shutdown.clone());
        let people = People::open(&fabric, redis.clone())
            .await
            .map_err(|error| DeskError::Bucket(error.to_string()))?;
        let tally = Tally::open(&fabric).await.map_err(|error| DeskError::Bucket(error.to_string()))?;
        let policies = Policies::start(resources.clone());
        let windows = Windows::new(redis.clone());
        let boards = Boards::new(routing.clone(), resources.clone(), config.board_every);
        let users = Users {
            resources,
            limiter: RateLimiter::new(redis),
            tokens,
            by_password: config.dev_users,
            per_minute: config.sign_ins_per_minute,
        };
        let shared = Shared {
            tails: Tails::new(fabric.clone(), config.ring_events),
            config,
            fabric,
            routing,
            boards,
            roster,
            users,
            links,
            carriers: Carriers::new(&channels)?,
            largest_file: intake.limit(),
            policies,
            people,
            windows,
            tally,
            metrics: Metrics::new(),
            shutdown: shutdown.clone(),
            unfinished: TaskTracker::new(),
        };
        let shared = Arc::new(shared);
        let counting = tally::keep(&shared.fabric, &shared.tally);
        let stop = shutdown.clone();
        shared.unfinished.spawn(async move {
            stop.draining().await;
            counting.shutdown().await;
        });
        Ok(Self { shared, intake, shutdown })
    }

    /// The page, signing in, media and the WebSocket, all below `/desk`.
    pub fn router(&self) -> Router {
        let face = Face::new(self.intake.store().clone(), self.shared.links.clone());
        http::router(Web { shared: Arc::clone(&self.shared), intake: self.intake.clone(), face })
    }

    /// Adds `DeskService` to a gRPC server's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        let service = grpc::Service { shared: Arc::clone(&self.shared) };
        routes.add_service(DeskServiceServer::new(service).max_decoding_message_size(FRAME_BYTES));
    }

    /// Completes once the process drains and every command that was taken is stored, or given up.
    pub async fn drained(&self) {
        self.shutdown.draining().await;
        self.shared.unfinished.close();
        tokio::select! {
            () = self.shared.unfinished.wait() => {}
            () = self.shutdown.cancelled() => {}
        }
    }
}

/// Runs the desk alone on these servers until shutdown.
///
/// # Errors
/// When it cannot start, or a server fails.
pub async fn run(
    config: DeskConfig,
    deps: DeskDeps,
    http: HttpServer,
    grpc: GrpcServer,
    telemetry: &Telemetry,
) -> Result<(), DeskError> {
    let (health, shutdown) = (deps.health.clone(), deps.shutdown.clone());
    let desk = Desk::start(config, deps).await?;
    let mut routes = RoutesBuilder::default();
    desk.add_to(&mut routes);
    let grpc = grpc.service_name(GRPC_SERVICE).descriptors(DESCRIPTORS);
    let router = desk.router().merge(health.router(telemetry));
    let drained = async {
        desk.drained().await;
        Ok(())
    };
    tokio::try_join!(http.serve(router, shutdown.clone()), grpc.serve(routes.routes(), shutdown), drained)?;
    Ok(())
}

/// Ready while the broker can be reached, once the resources are known.
fn follow(fabric: &Fabric, resources: ResourceView, check: Check, shutdown: Shutdown) {
    let link = fabric.link();
    tokio::spawn(async move {
        let follow = async {
            resources.ready().await;
            check.follow(link, |link| link.connected, "not connected to NATS").await;
        };
        tokio::select! {
            () = follow => {}
            () = shutdown.cancelled() => {}
        }
    });
}
