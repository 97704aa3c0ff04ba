//! A provisioned broker, Redis, a tenant, and egress in a runtime of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use heliograph_domain::{content, event::type_of, ids, resources::parse};
use heliograph_egress::{ApiToken, EgressConfig, EgressDeps, RetryConfig, run};
use heliograph_fabric::provision::{ProvisionOptions, provision};
use heliograph_fabric::subjects::{self, EventFilter};
use heliograph_fabric::{Envelope, Fabric, Layout, LogReader, Options, Plan, Start, Stream};
use heliograph_media::{Links, MediaSettings};
use heliograph_proto::v1::{
    Address, Content, Direction, Event, Message, OutboundMessage, RoutingEntry, event::Payload,
};
use heliograph_runtime::{
    Health, Shutdown,
    config::{ChannelEndpoint, GrpcSettings},
    grpc::GrpcServer,
};
use heliograph_store::contacts::{
    Address as ContactAddress, Contact, ContactOptions, ContactStore, Hints, Join, Joining, LinkedBy, Whom,
};
use heliograph_store::resources::{Expect, ResourceStore};
use heliograph_store::{Redis, RedisOptions, now_ms};
use heliograph_testkit::servers::{NatsServer, RedisServer};
use tokio::runtime::Runtime;

use super::{Channel, PATIENCE, until};

pub(crate) const TOKEN: &str = "token-of-acme";

const TENANT: &str = r"
apiVersion: heliograph.dev/v1
kind: Tenant
metadata: { name: acme }
spec: { display_name: Acme, in_doubt: hold }
---
apiVersion: heliograph.dev/v1
kind: ChannelPolicy
metadata: { tenant: acme, name: default }
spec:
  regions:
    - { name: north-america, countries: [US, CA], channels: [sms, webchat] }
    - { name: europe, countries: [DE], channels: [webchat] }
  default: { channels: [webchat, sms] }
---
apiVersion: heliograph.dev/v1
kind: ChannelAccount
metadata: { tenant: acme, name: main }
spec: { channel: sms, provider: sinch }
---
apiVersion: heliograph.dev/v1
kind: ChannelAccount
metadata: { tenant: acme, name: other }
spec: { channel: sms, provider: sinch }
---
apiVersion: heliograph.dev/v1
kind: ChannelAccount
metadata: { tenant: acme, name: site }
spec: { channel: webchat }
";

/// What egress stands on, and the tests watch.
pub(crate) struct World {
    pub(crate) nats: NatsServer,
    pub(crate) redis: RedisServer,
    pub(crate) fabric: Fabric,
    layout: Layout,
}

impl World {
    pub(crate) async fn start() -> Self {
        let (nats, redis) = tokio::join!(NatsServer::start(), RedisServer::start());
        let (nats, redis) = (nats.unwrap(), redis.unwrap());
        let fabric = Fabric::connect(Options::new(nats.url(), "test")).await.unwrap();
        let layout = Layout { inbound: 2, routing: 2, outbound: 2 };
        let plan = Plan { layout, ..Plan::default() };
        provision(&fabric, &plan, ProvisionOptions::default()).await.unwrap();
        let world = Self { nats, redis, fabric, layout };
        world.apply(TENANT).await;
        world
    }

    /// Applies resources.
    pub(crate) async fn apply(&self, text: &str) {
        let store = ResourceStore::open(self.fabric.jetstream()).await.unwrap();
        for document in parse("test.yaml", text).unwrap() {
            let now = "2026-11-22T18:00:00Z".parse().unwrap();
            store.apply(&document.resource, Expect::Anything, "test", now).await.unwrap();
        }
    }

    /// Puts a policy in force whose every region has all channels, with these further lines of its spec.
    pub(crate) async fn policy(&self, more: &str) {
        let head =
            "apiVersion: heliograph.dev/v1\nkind: ChannelPolicy\nmetadata: { tenant: acme, name: default }\n";
        self.apply(&format!("{head}spec:\n  default: {{ channels: [sms, webchat, email] }}\n{more}")).await;
    }

    /// A contact with an address on SMS and on web chat, in this order.
    pub(crate) async fn contact(&self, name: &str) -> Arc<Contact> {
        let store = ContactStore::open(self.fabric.jetstream(), ContactOptions::default()).await.unwrap();
        let hints = Hints { seen_at_ms: now_ms(), ..Hints::default() };
        let first = ContactAddress::new("sms", "main", format!("user-of-{name}"));
        let contact = store.resolve("acme", &first, &hints).await.unwrap().contact;
        let second = Address {
            channel: "webchat".to_owned(),
            account: "site".to_owned(),
            user_id: format!("user-of-{name}"),
            ..Address::default()
        };
        self.join(&contact.id, &second).await
    }

