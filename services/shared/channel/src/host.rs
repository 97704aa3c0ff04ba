//! What runs a channel: accounts that follow their resources, the ingress, and `ChannelService`.
//!
//! ```ignore
//! // A channel whose provider calls us and is called over HTTP:
//! ChannelHost::new(Sms).webhook().provider().start(&deps).await?.run(http, grpc, &telemetry).await
//! // A channel with routes of its own and nobody behind it:
//! ChannelHost::new(WebChat::default()).routes(webchat::routes).carrier().start(&deps).await?
//! ```
//!
//! In production a channel has a process of its own ([`Hosted::run`]). In development all of them share one HTTP
//! listener ([`Hosted::take_router`]) and each has a gRPC port of its own ([`Hosted::serve_grpc`]).

mod accounts;
mod attach;
mod ingress;
mod inlet;
mod load;
mod media;
mod memory;
mod metrics;
mod outlet;
mod passive;
mod recall;
mod service;
mod settings;
mod shelf;
mod sink;
mod via_http;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::Router;
use heliograph_fabric::{Fabric, ProvisionError};
use heliograph_proto::DESCRIPTORS;
use heliograph_runtime::{
    Check, Health, Shutdown, Telemetry,
    config::{GrpcSettings, HttpSettings},
    grpc::GrpcServer,
    http::{HttpServer, ServerError},
    http_client::ClientError,
};
use heliograph_store::{
    Redis,
    answered::Answered,
    handles::Handles,
    replies::Replies,
    resources::ResourceView,
    seen::{self, Seen},
};
use tonic::service::Routes;

pub use accounts::{Accounts, NoAccount};
pub use inlet::{Inlet, InletError};
pub use load::raw_account;
pub use memory::{AccountName, LocalMemory, Memory};
pub use outlet::{NoAnswer, Outlet};
pub use settings::HostSettings;
pub use shelf::{NoMedia, Shelf, ShelfError};
pub use sink::{Sink, SinkError, Stored};
pub use via_http::ViaHttp;

use crate::{Carrier, Channel, Provider, Webhook};
pub use ingress::Clock;

use ingress::Ingress;
use load::Loader;
use memory::RedisMemory;
use metrics::Metrics;
use passive::Passive;
use recall::Recall;
use service::Service;
use sink::InboundStream;

/// What the channels of a process share.
#[derive(Clone)]
pub struct HostDeps {
    /// The broker.
    pub fabric: Fabric,
    /// Idempotency records and provider tokens.
    pub redis: Redis,
    /// The resources, of which the channel's accounts are taken.
    pub resources: ResourceView,
    /// Media of ours that messages carry.
    pub media: Arc<dyn Shelf>,
    /// The section `channel`.
    pub settings: HostSettings,
    /// Where readiness is told; give each channel a [`Health::scope`] of its own.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// What a channel with routes of its own is given.
pub struct RouteContext<C: Channel> {
    /// The channel itself.
    pub channel: Arc<C>,
    /// Its accounts.
    pub accounts: Accounts<C::Settings>,
    /// Where its events become durable.
    pub inlet: Inlet,
    /// When to close connections that stay open.
    pub shutdown: Shutdown,
}

/// Why a channel cannot be hosted.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The broker is not provisioned.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// No HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A server cannot start.
    #[error(transparent)]
    Server(#[from] ServerError),
}

type MakeRoutes<C> = Box<dyn FnOnce(RouteContext<C>) -> Router + Send>;
type Carriers<C> = Arc<dyn Carrier<Settings = <C as Channel>::Settings>>;
type MakeCarrier<C> = Box<dyn FnOnce(Arc<C>, &HostDeps) -> Result<Carriers<C>, HostError> + Send>;
type MakeIngress<C> = Box<dyn FnOnce(RouteContext<C>, Arc<Metrics>, Passive, usize) -> Router + Send>;

/// A channel and how it is hosted.
pub struct ChannelHost<C: Channel> {
    channel: Arc<C>,
    ingress: Option<MakeIngress<C>>,
    carrier: Option<MakeCarrier<C>>,
    answer_within: Option<Duration>,
}

impl<C: Channel> ChannelHost<C> {
    /// Nothing is served yet: say how by [`webhook`](Self::webhook) or [`routes`](Self::routes), and by
    /// [`provider`](Self::provider) or [`carrier`](Self::carrier).
    pub fn new(channel: C) -> Self {
        Self { channel: Arc::new(channel), ingress: None, carrier: None, answer_within: None }
    }

    /// Providers call `/<channel>/<account>`.
    #[must_use]
    pub fn webhook(mut self) -> Self
    where
        C: Webhook,
    {
        self.ingress = Some(Box::new(|context, metrics, passive, body_limit| {
            let RouteContext { channel, accounts, inlet, .. } = context;
            let (name, clock) = (channel.name(), Arc::new(ingress::wall_clock));
            let passive = Some(passive);
            Ingress { channel, name, accounts, inlet, passive, metrics, body_limit, clock }.router()
        }));
        self
    }

    /// The channel serves routes of its own, all of them below `/<channel>`.
    #[must_use]
    pub fn routes(mut self, routes: impl FnOnce(RouteContext<C>) -> Router + Send + 'static) -> Self {
        let routes: MakeRoutes<C> = Box::new(routes);
        self.ingress = Some(Box::new(|context, _, _, _| routes(context)));
        self
    }

    /// Deliveries go to the provider over HTTP.
    #[must_use]
    pub fn provider(mut self) -> Self
    where
        C: Provider,
    {
        self.carrier = Some(Box::new(|channel, deps| {
            let outlet = Outlet::new(&deps.settings)?;
            let (shelf, limit) = (Arc::clone(&deps.media), deps.settings.media_limit);
            Ok(Arc::new(ViaHttp::new(channel, outlet, &deps.fabric, &deps.redis, shelf, limit)))
        }));
        self
    }

