//! A broker, a Redis, resources, and the probe hosted on ports of its own.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use heliograph_channel::host::{ChannelHost, HostDeps, HostSettings};
use heliograph_domain::resources::Resource;
use heliograph_fabric::{
    Fabric, Options, Stream,
    provision::{Plan, ProvisionOptions, provision},
};
use heliograph_media::{Links, MediaSettings, Shelf};
use heliograph_proto::v1::channel_service_client::ChannelServiceClient;
use heliograph_runtime::{
    Health, Shutdown,
    config::{GrpcSettings, HttpSettings},
    grpc::{GrpcChannel, GrpcServer, channel},
    http::HttpServer,
};
use heliograph_store::{
    Redis, RedisOptions,
    media::{self, MediaStore},
    objects::{Objects, ObjectsConfig},
    resources::{Expect, ResourceStore},
};
use heliograph_testkit::servers::{NatsServer, RedisServer};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::probe::Probe;

const DEADLINE: Duration = Duration::from_mins(1);

pub(crate) struct Fleet {
    pub nats: NatsServer,
    pub redis: RedisServer,
    pub fabric: Fabric,
    pub health: Health,
    pub http: reqwest::Client,
    pub client: ChannelServiceClient<GrpcChannel>,
    pub media: MediaStore,
    resources: ResourceStore,
    webhooks: SocketAddr,
    shutdown: Shutdown,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Fleet {
    pub(crate) async fn start() -> Self {
        let settings = HostSettings {
            inline_secrets: true,
            provider_timeout: Duration::from_millis(500),
            publish_deadline: Duration::from_millis(500),
            body_limit: 4096,
            media_limit: 100,
            ..HostSettings::default()
        };
        Self::start_with(settings).await
    }

    pub(crate) async fn start_with(settings: HostSettings) -> Self {
        let (nats, redis) = (NatsServer::start().await.unwrap(), RedisServer::start().await.unwrap());
        let fabric = Fabric::connect(Options::new(nats.url(), "host-test")).await.unwrap();
        provision(&fabric, &Plan::default(), ProvisionOptions::default()).await.unwrap();
        let resources = ResourceStore::open(fabric.jetstream()).await.unwrap();
        let (health, shutdown) = (Health::new(), Shutdown::new());
        let objects = Objects::open(&ObjectsConfig::Nats, fabric.jetstream(), media::BUCKET).await.unwrap();
        let media = MediaStore::new(objects);
        let deps = HostDeps {
            fabric: fabric.clone(),
            redis: Redis::connect(&RedisOptions::new(redis.url())).await.unwrap(),
            resources: resources.watch(),
            media: Arc::new(Shelf::new(media.clone(), Links::new(b"key", &MediaSettings::default()))),
            settings,
            health: health.scope("probe"),
            shutdown: shutdown.clone(),
        };
        let mut hosted = ChannelHost::new(Probe).webhook().provider().start(&deps).await.unwrap();

        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = HttpServer::bind(&HttpSettings { addr: local, ..HttpSettings::default() }).await.unwrap();
        let grpc = GrpcSettings { addr: local, ..GrpcSettings::default() };
        let grpc = GrpcServer::bind(&grpc, &health).await.unwrap();
        let webhooks = http.local_addr();
        let client = ChannelServiceClient::new(channel(&format!("http://{}", grpc.local_addr())).unwrap());
        tokio::spawn(http.serve(hosted.take_router(), shutdown.clone()));
        tokio::spawn(hosted.serve_grpc(grpc));
        tokio::time::timeout(DEADLINE, health.ready()).await.unwrap();
        let http = reqwest::Client::builder().timeout(DEADLINE).build().unwrap();
        Self { nats, redis, fabric, health, http, client, media, resources, webhooks, shutdown }
    }

    pub(crate) async fn apply(&self, tenant: &str, name: &str, spec: &Value) {
        let resource = resource(tenant, name, spec);
        let now = heliograph_store::now_ms();
        let now = jiff::Timestamp::from_millisecond(now).unwrap();
        self.resources.apply(&resource, Expect::Anything, "test", now).await.unwrap();
    }

    /// An account `main` of `acme` whose key is `k`, once it answers.
    pub(crate) async fn with_account(&self, settings: Value, base_url: Option<String>) {
        let mut spec = account(&settings);
        if let Some(base_url) = base_url {
            spec["base_url"] = json!(base_url);
        }
        self.apply("acme", "main", &spec).await;
        eventually("the account answers", async || self.post("main", "k", "[]").await.0 == 200).await;
    }

    /// Posts to an account; status and body.
    pub(crate) async fn post(&self, account: &str, key: &str, body: &str) -> (u16, String) {
        let response = self.request(account, key, body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) fn request(&self, account: &str, key: &str, body: &str) -> reqwest::RequestBuilder {
        let url = format!("http://{}/probe/{account}", self.webhooks);
        self.http.post(url).header("x-key", key).body(body.to_owned())
    }

    /// Whether Redis has this key.
    pub(crate) async fn redis_has(&self, key: &str) -> bool {
        let address = self.redis.url().replace("redis://", "");
        let mut stream = TcpStream::connect(address.trim_end_matches('/')).await.unwrap();
        stream.write_all(format!("EXISTS {key}\r\n").as_bytes()).await.unwrap();
        let mut answer = [0; 4];
        stream.read_exact(&mut answer).await.unwrap();
        &answer == b":1\r\n"
    }

    /// How many inbound messages the broker holds.
    pub(crate) async fn stored(&self) -> u64 {
        let stream = self.fabric.jetstream().get_stream(Stream::Inbound.name()).await.unwrap();
        stream.cached_info().state.messages
    }
}

pub(crate) fn account(settings: &Value) -> Value {
    json!({ "channel": "probe", "settings": settings, "secrets": { "key": { "value": "k" } } })
}

fn resource(tenant: &str, name: &str, spec: &Value) -> Resource {
    let value = json!({
        "apiVersion": "heliograph.dev/v1",
        "kind": "ChannelAccount",
        "metadata": { "tenant": tenant, "name": name },
        "spec": spec,
    });
    Resource::from_json(&value).unwrap()
}

/// Waits until `check` holds.
pub(crate) async fn eventually<F, Fut>(what: &str, mut check: F)
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let waiting = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, waiting).await.is_ok(), "not within {DEADLINE:?}: {what}");
}
