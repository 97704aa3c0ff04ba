//! A broker, a Redis, a stand-in for the router, and a desk on free ports.

mod client;
mod facts;
mod router;

use std::{collections::BTreeMap, future::Future, net::SocketAddr, path::PathBuf, time::Duration};

use heliograph_desk::{Desk, DeskConfig, DeskDeps};
use heliograph_domain::resources::{Metadata, Resource, Spec};
use heliograph_fabric::{
    Envelope, Fabric, Layout, Options, Plan, Stream,
    provision::{ProvisionOptions, provision},
    publish::within,
    subjects,
};
use heliograph_media::{Intake, Links, MediaSettings};
use heliograph_proto::{
    Message as _,
    v1::{Event, RoutingEntry},
};
use heliograph_runtime::{
    Health, Shutdown,
    config::{GrpcSettings, HttpSettings},
    grpc::{GrpcServer, RoutesBuilder},
    http::HttpServer,
};
use heliograph_store::{
    Redis, RedisOptions,
    media::MediaStore,
    now_ms,
    objects::Objects,
    resources::{Expect, ResourceStore},
};
use heliograph_testkit::servers::{NatsServer, RedisServer};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) use client::{BOTH, Client, Transport};
pub(crate) use facts::*;
pub(crate) use router::FakeRouter;

/// Longer than anything here takes on a machine that is busy with other things.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const TENANT: &str = "acme";
pub(crate) const SECRET: &str = "a secret of more than thirty-two bytes";

/// What stays when a desk goes.
pub(crate) struct World {
    pub(crate) fabric: Fabric,
    pub(crate) router: FakeRouter,
    pub(crate) media: MediaStore,
    pub(crate) media_settings: MediaSettings,
    redis: Redis,
    _media_dir: tempfile::TempDir,
    pub(crate) nats: NatsServer,
    _redis: RedisServer,
}

/// One desk process, as far as that is possible in one.
pub(crate) struct DeskAt {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) shutdown: Shutdown,
}

impl Drop for DeskAt {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Settings that tests begin with.
pub(crate) fn config() -> DeskConfig {
    DeskConfig {
        session_secret: Some(SecretString::from(SECRET)),
        dev_users: true,
        sign_ins_per_minute: 1_000,
        ..DeskConfig::default()
    }
}

impl World {
    /// Servers, two tenants, and their agents: ada and bob, cleo the supervisor; eve of globex.
    pub(crate) async fn start() -> Self {
        let (nats, redis_server) = tokio::join!(NatsServer::start(), RedisServer::start());
        let (nats, redis_server) = (nats.unwrap(), redis_server.unwrap());
        let fabric = Fabric::connect(Options::new(nats.url(), "desk-test")).await.unwrap();
        let layout = Layout { inbound: 4, routing: 4, outbound: 4 };
        let plan = Plan { layout, ..Plan::default() };
        provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
        let store = ResourceStore::open(fabric.jetstream()).await.unwrap();
        for (tenant, name, roles) in [
            (TENANT, "ada", json!(["agent"])),
            (TENANT, "bob", json!(["agent"])),
            (TENANT, "cleo", json!(["agent", "supervisor"])),
            ("globex", "eve", json!(["agent", "supervisor"])),
        ] {
            let resource = agent(tenant, name, &roles);
            store.apply(&resource, Expect::Anything, "test", jiff::Timestamp::now()).await.unwrap();
        }
        let redis = Redis::connect(&RedisOptions::new(redis_server.url())).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let media = MediaStore::new(Objects::in_directory(PathBuf::from(dir.path())).await.unwrap());
        let router = FakeRouter::start(fabric.clone()).await;
        let media_settings = MediaSettings::default();
        Self { fabric, router, media, media_settings, redis, _media_dir: dir, nats, _redis: redis_server }
    }

    /// Applies a resource of the tenant.
    pub(crate) async fn apply(&self, kind: &str, name: &str, spec: Value) {
        let store = ResourceStore::open(self.fabric.jetstream()).await.unwrap();
        let resource = json!({
            "apiVersion": "heliograph.dev/v1", "kind": kind,
            "metadata": { "tenant": TENANT, "name": name }, "spec": spec,
        });
        let resource = Resource::from_json(&resource).unwrap();
        store.apply(&resource, Expect::Anything, "ops", jiff::Timestamp::now()).await.unwrap();
    }

    /// Redis, as the desk has it.
    pub(crate) fn redis(&self) -> Redis {
        self.redis.clone()
    }

