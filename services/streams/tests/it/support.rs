//! A broker with events, and a service on free ports.

use std::{future::Future, net::SocketAddr, time::Duration};

use heliograph_fabric::{
    Envelope, Fabric, Layout, Options, Plan,
    provision::{ProvisionOptions, provision},
    publish::within,
    subjects,
};
use heliograph_media::{Links, MediaSettings};
use heliograph_proto::v1::Event;
use heliograph_runtime::{
    Health, Shutdown,
    config::{GrpcSettings, HttpSettings},
    grpc::{GrpcServer, RoutesBuilder},
    http::HttpServer,
};
use heliograph_streams::{ApiToken, Streams, StreamsConfig, StreamsDeps};
use heliograph_testkit::servers::NatsServer;
use secrecy::SecretString;

/// Longer than anything here takes on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const TOKEN: &str = "the token of acme's integrator";

pub(crate) struct World {
    pub(crate) fabric: Fabric,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) nats: NatsServer,
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) fn config() -> StreamsConfig {
    let entry =
        |token: &str, tenant: &str| ApiToken { token: SecretString::from(token), tenant: tenant.to_owned() };
    let api_tokens = vec![entry(TOKEN, "acme"), entry("the token of globex's integrator", "globex")];
    StreamsConfig { api_tokens, ..StreamsConfig::default() }
}

impl World {
    pub(crate) async fn start(config: StreamsConfig) -> Self {
        let nats = NatsServer::start().await.unwrap();
        let fabric = Fabric::connect(Options::new(nats.url(), "streams-test")).await.unwrap();
        let layout = Layout { inbound: 1, routing: 1, outbound: 1 };
        let plan = Plan { layout, ..Plan::default() };
        provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
        let (health, shutdown) = (Health::new(), Shutdown::new());
        let public_url = Some("https://media.example.com".to_owned());
        let settings = MediaSettings { public_url, ..MediaSettings::default() };
        let deps = StreamsDeps {
            fabric: fabric.clone(),
            links: Links::open(fabric.jetstream(), &settings).await.unwrap(),
            health: health.clone(),
            shutdown: shutdown.clone(),
        };
        let streams = Streams::start(config, deps).await.unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let http = HttpServer::bind(&HttpSettings { addr: any, ..HttpSettings::default() }).await.unwrap();
        let grpc =
            GrpcServer::bind(&GrpcSettings { addr: any, ..GrpcSettings::default() }, &health).await.unwrap();
        let (web, rpc) = (http.local_addr(), grpc.local_addr());
        let mut routes = RoutesBuilder::default();
        streams.add_to(&mut routes);
        tokio::spawn(http.serve(streams.router(), shutdown.clone()));
        tokio::spawn(grpc.serve(routes.routes(), shutdown.clone()));
        Self { fabric, http: web, grpc: rpc, shutdown, nats }
    }

    /// Publishes an event; its sequence.
    pub(crate) async fn publish(&self, event: &Event) -> u64 {
        let Event { tenant, region, channel, conversation, r#type, .. } = event;
        let subject = subjects::event(tenant, region, channel, conversation, r#type).unwrap();
        let envelope = Envelope::of(&event.id, r#type, "heliograph/test", 0, event);
        self.fabric.publish(&subject, &envelope, within(PATIENCE)).await.unwrap().seq
    }
}

/// An event of acme's.
pub(crate) fn event(id: &str, region: &str, channel: &str, kind: &str) -> Event {
    Event {
        id: id.to_owned(),
        r#type: kind.to_owned(),
        tenant: "acme".to_owned(),
        region: region.to_owned(),
        channel: channel.to_owned(),
        conversation: format!("cnv_{channel}"),
        ..Event::default()
    }
}

/// Bounds what must not hang.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, future).await else {
        panic!("not within {PATIENCE:?}: {what}")
    };
    output
}