    /// Gives a contact another address.
    pub(crate) async fn join(&self, contact: &str, address: &Address) -> Arc<Contact> {
        let store = ContactStore::open(self.fabric.jetstream(), ContactOptions::default()).await.unwrap();
        let address = ContactAddress::new(&address.channel, &address.account, &address.user_id);
        let joining =
            Joining { by: LinkedBy::Asserted, actor: "test", cause: &address.user_id, at_ms: now_ms() };
        match store.join("acme", contact, Whom::Address(&address), &joining).await.unwrap() {
            Join::Joined { contact, .. } => contact,
            Join::Apart => panic!("nobody split them"),
        }
    }

    /// What was appended to the tenant's routing log.
    pub(crate) async fn entries(&self) -> Vec<RoutingEntry> {
        let records = self.fabric.read_subject(Stream::Routing, "hg.routing.*.acme").await.unwrap();
        records.iter().map(|record| record.envelope().unwrap().decode().unwrap()).collect()
    }

    /// Publishes a fact about a message, as intake does.
    pub(crate) async fn tell(&self, out: &OutboundMessage, payload: Payload) {
        let kind = type_of(&payload);
        let id = ids::derive(ids::EVENT, &[&out.delivery_id, kind]);
        let event = Event {
            id: id.clone(),
            r#type: kind.to_owned(),
            tenant: "acme".to_owned(),
            conversation: out.conversation.clone(),
            payload: Some(payload),
            ..Event::default()
        };
        let subject = subjects::event("acme", "north-america", "sms", &out.conversation, kind).unwrap();
        let envelope = Envelope::of(id, kind, "test", now_ms(), &event).about(out.conversation.clone());
        self.fabric.publish(&subject, &envelope, None).await.unwrap();
    }

    /// Message number `number` of a conversation, as the router would make it.
    pub(crate) fn outbound(channel: &str, conversation: &str, number: usize) -> OutboundMessage {
        let name = number.to_string();
        let derived = |prefix| ids::derive(prefix, &[conversation, &name]);
        let account = if channel == "sms" { "main" } else { "site" };
        OutboundMessage {
            delivery_id: derived(ids::DELIVERY),
            tenant: "acme".to_owned(),
            region: "north-america".to_owned(),
            conversation: conversation.to_owned(),
            contact: ids::derive(ids::CONTACT, &[conversation]),
            message: Some(Message {
                id: derived(ids::MESSAGE),
                direction: Direction::Outbound.into(),
                content: Some(content::text(name)),
                address: Some(Address {
                    channel: channel.to_owned(),
                    account: account.to_owned(),
                    user_id: format!("user-of-{conversation}"),
                    ..Address::default()
                }),
                ..Message::default()
            }),
            accepted_at: Some(stamp(now_ms())),
            ..OutboundMessage::default()
        }
    }

    /// Appends outbound work.
    pub(crate) async fn queue(&self, out: &OutboundMessage) {
        self.put(out, None).await;
    }

    async fn put(&self, out: &OutboundMessage, msg_id: Option<String>) {
        let partition = subjects::partition_of_conversation(&out.conversation, self.layout.outbound);
        let channel = &out.message.as_ref().unwrap().address.as_ref().unwrap().channel;
        let subject = subjects::outbound(channel, partition, &out.tenant).unwrap();
        let envelope = Envelope::of(out.delivery_id.clone(), "outbound.message", "test", now_ms(), out)
            .about(out.conversation.clone());
        let envelope = Envelope { msg_id, ..envelope };
        self.fabric.publish(&subject, &envelope, None).await.unwrap();
    }

    /// Appends outbound work once more, as if the broker had forgotten that it has it.
    pub(crate) async fn queue_again(&self, out: &OutboundMessage) {
        self.put(out, Some(format!("{}-again", out.delivery_id))).await;
    }

    /// Appends messages 0 to `count` of a conversation.
    pub(crate) async fn queue_many(&self, channel: &str, conversation: &str, count: usize) {
        for number in 0..count {
            self.queue(&Self::outbound(channel, conversation, number)).await;
        }
    }

    /// Appends a text of its own.
    pub(crate) async fn queue_content(
        &self,
        channel: &str,
        conversation: &str,
        content: Content,
    ) -> OutboundMessage {
        let mut out = Self::outbound(channel, conversation, 0);
        out.message.as_mut().unwrap().content = Some(content);
        self.queue(&out).await;
        out
    }

