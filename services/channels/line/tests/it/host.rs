//! The channel as it is hosted, with a broker and a Redis, against a cloud that knows which tokens it gave out.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use heliograph_channel::{
    Account, Carrier, Delivery, Outcome,
    host::{ChannelHost, HostDeps, HostSettings, NoMedia, Outlet, ViaHttp},
};
use heliograph_channel_line::{Line, LineSettings};
use heliograph_domain::{content, resources::Resource};
use heliograph_fabric::{
    Fabric, Options,
    provision::{Plan, ProvisionOptions, provision},
};
use heliograph_proto::v1::{
    Address, Message, MessageReference, ReadMark, SignalRequest, signal_request::Signal,
};
use heliograph_runtime::{Health, Shutdown, config::HttpSettings, http::HttpServer};
use heliograph_store::{
    Redis, RedisOptions, now_ms,
    resources::{Expect, ResourceStore},
};
use heliograph_testkit::{
    sandbox::{Customer, Sandbox, SandboxOptions},
    servers::{NatsServer, RedisServer},
};
use serde_json::{Value, json};

use crate::support::{SECRET, USER, raw_account};

const DEADLINE: Duration = Duration::from_mins(1);

struct Fleet {
    _nats: NatsServer,
    redis: RedisServer,
    sandbox: Sandbox,
    carrier: ViaHttp<Line>,
    account: Account<LineSettings>,
    shutdown: Shutdown,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Fleet {
    async fn start() -> Self {
        let (nats, redis) = (NatsServer::start().await.unwrap(), RedisServer::start().await.unwrap());
        let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let base_url = sandbox.provider_url("line", None);
        let fabric = Fabric::connect(Options::new(nats.url(), "line-test")).await.unwrap();
        provision(&fabric, &Plan::default(), ProvisionOptions::default()).await.unwrap();
        let resources = ResourceStore::open(fabric.jetstream()).await.unwrap();
        let declared = json!({
            "apiVersion": "heliograph.dev/v1",
            "kind": "ChannelAccount",
            "metadata": { "tenant": "acme", "name": "shop-jp" },
            "spec": {
                "channel": "line", "base_url": base_url, "settings": { "channel_id": "1" },
                "secrets": { "channel_secret": { "value": SECRET } },
            },
        });
        let now = jiff::Timestamp::from_millisecond(now_ms()).unwrap();
        let declared = Resource::from_json(&declared).unwrap();
        resources.apply(&declared, Expect::Anything, "test", now).await.unwrap();

        let settings = HostSettings { inline_secrets: true, ..HostSettings::default() };
        let (health, shutdown) = (Health::new(), Shutdown::new());
        let connected = Redis::connect(&RedisOptions::new(redis.url())).await.unwrap();
        let outlet = Outlet::new(&settings).unwrap();
        let deps = HostDeps {
            fabric: fabric.clone(),
            redis: connected.clone(),
            resources: resources.watch(),
            media: Arc::new(NoMedia),
            settings,
            health: health.scope("line"),
            shutdown: shutdown.clone(),
        };
        let mut hosted = ChannelHost::new(Line).webhook().start(&deps).await.unwrap();
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let http = HttpServer::bind(&HttpSettings { addr: local, ..HttpSettings::default() }).await.unwrap();
        let webhook = format!("http://{}/line/shop-jp", http.local_addr());
        tokio::spawn(http.serve(hosted.take_router(), shutdown.clone()));
        tokio::time::timeout(DEADLINE, health.ready()).await.unwrap();

        let mut raw = raw_account(json!({ "channel_id": "1" }), &[("channel_secret", SECRET)]);
        raw.base_url = Some(base_url.parse().unwrap());
        sandbox.add_account(&raw, &webhook);
        let carrier = ViaHttp::new(Arc::new(Line), outlet, &fabric, &connected, Arc::new(NoMedia), 1000);
        let account = raw.load().unwrap();
        Self { _nats: nats, redis, sandbox, carrier, account, shutdown }
    }

    fn ann(&self) -> Customer {
        self.sandbox.customer("shop-jp", USER, "Ann")
    }

    /// Sends an answer that quotes, and tells what the customer got, and what the provider calls it.
    async fn answer(&self, text: &str, reply_to: MessageReference) -> (Value, String) {
        let message = Message {
            id: format!("msg_{text}"),
            content: Some(content::text(text)),
            address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
            reply_to: Some(reply_to),
            ..Message::default()
        };
        let delivery_id = format!("dlv_{text}");
        let delivery = Delivery::new(&message, &delivery_id, "", now_ms());
        let outcome = self.carrier.deliver(&self.account, delivery).await;
        let Outcome::Delivered { provider_message_id, .. } = outcome else { panic!("{outcome:?}") };
        let sent = self.sandbox.sent();
        (sent.last().unwrap().request["messages"][0].clone(), provider_message_id)
    }

    async fn mark_read(&self, up_to: &str) -> bool {
        let up_to = Some(quoting(up_to));
        let signal = SignalRequest {
            address: Some(Address { user_id: USER.to_owned(), ..Address::default() }),
            signal: Some(Signal::ReadMark(ReadMark { up_to, ..ReadMark::default() })),
            ..SignalRequest::default()
        };
        self.carrier.signal(&self.account, signal).await
    }
}

fn quoting(provider_message_id: &str) -> MessageReference {
    MessageReference { message_id: String::new(), provider_message_id: provider_message_id.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_quoted_and_marked_as_read_for_as_long_as_their_tokens_are_remembered() {
    let mut fleet = Fleet::start().await;
    let asked = fleet.ann().say("Where is my order?").await;
    assert_eq!(asked.status, Some(200));
    let id = asked.provider_message_id;
    // Tokens are kept a moment after the provider is answered.
    let waiting = async {
        while !fleet.mark_read(&id).await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap();

    // By a reply token, then by a push.
    let mut quoted = id.clone();
    for text in ["first", "second"] {
        let (got, sent) = fleet.answer(text, quoting(&quoted)).await;
        assert_eq!(got["text"], text);
        assert!(got["quoteToken"].is_string(), "{got}");
        quoted = sent;
    }
    let (got, _) = fleet.answer("third", quoting("1")).await;
    assert_eq!((&got["text"], &got["quoteToken"]), (&json!("third"), &Value::Null));
    assert!(!fleet.mark_read("1").await);

    fleet.redis.kill9();
    let (got, _) = fleet.answer("fourth", quoting(&id)).await;
    assert_eq!((&got["text"], &got["quoteToken"]), (&json!("fourth"), &Value::Null));
    assert!(!fleet.mark_read(&id).await);
    assert!(fleet.sandbox.problems().is_empty(), "{:?}", fleet.sandbox.problems());
}
