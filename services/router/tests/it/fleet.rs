//! A broker, a Redis and routers, each router in a runtime of its own, so that it can be killed as a process would be.

use std::collections::BTreeMap;
use std::time::Duration;

use heliograph_domain::{content, ids, resources::Resource};
use heliograph_fabric::{
    DeadFilter, DeadLetter, DeadLetters, Envelope, Fabric, Layout, Options, Plan, Record, Stream, provision,
    subjects,
};
use heliograph_proto::{
    Message as _,
    v1::{
        AcceptReservation, Address, AgentStateQuery, Capabilities, Command, Event, InboundEvent, Message,
        OutboundMessage, Reply, RoutingAnswer, RoutingEntry, RoutingQuery, SendRequested, SetPresence,
        WindowRule, command::Action, event::Payload, inbound_event, routing_answer::Answer, routing_entry,
        routing_query::Query,
    },
};
use heliograph_router::{RouterConfig, RouterDeps, query_subject, run};
use heliograph_runtime::{Health, Shutdown};
use heliograph_store::{
    Redis, RedisOptions, contacts, now_ms,
    objects::Objects,
    resources::{Expect, ResourceStore},
    snapshots::SnapshotStore,
};
use heliograph_testkit::servers::{NatsServer, RedisServer};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::time::Instant;

/// Far beyond what anything here takes; a test that gets there has failed.
const PATIENCE: Duration = Duration::from_mins(1);
pub(crate) const TENANT: &str = "acme";
pub(crate) const LAYOUT: Layout = Layout { inbound: 4, routing: 4, outbound: 4 };

pub(crate) struct Fleet {
    pub(crate) nats: NatsServer,
    pub(crate) redis: RedisServer,
    pub(crate) fabric: Fabric,
    pub(crate) resources: ResourceStore,
    pub(crate) snapshots: TempDir,
}

/// A running router.
pub(crate) struct Router {
    runtime: Option<Runtime>,
    shutdown: Shutdown,
    done: Option<tokio::sync::oneshot::Receiver<()>>,
}