    /// Starts a desk.
    pub(crate) async fn desk(&self, config: DeskConfig) -> DeskAt {
        let shutdown = Shutdown::new();
        let health = Health::new();
        let resources = ResourceStore::open(self.fabric.jetstream()).await.unwrap().watch();
        resources.ready().await;
        let deps = DeskDeps {
            fabric: self.fabric.clone(),
            redis: self.redis.clone(),
            resources,
            intake: Intake::new(self.media.clone(), &self.media_settings).unwrap(),
            links: Links::open(self.fabric.jetstream(), &self.media_settings).await.unwrap(),
            channels: BTreeMap::new(),
            health: health.clone(),
            shutdown: shutdown.clone(),
        };
        let desk = Desk::start(config, deps).await.unwrap();
        let any: SocketAddr = ([127, 0, 0, 1], 0).into();
        let http = HttpServer::bind(&HttpSettings { addr: any, ..HttpSettings::default() }).await.unwrap();
        let grpc =
            GrpcServer::bind(&GrpcSettings { addr: any, ..GrpcSettings::default() }, &health).await.unwrap();
        let at = DeskAt { http: http.local_addr(), grpc: grpc.local_addr(), shutdown: shutdown.clone() };
        let mut routes = RoutesBuilder::default();
        desk.add_to(&mut routes);
        tokio::spawn(http.serve(desk.router(), shutdown.clone()));
        tokio::spawn(grpc.serve(routes.routes(), shutdown));
        at
    }

    /// Publishes a fact, as the router does; its sequence.
    pub(crate) async fn publish(&self, event: &Event) -> u64 {
        let subject =
            subjects::event(&event.tenant, &event.region, &event.channel, &event.conversation, &event.r#type)
                .unwrap();
        let envelope = Envelope::of(&event.id, &event.r#type, "heliograph/test", now_ms(), event);
        self.fabric.publish(&subject, &envelope, within(PATIENCE)).await.unwrap().seq
    }

    /// What stands in the tenant's routing log.
    pub(crate) async fn log(&self) -> Vec<(String, RoutingEntry)> {
        let filter = format!("hg.routing.*.{TENANT}");
        let records = Box::pin(self.fabric.read_subject(Stream::Routing, &filter)).await.unwrap();
        let entry = |record: heliograph_fabric::Record| {
            let id = record.headers.get("Nats-Msg-Id").unwrap().as_str().to_owned();
            (id, RoutingEntry::decode(record.payload).unwrap())
        };
        records.into_iter().map(entry).collect()
    }
}

fn agent(tenant: &str, name: &str, roles: &Value) -> Resource {
    let spec = json!({
        "display_name": name.to_uppercase(),
        "login": format!("{name}@example.com"),
        "password": { "value": format!("password of {name}") },
        "queues": ["sales"],
        "roles": roles,
    });
    Resource {
        metadata: Metadata { tenant: tenant.to_owned(), name: name.to_owned(), labels: BTreeMap::default() },
        spec: Spec::Agent(serde_json::from_value(spec).unwrap()),
    }
}

impl DeskAt {
    /// Signs in over HTTP; the status and what was answered.
    pub(crate) async fn login(&self, tenant: &str, login: &str, password: &str) -> (u16, Value) {
        let body = json!({ "tenant": tenant, "login": login, "password": password });
        let response = http_client().post(self.url("/desk/login")).json(&body).send().await.unwrap();
        let status = response.status().as_u16();
        (status, response.json().await.unwrap())
    }

    /// A session token.
    pub(crate) async fn token(&self, tenant: &str, name: &str) -> String {
        let (status, body) =
            self.login(tenant, &format!("{name}@example.com"), &format!("password of {name}")).await;
        assert_eq!(status, 200, "{body}");
        body["token"].as_str().unwrap().to_owned()
    }

    /// Asks for JSON with a session token; the status and what was answered.
    pub(crate) async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        let request = http_client().get(self.url(path));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Posts JSON with a session token; the status and what was answered.
    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let request = http_client().post(self.url(path)).bearer_auth(token).json(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }
}

/// A client that follows no redirects.
pub(crate) fn http_client() -> reqwest::Client {
    heliograph_runtime::tls::install_provider();
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    client.build().unwrap()
}

/// Bounds what must not hang.
pub(crate) async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, future).await else {
        panic!("not within {PATIENCE:?}: {what}")
    };
    output
}

/// Waits until `check` gives something.
pub(crate) async fn eventually<T, F, Fut>(what: &str, mut check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    soon(what, async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
}
