//! Egress as a service: channels, partitions, the API, readiness.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use heliograph_domain::ids;
use heliograph_fabric::{
    DeadLetters, Fabric, Ownership, OwnershipHandle, OwnershipOptions, Places, RoutingLog,
};
use heliograph_media::Links;
use heliograph_proto::{
    DESCRIPTORS,
    v1::{contact_service_server::ContactServiceServer, egress_service_server::EgressServiceServer},
};
use heliograph_runtime::{
    Check, Health, Shutdown,
    config::ChannelEndpoint,
    grpc::{ChannelOptions, GrpcServer, RoutesBuilder, channel_with},
};
use heliograph_store::{
    Redis,
    consent::ConsentStore,
    contacts::{ContactOptions, ContactStore},
    deliveries::DeliveryStore,
    questions::Questions,
    rate::RateLimiter,
    resources::ResourceView,
    sent::SentLog,
    trail::Trail,
    windows::Windows,
};
use tokio::task::JoinHandle;

use crate::{
    SERVICE_NAME,
    api::Api,
    book::Book,
    config::EgressConfig,
    customers::Customers,
    error::{Client, EgressError},
    group, late,
    line::{Line, Shared},
    metrics::Metrics,
    partition, signals,
};

/// What egress stands on.
#[derive(Clone, Debug)]
pub struct EgressDeps {
    /// The broker.
    pub fabric: Fabric,
    /// Windows, rates, questions.
    pub redis: Redis,
    /// The resources: accounts, tenants, policies.
    pub resources: ResourceView,
    /// Where each channel's `ChannelService` answers.
    pub channels: BTreeMap<String, ChannelEndpoint>,
    /// Links to files that a channel cannot carry.
    pub links: Links,
    /// The section `egress`.
    pub config: EgressConfig,
    /// Where readiness is told.
    pub health: Health,
    /// When to stop.
    pub shutdown: Shutdown,
}

/// Egress at work; its API is ready to be mounted on a gRPC server.
pub struct Egress {
    api: EgressServiceServer<Api>,
    customers: ContactServiceServer<Customers>,
    owned: Vec<OwnershipHandle>,
    watching: JoinHandle<()>,
    shutdown: Shutdown,
}

impl Egress {
    /// Starts the work of every channel in `deps.channels`. Returns once the resources are known; nothing listens yet.
    ///
    /// # Errors
    /// When the broker is not provisioned, or an endpoint is none. A channel or a broker that is away is waited for.
    pub async fn start(deps: EgressDeps) -> Result<Self, EgressError> {
        let EgressDeps { fabric, redis, resources, channels, links, config, health, shutdown } = deps;
        let health = health.scope("egress");
        let (broker, ready) = (health.check("nats"), health.check("resources"));
        fabric.check().await?;
        let layout = fabric.layout().await?;
        let shared = Arc::new(shared(&fabric, &redis, &resources, links, config).await?);
        let api = Api::new(&shared).await?;
        let customers = Customers::new(&shared, redis.clone()).await?;
        let lines = lines(&channels, &shared, &health)?;
        for line in &lines {
            tokio::spawn(late::listen(fabric.clone(), Arc::clone(line), shutdown.clone()));
            tokio::spawn(signals::show(fabric.clone(), Arc::clone(line), shutdown.clone()));
        }
        // Nothing is judged by resources that are not known.
        let known = tokio::select! {
            () = resources.ready() => true,
            () = shutdown.draining() => false,
        };
        shared.book.rewrite(&resources.snapshot());
        if known {
            ready.ready();
        }
        let member = shared.config.member.clone().unwrap_or_else(|| format!("egress-{}", std::process::id()));
        let options = OwnershipOptions {
            // A call that is under way comes to its end before its partition goes to another member.
            drain: shared.config.deliver_timeout + Duration::from_secs(5),
            ..OwnershipOptions::default()
        };
        let owned = lines
            .iter()
            .filter(|_| known)
            .map(|line| {
                let (name, line) = (group(&line.name), Arc::clone(line));
                Ownership::run(&fabric, &name, layout.outbound, &member, options, move |owned| {
                    let line = Arc::clone(&line);
                    async move { partition::run(&line, owned).await }
                })
            })
            .collect();
        let watching = tokio::spawn(watch(Arc::clone(&shared), broker, resources, lines, shutdown.clone()));
        let customers = ContactServiceServer::new(customers);
        Ok(Self { api: EgressServiceServer::new(api), customers, owned, watching, shutdown })
    }