impl Router {
    /// As `kill -9` would: nothing is finished, nothing is released.
    pub(crate) fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Stops in order.
    pub(crate) async fn stop(mut self) {
        self.shutdown.drain();
        self.done.take().unwrap().await.unwrap();
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn webchat() -> Capabilities {
    let windows = vec![WindowRule { kind: "message".to_owned(), seconds: 3_600, messages: 7 }];
    Capabilities {
        channel: "webchat".to_owned(),
        work_class: "chat".to_owned(),
        windows,
        ..Capabilities::default()
    }
}

fn sms() -> Capabilities {
    Capabilities { channel: "sms".to_owned(), work_class: "chat".to_owned(), ..Capabilities::default() }
}

impl Fleet {
    /// A provisioned broker and the resources of a tenant with one queue and one agent.
    pub(crate) async fn start() -> Self {
        let (nats, redis) = tokio::join!(NatsServer::start(), RedisServer::start());
        let (nats, redis) = (nats.unwrap(), redis.unwrap());
        let fabric = Fabric::connect(Options::new(nats.url(), "test")).await.unwrap();
        let plan = Plan { layout: LAYOUT, ..Plan::default() };
        provision::provision(&fabric, &plan, provision::ProvisionOptions::default()).await.unwrap();
        let resources = ResourceStore::open(fabric.jetstream()).await.unwrap();
        let snapshots = tempfile::tempdir().unwrap();
        let fleet = Self { nats, redis, fabric, resources, snapshots };
        fleet.tenant(TENANT).await;
        fleet
    }

    pub(crate) async fn tenant(&self, tenant: &str) {
        self.policy(tenant, &["webchat"]).await;
        self.apply(tenant, "Queue", "support", json!({ "display_name": "Support", "wrap_up": "10m" })).await;
        self.apply(tenant, "ChannelAccount", "site", json!({ "channel": "webchat" })).await;
        self.agent(tenant, "ann", 100).await;
    }

    pub(crate) async fn agent(&self, tenant: &str, name: &str, chats: u32) {
        let spec = json!({ "display_name": name, "queues": ["support"], "capacity": { "chat": chats } });
        self.apply(tenant, "Agent", name, spec).await;
    }

    pub(crate) async fn policy(&self, tenant: &str, channels: &[&str]) {
        self.apply(tenant, "ChannelPolicy", "default", json!({ "default": { "channels": channels } })).await;
    }

    pub(crate) async fn apply(&self, tenant: &str, kind: &str, name: &str, spec: serde_json::Value) {
        let resource = Resource::from_json(&json!({
            "apiVersion": "heliograph.dev/v1", "kind": kind,
            "metadata": { "tenant": tenant, "name": name }, "spec": spec,
        }))
        .unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        self.resources.apply(&resource, Expect::Anything, "test", now).await.unwrap();
    }

    /// Starts a router and waits until it is ready.
    pub(crate) async fn router(&self, member: &str) -> Router {
        self.router_with(member, RouterConfig::default()).await
    }

    pub(crate) async fn router_with(&self, member: &str, mut config: RouterConfig) -> Router {
        config.member = Some(member.to_owned());
        let (shutdown, health) = (Shutdown::new(), Health::new());
        // Not ready before the router has said what it checks.
        let started = health.check("test");
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (sender, done) = tokio::sync::oneshot::channel();
        let (nats, redis, place) = (self.nats.url(), self.redis.url(), self.snapshots.path().to_owned());
        let (stop, told) = (shutdown.clone(), health.clone());
        let name = member.to_owned();
        runtime.spawn(async move {
            let deps = RouterDeps {
                fabric: Fabric::connect(Options::new(nats, name)).await.unwrap(),
                redis: Redis::connect(&RedisOptions::new(redis)).await.unwrap(),
                snapshots: Objects::in_directory(place).await.unwrap(),
                channels: BTreeMap::from([("webchat".to_owned(), webchat()), ("sms".to_owned(), sms())]),
                health: told,
                config,
            };
            tokio::spawn(async move { started.ready() });
            run(deps, stop).await.unwrap();
            let _ = sender.send(());
        });
        let wanted = health.clone();
        eventually("the router is ready", || {
            let report = wanted.report();
            async move { (report.ready && report.checks.len() == 4).then_some(()) }
        })
        .await;
        Router { runtime: Some(runtime), shutdown, done: Some(done) }
    }

    pub(crate) async fn snapshot_store(&self) -> SnapshotStore {
        SnapshotStore::new(Objects::in_directory(self.snapshots.path().to_owned()).await.unwrap(), 3)
    }

    /// What an ingress does with an event.
    pub(crate) async fn receive(&self, event: InboundEvent) {
        let id = event.id.clone();
        self.receive_as(event, &id).await;
    }

    /// The same, under an id of the broker's that may be another one: as when its window is over.
    pub(crate) async fn receive_as(&self, event: InboundEvent, msg_id: &str) {
        let user = event.address.as_ref().map_or("", |address| &address.user_id);
        let at = subjects::partition_of_address(
            &event.tenant,
            &event.channel,
            &event.account,
            user,
            LAYOUT.inbound,
        );
        let subject = subjects::inbound(at, &event.tenant, &event.channel).unwrap();
        let mut envelope = Envelope::of(event.id.clone(), "inbound.event", "test", now_ms(), &event);
        envelope.msg_id = Some(msg_id.to_owned());
        self.fabric.publish(&subject, &envelope, None).await.unwrap();
    }

    /// Takes a group's cursors back to the start, as if what followed from its log had never been noted.
    pub(crate) async fn rewind(&self, group: &str, partitions: impl IntoIterator<Item = u16>) {
        let cursors = self.fabric.jetstream().get_key_value("HG_CURSORS").await.unwrap();
        for partition in partitions {
            cursors.put(format!("{group}.{partition}"), r#"{"seq":0,"epoch":0}"#.into()).await.unwrap();
        }
    }

    /// A policy and an account for SMS beside web chat.
    pub(crate) async fn with_sms(&self, policy: serde_json::Value) {
        self.apply(TENANT, "ChannelAccount", "line", json!({ "channel": "sms" })).await;
        self.apply(TENANT, "ChannelPolicy", "default", policy).await;
    }

    /// A customer writes.
    pub(crate) async fn write(&self, tenant: &str, user: &str, text: &str) {
        self.receive(message(tenant, user, text)).await;
    }

    /// What the API does with a message to a customer that nobody asked for.
    pub(crate) async fn send(&self, tenant: &str, user: &str, text: &str) {
        let message = Message {
            id: ids::derive(ids::MESSAGE, &[tenant, "send", user, text]),
            content: Some(content::text(text)),
            address: Some(address(user)),
            ..Message::default()
        };
        let send = SendRequested {
            command_id: ids::derive(ids::COMMAND, &[tenant, user, text]),
            contact: contacts::Address::new("webchat", "site", user).own_contact(tenant),
            message: Some(message),
            ..SendRequested::default()
        };
        self.append(tenant, &format!("send/{user}/{text}"), routing_entry::Kind::Send(send)).await;
    }

    /// What a desk does with an agent's command.
    pub(crate) async fn command(&self, tenant: &str, agent: &str, id: &str, action: Action) {
        let command = Command { command_id: id.to_owned(), agent: agent.to_owned(), action: Some(action) };
        self.append(tenant, &format!("{agent}/{id}"), routing_entry::Kind::Command(command)).await;
    }

    /// Appends an entry to the tenant's partition of the log; where it stands.
    pub(crate) async fn append(&self, tenant: &str, id: &str, kind: routing_entry::Kind) -> u64 {
        let entry = RoutingEntry {
            id: ids::derive("ent", &[tenant, id]),
            tenant: tenant.to_owned(),
            kind: Some(kind),
        };
        let at = subjects::partition_of_pool(tenant, "default", LAYOUT.routing);
        let subject = subjects::routing(at, tenant).unwrap();
        let envelope = Envelope::of(entry.id.clone(), "routing.command", "test", now_ms(), &entry);
        self.fabric.publish(&subject, &envelope, None).await.unwrap().seq
    }

    /// The agent goes online, once the machine knows them.
    pub(crate) async fn online(&self, tenant: &str, agent: &str) {
        eventually("the agent is known", || async {
            let answer =
                self.ask(tenant, Query::AgentState(AgentStateQuery { agent: agent.to_owned() })).await?;
            matches!(answer.answer, Some(Answer::AgentState(_))).then_some(())
        })
        .await;
        let presence =
            SetPresence { presence: heliograph_proto::v1::Presence::Online.into(), ..SetPresence::default() };
        self.command(tenant, agent, &format!("online-{agent}"), Action::SetPresence(presence)).await;
    }

    /// Waits for an offer and takes it; the conversation's id.
    pub(crate) async fn accept(&self, tenant: &str, agent: &str) -> String {
        let (reservation, conversation) = self
            .until("an offer", |events| {
                events.iter().find_map(|event| match &event.payload {
                    Some(Payload::ReservationCreated(it)) if it.agent == agent => {
                        Some((it.reservation_id.clone(), event.conversation.clone()))
                    }
                    _ => None,
                })
            })
            .await;
        let accept = AcceptReservation { reservation_id: reservation.clone() };
        self.command(tenant, agent, &format!("accept-{reservation}"), Action::Accept(accept)).await;
        conversation
    }

    pub(crate) async fn reply(&self, tenant: &str, agent: &str, id: &str, conversation: &str, text: &str) {
        let (conversation, content) = (conversation.to_owned(), Some(content::text(text)));
        self.command(tenant, agent, id, Action::Reply(Reply { conversation, content, ..Reply::default() }))
            .await;
    }

    /// Asks the owner of the tenant's partition; none when nobody answers.
    pub(crate) async fn ask(&self, tenant: &str, query: Query) -> Option<RoutingAnswer> {
        let at = subjects::partition_of_pool(tenant, "default", LAYOUT.routing);
        let answer = self.ask_at(at, tenant, query.clone()).await?;
        match answer.answer {
            Some(Answer::Elsewhere(it)) => self.ask_at(it.partition.try_into().unwrap(), tenant, query).await,
            _ => Some(answer),
        }
    }

    /// Asks the owner of a partition, whoever it has.
    pub(crate) async fn ask_at(&self, partition: u16, tenant: &str, query: Query) -> Option<RoutingAnswer> {
        let query = RoutingQuery { tenant: tenant.to_owned(), query: Some(query) };
        let asked =
            self.fabric.client().request(query_subject(partition), query.encode_to_vec().into()).await;
        asked.ok().map(|message| RoutingAnswer::decode(message.payload).unwrap())
    }

    /// Every public event, in order.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let records = self.records(Stream::Events).await;
        records.iter().map(|record| record.envelope().unwrap().decode::<Event>().unwrap()).collect()
    }

    pub(crate) async fn outbound(&self) -> Vec<OutboundMessage> {
        let records = self.records(Stream::Outbound).await;
        records.iter().map(|record| record.envelope().unwrap().decode().unwrap()).collect()
    }

    pub(crate) async fn records(&self, stream: Stream) -> Vec<Record> {
        self.fabric.read_subject(stream, ">").await.unwrap()
    }

    pub(crate) async fn dead(&self) -> Vec<DeadLetter> {
        DeadLetters::new(&self.fabric).list(&DeadFilter::default(), 0, 100).await.unwrap()
    }

    /// Waits until the events say so.
    pub(crate) async fn until<T>(&self, what: &str, found: impl Fn(&[Event]) -> Option<T>) -> T {
        eventually(what, || async { found(&self.events().await) }).await
    }

    /// Waits until there are `count` events of a type.
    pub(crate) async fn count(&self, kind: &str, count: usize) -> Vec<Event> {
        self.until(&format!("{count} {kind}"), |events| {
            let of_kind: Vec<Event> = events.iter().filter(|event| event.r#type == kind).cloned().collect();
            (of_kind.len() >= count).then_some(of_kind)
        })
        .await
    }
}

/// An event of a customer of the tenant's site.
pub(crate) fn inbound(tenant: &str, user: &str, id: &str, kind: inbound_event::Kind) -> InboundEvent {
    InboundEvent {
        id: ids::derive(ids::EVENT, &[tenant, "webchat", "site", id]),
        tenant: tenant.to_owned(),
        channel: "webchat".to_owned(),
        account: "site".to_owned(),
        address: Some(address(user)),
        kind: Some(kind),
        ..InboundEvent::default()
    }
}

pub(crate) fn address(user: &str) -> Address {
    Address {
        channel: "webchat".to_owned(),
        account: "site".to_owned(),
        user_id: user.to_owned(),
        ..Address::default()
    }
}

/// An address of the tenant's number, as the SMS channels give it.
pub(crate) fn number(phone: &str) -> Address {
    Address {
        channel: "sms".to_owned(),
        account: "line".to_owned(),
        user_id: phone.to_owned(),
        phone: phone.to_owned(),
        verified: true,
        ..Address::default()
    }
}

/// A message of another channel's customer; `id` names it.
pub(crate) fn from(address: &Address, id: &str, text: &str) -> InboundEvent {
    let message = Message {
        id: ids::derive(ids::MESSAGE, &[TENANT, &address.user_id, id]),
        content: Some(content::text(text)),
        address: Some(address.clone()),
        ..Message::default()
    };
    event(address, id, inbound_event::Kind::Message(message))
}

/// An event of another channel's customer; `id` names it.
pub(crate) fn event(address: &Address, id: &str, kind: inbound_event::Kind) -> InboundEvent {
    InboundEvent {
        id: ids::derive(ids::EVENT, &[TENANT, &address.channel, &address.account, &address.user_id, id]),
        tenant: TENANT.to_owned(),
        channel: address.channel.clone(),
        account: address.account.clone(),
        address: Some(address.clone()),
        kind: Some(kind),
        ..InboundEvent::default()
    }
}

/// A message; user and text name it.
pub(crate) fn message(tenant: &str, user: &str, text: &str) -> InboundEvent {
    let id = format!("{user}/{text}");
    let message = Message {
        id: ids::derive(ids::MESSAGE, &[tenant, &id]),
        content: Some(content::text(text)),
        address: Some(address(user)),
        ..Message::default()
    };
    inbound(tenant, user, &id, inbound_event::Kind::Message(message))
}

/// The text of a `message.received`.
pub(crate) fn said(event: &Event) -> String {
    match &event.payload {
        Some(Payload::MessageReceived(it)) => {
            content::preview(it.message.as_ref().unwrap().content.as_ref().unwrap())
        }
        other => panic!("no message: {other:?}"),
    }
}

/// Asks again until there is an answer.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No event is on the stream twice.
pub(crate) fn assert_unique(events: &[Event]) {
    let mut seen = std::collections::BTreeSet::new();
    for event in events {
        assert!(seen.insert(event.id.clone()), "{} is there twice", event.r#type);
        if let Some(position) = &event.position {
            let place = format!("{}.{}.{}", position.partition, position.sequence, position.index);
            assert!(seen.insert(place), "{} was decided twice", event.r#type);
        }
    }
}
