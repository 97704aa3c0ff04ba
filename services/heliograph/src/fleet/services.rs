//! The services besides channels: how each is started on its ground.

use anyhow::Context as _;
use axum::Router;
use futures::{FutureExt as _, future::BoxFuture};
use heliograph_desk::{Desk, DeskDeps};
use heliograph_egress::{Egress, EgressDeps};
use heliograph_media_service::{Media, MediaDeps};
use heliograph_proto::v1::admin_service_server::AdminServiceServer;
use heliograph_router::RouterDeps;
use heliograph_runtime::grpc::RoutesBuilder;
use heliograph_streams::{Streams, StreamsDeps};

use super::Ground;
use crate::{
    admin::{Admin, AdminApi, AdminSettings},
    channels, connect,
    failure::Unconfigured,
};

/// A part of a service that runs until shutdown.
pub(super) type Task = BoxFuture<'static, anyhow::Result<()>>;

/// A started service: what it adds to the process's servers, and what runs beside them.
#[derive(Default)]
pub struct Part {
    /// Routes of its own.
    pub http: Router,
    /// The full name of its gRPC service.
    pub grpc_name: Option<&'static str>,
    /// What runs beside the servers.
    pub task: Option<Task>,
}

/// A service as the binary knows it.
pub struct ServiceRow {
    /// Target of `heliograph run`.
    pub name: &'static str,
    /// What it does, for `heliograph run --help`.
    pub about: &'static str,
    /// Starts it on its ground and adds its gRPC service to the process's; nothing listens yet.
    pub start: for<'a> fn(Ground, &'a mut RoutesBuilder) -> BoxFuture<'a, anyhow::Result<Part>>,
}

/// Every service that is no channel.
pub const SERVICES: &[ServiceRow] = &[
    ServiceRow {
        name: "router",
        about: "decides which channels a region may use and who answers",
        start: |ground, _| router(ground).boxed(),
    },
    ServiceRow {
        name: "egress",
        about: "hands messages to channels; EgressService",
        start: |ground, routes| egress(ground, routes).boxed(),
    },
    ServiceRow {
        name: "desk",
        about: "agents and supervisors: page, WebSocket, DeskService",
        start: |ground, routes| desk(ground, routes).boxed(),
    },
    ServiceRow {
        name: "media",
        about: "files of messages: fetched from providers, scanned, given out by links",
        start: |ground, _| media(ground).boxed(),
    },
    ServiceRow {
        name: "streams",
        about: "integrators: StreamService and server-sent events",
        start: |ground, routes| streams(ground, routes).boxed(),
    },
    ServiceRow {
        name: "admin",
        about: "operators: AdminService",
        start: |ground, routes| admin(ground, routes).boxed(),
    },
];

/// Every name `heliograph run` takes, with what it is.
pub fn known() -> Vec<(&'static str, &'static str)> {
    let services = SERVICES.iter().map(|row| (row.name, row.about));
    services.chain(channels::CHANNELS.iter().map(|row| (row.name, row.about))).collect()
}

async fn router(ground: Ground) -> anyhow::Result<Part> {
    let deps = RouterDeps {
        snapshots: ground.snapshots().await.context("router: snapshots")?,
        channels: channels::capabilities(),
        config: ground.settings.section(heliograph_router::SECTION)?,
        fabric: ground.fabric,
        redis: ground.redis,
        health: ground.health,
    };
    let task = async move { Ok(heliograph_router::run(deps, ground.shutdown).await?) };
    Ok(Part { task: Some(task.boxed()), ..Part::default() })
}

async fn egress(ground: Ground, routes: &mut RoutesBuilder) -> anyhow::Result<Part> {
    let deps = EgressDeps {
        links: ground.links().await.context("egress: media")?,
        config: ground.settings.section(heliograph_egress::SECTION)?,
        fabric: ground.fabric,
        redis: ground.redis,
        resources: ground.resources,
        channels: ground.endpoints,
        health: ground.health,
        shutdown: ground.shutdown,
    };
    let egress = Egress::start(deps).await?;
    egress.add_to(routes);
    Ok(Part {
        grpc_name: Some(heliograph_egress::SERVICE_NAME),
        task: Some(egress.drained().map(Ok).boxed()),
        ..Part::default()
    })
}

async fn desk(ground: Ground, routes: &mut RoutesBuilder) -> anyhow::Result<Part> {
    let deps = DeskDeps {
        intake: ground.intake().await.context("desk: media")?,
        links: ground.links().await.context("desk: media")?,
        channels: ground.endpoints.clone(),
        fabric: ground.fabric.clone(),
        redis: ground.redis.clone(),
        resources: ground.resources.clone(),
        health: ground.health.scope("desk"),
        shutdown: ground.shutdown.clone(),
    };
    let desk = Desk::start(ground.settings.section(heliograph_desk::SECTION)?, deps).await?;
    desk.add_to(routes);
    Ok(Part {
        http: desk.router(),
        grpc_name: Some(heliograph_desk::GRPC_SERVICE),
        task: Some(
            async move {
                desk.drained().await;
                Ok(())
            }
            .boxed(),
        ),
    })
}

async fn media(ground: Ground) -> anyhow::Result<Part> {
    let deps = MediaDeps {
        media: ground.media().await?,
        channels: ground.endpoints.clone(),
        fabric: ground.fabric.clone(),
        health: ground.health.clone(),
        shutdown: ground.shutdown.clone(),
    };
    let media = Media::start(ground.media_settings()?, deps).await?;
    Ok(Part {
        http: media.router(),
        task: Some(async move { Ok(media.drained().await?) }.boxed()),
        ..Part::default()
    })
}

async fn streams(ground: Ground, routes: &mut RoutesBuilder) -> anyhow::Result<Part> {
    let deps = StreamsDeps {
        fabric: ground.fabric.clone(),
        links: ground.links().await?,
        health: ground.health.scope("streams"),
        shutdown: ground.shutdown.clone(),
    };
    let streams = Streams::start(ground.settings.section(heliograph_streams::SECTION)?, deps).await?;
    streams.add_to(routes);
    Ok(Part { http: streams.router(), grpc_name: Some(heliograph_streams::GRPC_SERVICE), task: None })
}

async fn admin(ground: Ground, routes: &mut RoutesBuilder) -> anyhow::Result<Part> {
    let settings: AdminSettings = ground.settings.section("admin")?;
    let token = settings.token.ok_or_else(|| {
        Unconfigured(
            "admin: set `admin.token` (HELIOGRAPH__ADMIN__TOKEN), which callers must show".to_owned(),
        )
    })?;
    let admin = Admin::open(&ground.fabric, connect::rules(&ground.settings)?).await?;
    routes.add_service(AdminServiceServer::new(AdminApi::new(admin, token)));
    Ok(Part { grpc_name: Some("heliograph.v1.AdminService"), ..Part::default() })
}