    /// Adds `EgressService` and `ContactService` to a gRPC server's routes.
    pub fn add_to(&self, routes: &mut RoutesBuilder) {
        routes.add_service(self.api.clone());
        routes.add_service(self.customers.clone());
    }

    /// Works until told to stop, then hands its partitions over.
    pub async fn drained(self) {
        self.shutdown.draining().await;
        self.hand_over().await;
    }

    async fn hand_over(self) {
        let handed_over = futures::future::join_all(self.owned.into_iter().map(OwnershipHandle::shutdown));
        tokio::select! {
            _ = handed_over => {}
            () = self.shutdown.cancelled() => {}
        }
        self.watching.abort();
    }
}

/// Runs egress alone until told to stop: work of every channel in `deps.channels`, and `EgressService` on `grpc`.
///
/// # Errors
/// When it cannot start, or the server fails.
pub async fn run(deps: EgressDeps, grpc: GrpcServer) -> Result<(), EgressError> {
    let shutdown = deps.shutdown.clone();
    let egress = Egress::start(deps).await?;
    let mut routes = RoutesBuilder::default();
    egress.add_to(&mut routes);
    let server = grpc.service_name(SERVICE_NAME).descriptors(DESCRIPTORS);
    let served = server.serve(routes.routes(), shutdown.clone()).await;
    // A server that failed must not leave the partitions behind.
    if served.is_ok() {
        shutdown.draining().await;
    }
    egress.hand_over().await;
    served.map_err(EgressError::from)
}

async fn shared(
    fabric: &Fabric,
    redis: &Redis,
    resources: &ResourceView,
    links: Links,
    config: EgressConfig,
) -> Result<Shared, EgressError> {
    let context = fabric.jetstream();
    let layout = fabric.layout().await?;
    Ok(Shared {
        fabric: fabric.clone(),
        layout,
        log: RoutingLog::new(&Places::follow(fabric, layout.routing), None),
        dead: DeadLetters::new(fabric),
        deliveries: DeliveryStore::open(context).await.map_err(EgressError::bucket)?,
        consent: ConsentStore::open(context).await.map_err(EgressError::bucket)?,
        contacts: ContactStore::open(context, ContactOptions::default())
            .await
            .map_err(EgressError::bucket)?,
        sent: SentLog::new(redis.clone()),
        trail: Trail::open(context).await.map_err(EgressError::bucket)?,
        windows: Windows::new(redis.clone()),
        questions: Questions::new(redis.clone()),
        rate: RateLimiter::new(redis.clone()),
        resources: resources.clone(),
        book: Book::default(),
        links,
        config,
        metrics: Arc::new(Metrics::new()),
    })
}

fn lines(
    channels: &BTreeMap<String, ChannelEndpoint>,
    shared: &Arc<Shared>,
    health: &Health,
) -> Result<Vec<Arc<Line>>, EgressError> {
    let line = |(name, endpoint): (&String, &ChannelEndpoint)| {
        let wrong = |reason: String| EgressError::Channel { channel: name.clone(), reason };
        if !ids::is_name(name) {
            return Err(wrong("not a channel's name".to_owned()));
        }
        // Each call says its own deadline.
        let options = ChannelOptions { deadline: None, ..ChannelOptions::default() };
        let channel = channel_with(&endpoint.endpoint, &options).map_err(|error| wrong(error.to_string()))?;
        let check = health.check(&format!("channel-{name}"));
        Ok(Arc::new(Line::new(name, Arc::clone(shared), Client::new(channel), check)))
    };
    channels.iter().map(line).collect()
}

/// Keeps readiness and the book true, and tries accounts again that were put right.
async fn watch(
    shared: Arc<Shared>,
    broker: Check,
    mut resources: ResourceView,
    lines: Vec<Arc<Line>>,
    shutdown: Shutdown,
) {
    let mut link = shared.fabric.link();
    loop {
        if link.borrow_and_update().connected {
            broker.ready();
        } else {
            broker.not_ready("not connected");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = link.changed() => if changed.is_err() { return },
            snapshot = resources.changed() => {
                // Long policies take their time; whoever decides meanwhile is not held up.
                let writer = Arc::clone(&shared);
                let written = tokio::task::spawn_blocking(move || writer.book.rewrite(&snapshot));
                if written.await.is_err() {
                    tracing::error!("what the resources say now could not be taken in; what they said before holds");
                }
                for line in &lines {
                    line.refresh_accounts();
                }
            }
        }
    }
}