    /// The channel carries deliveries itself.
    #[must_use]
    pub fn carrier(mut self) -> Self
    where
        C: Carrier,
    {
        self.carrier = Some(Box::new(|channel, _| Ok(channel)));
        self
    }

    /// The provider waits no longer than this, so what cannot be stored by then is answered 503.
    #[must_use]
    pub fn answer_within(mut self, deadline: Duration) -> Self {
        self.answer_within = Some(deadline);
        self
    }

    /// Starts following the accounts, and puts router and service together. Nothing listens yet.
    ///
    /// # Errors
    /// When the broker is not provisioned, or no HTTP client can be made.
    pub async fn start(self, deps: &HostDeps) -> Result<Hosted, HostError> {
        let name = self.channel.name();
        let settings = &deps.settings;
        let metrics = Arc::new(Metrics::new(name));
        let loader = Loader::<C::Settings> {
            channel: name,
            inline_secrets: settings.inline_secrets,
            metrics: Arc::clone(&metrics),
            check: deps.health.check("accounts"),
            made: HashMap::new(),
        };
        let accounts = loader.follow(deps.resources.clone(), deps.shutdown.clone());
        follow_broker(&deps.fabric, deps.health.check("broker"), deps.shutdown.clone());

        let partitions = deps.fabric.layout().await?.inbound;
        let source = format!("heliograph/{name}");
        let sink = InboundStream { fabric: deps.fabric.clone(), partitions, source };
        let seen = Seen::new(deps.redis.clone(), "inbound", seen::DEFAULT_TTL);
        let memory = RedisMemory::start(
            seen,
            Replies::new(deps.redis.clone()),
            Recall::new(Handles::new(deps.redis.clone())),
        );
        let passive = Passive::new(deps.fabric.clone(), Answered::new(deps.redis.clone()));
        let deadline =
            self.answer_within.map_or(settings.publish_deadline, |most| most.min(settings.publish_deadline));
        let inlet = Inlet::new(Arc::new(sink), Arc::new(memory), Arc::clone(&metrics), deadline);

        let router = match self.ingress {
            Some(ingress) => {
                let context = RouteContext {
                    channel: Arc::clone(&self.channel),
                    accounts: accounts.clone(),
                    inlet,
                    shutdown: deps.shutdown.clone(),
                };
                ingress(context, Arc::clone(&metrics), passive.clone(), settings.body_limit)
            }
            None => Router::new(),
        };
        let routes = match self.carrier {
            Some(carrier) => {
                let carrier = carrier(self.channel, deps)?;
                Service { name, carrier, accounts, metrics }.routes()
            }
            None => Routes::default(),
        };
        Ok(Hosted { name, router, routes, health: deps.health.clone(), shutdown: deps.shutdown.clone() })
    }
}

/// A channel whose accounts are followed; its servers are yet to be started.
#[derive(Debug)]
pub struct Hosted {
    name: &'static str,
    router: Router,
    routes: Routes,
    health: Health,
    shutdown: Shutdown,
}

impl Hosted {
    /// The channel's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The channel's routes, all of them below `/<channel>`, for a listener that several channels share.
    pub fn take_router(&mut self) -> Router {
        std::mem::take(&mut self.router)
    }

    /// Serves `ChannelService` with health and reflection on `server` until shutdown.
    ///
    /// # Errors
    /// When TLS or reflection cannot be set up.
    pub async fn serve_grpc(self, server: GrpcServer) -> Result<(), ServerError> {
        let server = server.service_name("heliograph.v1.ChannelService").descriptors(DESCRIPTORS);
        server.serve(self.routes, self.shutdown).await
    }

    /// Runs the channel as a process of its own: webhooks, `/livez`, `/readyz` and `/metrics` on the one listener,
    /// `ChannelService` on the other, until shutdown.
    ///
    /// # Errors
    /// When one of them cannot listen.
    pub async fn run(
        mut self,
        http: &HttpSettings,
        grpc: &GrpcSettings,
        telemetry: &Telemetry,
    ) -> Result<(), HostError> {
        let router = self.take_router().merge(self.health.router(telemetry));
        let http = HttpServer::bind(http).await?;
        let grpc = GrpcServer::bind(grpc, &self.health).await?;
        tracing::info!(channel = self.name, http = %http.local_addr(), grpc = %grpc.local_addr(), "serving");
        let shutdown = self.shutdown.clone();
        tokio::try_join!(http.serve(router, shutdown), self.serve_grpc(grpc))?;
        Ok(())
    }
}

/// The host's ingress over any sink and memory, without broker or resources: what the conformance suite calls.
pub fn ingress_for_tests<W: Webhook>(
    channel: Arc<W>,
    accounts: Accounts<W::Settings>,
    sink: Arc<dyn Sink>,
    memory: Arc<dyn Memory>,
    body_limit: usize,
    clock: Clock,
) -> Router {
    let metrics = Arc::new(Metrics::new(channel.name()));
    let inlet = Inlet::new(sink, memory, Arc::clone(&metrics), HostSettings::default().publish_deadline);
    let name = channel.name();
    Ingress { channel, name, accounts, inlet, passive: None, metrics, body_limit, clock }.router()
}

/// Keeps readiness in step with the broker: without it every webhook is answered 503.
fn follow_broker(fabric: &Fabric, check: Check, shutdown: Shutdown) {
    let link = fabric.link();
    tokio::spawn(async move {
        tokio::select! {
            () = check.follow(link, |link| link.connected, "not connected to NATS") => {}
            () = shutdown.cancelled() => {}
        }
    });
}
