//! A broker, a Redis, one account, and replicas of the channel on ports of their own.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use heliograph_channel::{
    Account, Carrier as _, Delivery, Outcome, RawAccount,
    host::{ChannelHost, HostDeps, HostSettings, NoMedia, raw_account},
};
use heliograph_channel_webchat::{Options, WebChat, WebChatSettings, routes};
use heliograph_domain::resources::{Resource, Spec};
use heliograph_fabric::{
    Fabric, Stream,
    async_nats::HeaderMap,
    provision::{Plan, ProvisionOptions, provision},
};
use heliograph_media::{Intake, Links, MediaSettings};
use heliograph_proto::v1::{
    Address, Content, Direction, InboundEvent, Message, Sender, SenderKind, inbound_event::Kind,
};
use heliograph_runtime::{Health, Shutdown, config::HttpSettings, http::HttpServer};
use heliograph_store::{
    Redis, RedisOptions,
    media::MediaStore,
    objects::Objects,
    resources::{Expect, ResourceStore},
};
use heliograph_testkit::servers::{NatsServer, RedisServer};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::Client;

/// Longer than anything takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);
/// An origin the account allows.
pub(crate) const SHOP: &str = "https://shop.test";
/// Made up.
pub(crate) const IDENTITY: &str = "made-up-webchat-identity-secret";

/// One process of the channel.
pub(crate) struct Replica {
    pub chat: WebChat,
    pub addr: SocketAddr,
    pub shutdown: Shutdown,
    fabric: Fabric,
}