    /// The public events of a conversation, each id once, oldest first.
    pub(crate) async fn events(&self, conversation: &str) -> Vec<Event> {
        let filter =
            EventFilter { tenant: "acme", conversation: Some(conversation), ..EventFilter::default() };
        let records = self.fabric.read_subject(Stream::Events, &filter.subject().unwrap()).await.unwrap();
        let mut events: Vec<Event> = Vec::new();
        for record in records {
            let event: Event = record.envelope().unwrap().decode().unwrap();
            assert!(record.subject.ends_with(&event.r#type), "{}", record.subject);
            if !events.iter().any(|known| known.id == event.id) {
                events.push(event);
            }
        }
        events
    }

    /// Waits until a conversation has `count` events of a type, and returns these.
    pub(crate) async fn events_of(&self, conversation: &str, kind: &str, count: usize) -> Vec<Event> {
        let filter = EventFilter {
            tenant: "acme",
            conversation: Some(conversation),
            kind: Some(kind),
            ..EventFilter::default()
        };
        let filter = filter.subject().unwrap();
        let mut reader =
            LogReader::open(&self.fabric, Stream::Events, [filter], Start::After(0)).await.unwrap();
        let mut found: Vec<Event> = Vec::new();
        let reading = async {
            while found.len() < count {
                let event: Event = reader.next().await.unwrap().envelope().unwrap().decode().unwrap();
                if !found.iter().any(|known| known.id == event.id) {
                    found.push(event);
                }
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            let met = self.events(conversation).await;
            panic!("waited in vain for {count} {kind} in {conversation}: {met:#?}");
        }
        found
    }

    /// Waits until everything of a channel is acknowledged.
    pub(crate) async fn drained(&self, channel: &str) {
        until("the work to be acknowledged", || async {
            let stream = self.fabric.jetstream().get_stream(Stream::Outbound.name()).await.unwrap();
            for partition in 0..self.layout.outbound {
                let name = heliograph_fabric::work::consumer_name(channel, partition);
                let info = stream.consumer_info(name).await.ok()?;
                if info.num_pending > 0 || info.num_ack_pending > 0 {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }

    /// Settings whose waits are short.
    pub(crate) fn config() -> EgressConfig {
        let retry = RetryConfig {
            first: Duration::from_millis(20),
            most: Duration::from_millis(200),
            probe_first: Duration::from_millis(50),
            probe_most: Duration::from_millis(400),
            ..RetryConfig::default()
        };
        let token = ApiToken { token: TOKEN.into(), tenant: "acme".to_owned(), client: "shop".to_owned() };
        EgressConfig {
            retry,
            deliver_timeout: Duration::from_secs(30),
            describe_every: Duration::from_millis(100),
            api_tokens: vec![token],
            ..EgressConfig::default()
        }
    }

    /// Starts an egress for these channels.
    pub(crate) async fn egress(&self, channels: &[&Channel]) -> Egress {
        self.egress_with("one", Self::config(), channels).await
    }

    pub(crate) async fn egress_with(
        &self,
        member: &str,
        config: EgressConfig,
        channels: &[&Channel],
    ) -> Egress {
        let channels: BTreeMap<String, ChannelEndpoint> = channels
            .iter()
            .map(|channel| (channel.name.clone(), ChannelEndpoint { endpoint: channel.endpoint.clone() }))
            .collect();
        let config = EgressConfig { member: Some(member.to_owned()), ..config };
        let (nats, redis) = (self.nats.url(), self.redis.url());
        let (started, starting) = tokio::sync::oneshot::channel();
        let (health, shutdown) = (Health::new(), Shutdown::new());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (its_health, its_shutdown) = (health.clone(), shutdown.clone());
        let name = member.to_owned();
        let task = runtime.spawn(async move {
            let fabric = Fabric::connect(Options::new(nats, name)).await.unwrap();
            let redis = Redis::connect(&RedisOptions::new(redis)).await.unwrap();
            let resources = ResourceStore::open(fabric.jetstream()).await.unwrap().watch();
            let settings =
                GrpcSettings { addr: SocketAddr::from(([127, 0, 0, 1], 0)), ..GrpcSettings::default() };
            let grpc = GrpcServer::bind(&settings, &its_health).await.unwrap();
            started.send(grpc.local_addr()).unwrap();
            let links = Links::open(fabric.jetstream(), &MediaSettings::default()).await.unwrap();
            let deps = EgressDeps {
                links,
                fabric,
                redis,
                resources,
                channels,
                config,
                health: its_health,
                shutdown: its_shutdown,
            };
            run(deps, grpc).await.unwrap();
        });
        let grpc = format!("http://{}", starting.await.unwrap());
        Egress { runtime: Some(runtime), task: Some(task), grpc, health, shutdown }
    }
}

/// An egress in a runtime of its own, as far as a process can be had in one.
pub(crate) struct Egress {
    runtime: Option<Runtime>,
    task: Option<tokio::task::JoinHandle<()>>,
    pub(crate) grpc: String,
    pub(crate) health: Health,
    shutdown: Shutdown,
}

impl Egress {
    /// Ends it where it stands: no release, no acknowledgement, no goodbye.
    pub(crate) fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Lets it hand everything over and end.
    pub(crate) async fn stop(mut self) {
        self.shutdown.drain();
        self.task.take().unwrap().await.unwrap();
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A timestamp of milliseconds since 1970.
pub(crate) fn stamp(ms: i64) -> heliograph_proto::Timestamp {
    heliograph_proto::Timestamp { seconds: ms / 1_000, nanos: i32::try_from(ms % 1_000).unwrap() * 1_000_000 }
}