impl Replica {
    pub(crate) fn fabric(&self) -> &Fabric {
        &self.fabric
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

pub(crate) struct Fleet {
    pub nats: NatsServer,
    redis: RedisServer,
    media: TempDir,
    pub http: reqwest::Client,
    settings: Value,
    options: Options,
    pub one: Replica,
}

impl Fleet {
    /// Generous limits, so that only tests of limits meet them.
    pub(crate) async fn start() -> Self {
        Self::start_with(json!({}), Options::default()).await
    }

    pub(crate) async fn start_with(settings: Value, options: Options) -> Self {
        let (nats, redis) = (NatsServer::start().await.unwrap(), RedisServer::start().await.unwrap());
        let mut all = json!({ "origins": [SHOP], "msg_per_10s": 10_000, "sessions_per_minute": 10_000 });
        for (name, value) in settings.as_object().unwrap() {
            all[name] = value.clone();
        }
        let fabric = connect(&nats).await;
        provision(&fabric, &Plan::default(), ProvisionOptions::default()).await.unwrap();
        let resources = ResourceStore::open(fabric.jetstream()).await.unwrap();
        let now = jiff::Timestamp::from_millisecond(heliograph_store::now_ms()).unwrap();
        resources.apply(&resource(&all), Expect::Anything, "test", now).await.unwrap();
        let media = tempfile::tempdir().unwrap();
        let one = replica(&nats, &redis, &media, options.clone()).await;
        heliograph_runtime::tls::install_provider();
        let http = reqwest::Client::builder()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self { nats, redis, media, http, settings: all, options, one }
    }

    /// Another replica on the same broker.
    pub(crate) async fn replica(&self) -> Replica {
        replica(&self.nats, &self.redis, &self.media, self.options.clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/webchat/shop/{path}", self.one.addr)
    }

    /// A connection from the shop's pages, before its hello.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.one.addr, Some(SHOP)).await.unwrap()
    }

    /// A connection of a visitor who is new.
    pub(crate) async fn visitor(&self) -> (Client, Value) {
        let mut client = self.connect().await;
        let welcome = client.hello(&json!({ "last_seq": 0 })).await;
        (client, welcome)
    }

    /// A connection that continues from `last_seq`.
    pub(crate) async fn resume(&self, token: &Value, last_seq: u64) -> (Client, Value) {
        let mut client = self.connect().await;
        let welcome = client.hello(&json!({ "resume": token, "last_seq": last_seq })).await;
        (client, welcome)
    }

    pub(crate) fn account(&self) -> Account<WebChatSettings> {
        let resource = resource(&self.settings);
        let Spec::ChannelAccount(spec) = &resource.spec else { panic!("an account") };
        let raw: RawAccount = raw_account(&resource, spec, true).unwrap();
        raw.load().unwrap()
    }

    /// Hands a message to a replica as egress does.
    pub(crate) async fn deliver_by(
        &self,
        replica: &Replica,
        visitor: &Value,
        id: &str,
        content: Content,
        age: Duration,
    ) -> Outcome {
        let now_ms = heliograph_store::now_ms();
        let said = now_ms - i64::try_from(age.as_millis()).unwrap();
        let message = Message {
            id: format!("msg_{id}"),
            direction: Direction::Outbound.into(),
            content: Some(content),
            sender: Some(Sender {
                kind: SenderKind::Agent.into(),
                id: "ann".to_owned(),
                display_name: "Ann".to_owned(),
            }),
            address: Some(Address {
                channel: "webchat".to_owned(),
                account: "shop".to_owned(),
                user_id: visitor.as_str().unwrap().to_owned(),
                ..Address::default()
            }),
            time: Some(heliograph_channel::inbound::timestamp(said)),
            ..Message::default()
        };
        let correlation = format!("cor-{id}");
        let delivery = Delivery::new(&message, id, &correlation, now_ms);
        replica.chat.deliver(&self.account(), delivery).await
    }

    pub(crate) async fn deliver(&self, visitor: &Value, id: &str, text: &str) -> Outcome {
        let content = heliograph_domain::content::text(text);
        self.deliver_by(&self.one, visitor, id, content, Duration::ZERO).await
    }

    /// Returns when the broker no longer recognises what was stored in web chat's logs so far.
    pub(crate) async fn broker_forgets(&self) {
        let stored = AtomicU32::new(0);
        eventually("the window of duplicates is over", async || {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Msg-Id", "probe");
            let subject = "hg.webchat.acme.shop.v_probe";
            let published = self.one.fabric.publish_raw(subject, headers, "{}".into(), None).await.unwrap();
            let new = u32::from(!published.duplicate);
            stored.fetch_add(new, Ordering::Relaxed) + new == 2
        })
        .await;
    }

    /// Everything on HG_INBOUND, oldest first.
    pub(crate) async fn inbound(&self) -> Vec<InboundEvent> {
        let stream = self.one.fabric.jetstream().get_stream(Stream::Inbound.name()).await.unwrap();
        let mut events = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            events.push(<InboundEvent as heliograph_proto::Message>::decode(message.payload).unwrap());
        }
        events
    }

    /// The texts among them.
    pub(crate) async fn texts(&self) -> Vec<String> {
        let events = self.inbound().await;
        let text = |event: &InboundEvent| match &event.kind {
            Some(Kind::Message(message)) => {
                Some(heliograph_domain::content::preview(message.content.as_ref()?))
            }
            _ => None,
        };
        events.iter().filter_map(text).collect()
    }
}

async fn connect(nats: &NatsServer) -> Fabric {
    Fabric::connect(heliograph_fabric::Options::new(nats.url(), "webchat-test")).await.unwrap()
}

async fn replica(nats: &NatsServer, redis: &RedisServer, media: &TempDir, options: Options) -> Replica {
    let fabric = connect(nats).await;
    let redis = Redis::connect(&RedisOptions::new(redis.url())).await.unwrap();
    let objects = Objects::in_directory(media.path().to_owned()).await.unwrap();
    let settings = MediaSettings::default();
    let intake = Intake::new(MediaStore::new(objects), &settings).unwrap();
    let links = Links::open(fabric.jetstream(), &settings).await.unwrap();
    let chat = WebChat::start(&fabric, &redis, intake, links, options).await.unwrap();
    let resources = ResourceStore::open(fabric.jetstream()).await.unwrap();
    let (health, shutdown) = (Health::new(), Shutdown::new());
    let deps = HostDeps {
        fabric: fabric.clone(),
        redis,
        resources: resources.watch(),
        media: Arc::new(NoMedia),
        settings: HostSettings {
            inline_secrets: true,
            publish_deadline: Duration::from_millis(500),
            ..HostSettings::default()
        },
        health: health.clone(),
        shutdown: shutdown.clone(),
    };
    let host = ChannelHost::new(chat.clone()).routes(routes).carrier();
    let mut hosted = host.start(&deps).await.unwrap();
    let addr = SocketAddr::from(([127, 0, 0, 1], 0));
    let http = HttpServer::bind(&HttpSettings { addr, ..HttpSettings::default() }).await.unwrap();
    let addr = http.local_addr();
    tokio::spawn(http.serve(hosted.take_router(), shutdown.clone()));
    tokio::time::timeout(DEADLINE, health.ready()).await.unwrap();
    // The accounts' task lives as long as this.
    let hosted = Arc::new(hosted);
    let stop = shutdown.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        drop(hosted);
    });
    Replica { chat, addr, shutdown, fabric }
}

fn resource(settings: &Value) -> Resource {
    let value = json!({
        "apiVersion": "heliograph.dev/v1",
        "kind": "ChannelAccount",
        "metadata": { "tenant": "acme", "name": "shop" },
        "spec": {
            "channel": "webchat", "settings": settings, "public_base_url": "https://chat.test",
            "secrets": { "identity": { "value": IDENTITY } },
        },
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
