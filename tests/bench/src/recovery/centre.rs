//! A large centre: its declarations, and what its customers and agents append to the routing log.

use std::{fmt::Write as _, time::Instant};

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use heliograph_domain::{content, ids, resources::Resource};
use heliograph_fabric::{Envelope, Fabric, subjects};
use heliograph_proto::v1::{
    Address, Command, InboundEvent, Message, Presence, Proposal, Region, RoutingEntry, SetPresence,
    SkillWanted, Verdict, Wanted, command::Action, inbound_event, routing_entry::Kind, verdict::Outcome,
};
use heliograph_store::resources::{Expect, ResourceStore};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::ground::{ACCOUNT, Ground, TENANT};

const QUEUES: u64 = 20;
/// Skills that an agent has, at levels from 1 to 10.
const HAS: u64 = 8;
/// Queues that an agent serves.
const SERVED: u64 = 4;
/// How many publishes are under way at a time.
const UNDER_WAY: usize = 512;

/// How large it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) agents: u64,
    pub(crate) skills: u64,
    /// Different things that work asks for: a queue, a skill at a level, a preferred one.
    pub(crate) kinds: u64,
    /// How many conversations wait once every agent has one.
    pub(crate) waiting: u64,
    /// Entries behind the snapshot.
    pub(crate) tail: u64,
}

/// A message that stands in the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) number: u64,
    pub(crate) customer: u64,
    /// Where it stands.
    pub(crate) sequence: u64,
    /// When it was sent.
    pub(crate) at: Instant,
}

/// See the module.
pub(crate) struct Centre<'a> {
    fabric: &'a Fabric,
    size: Size,
    pub(crate) partition: u16,
    /// Number of the next message.
    next: u64,
}

impl<'a> Centre<'a> {
    /// Puts the tenant, its queues and agents in force.
    pub(crate) async fn declare(ground: &'a Ground, size: Size) -> anyhow::Result<Self> {
        ground.apply(&manifest()).await?;
        let store = ResourceStore::open(ground.fabric.jetstream()).await?;
        let agents = (0..size.agents).map(|n| Resource::from_json(&agent(n, size.skills)));
        let agents: Vec<Resource> = agents.collect::<Result<_, _>>().context("the bench's own agents")?;
        stream::iter(&agents)
            .map(|agent| store.apply(agent, Expect::Anything, "bench", jiff::Timestamp::now()))
            .buffer_unordered(64)
            .try_for_each(async |_| Ok(()))
            .await?;
        let layout = ground.fabric.layout().await?;
        let partition = subjects::partition_of_pool(TENANT, "default", layout.routing);
        Ok(Self { fabric: &ground.fabric, size, partition, next: 0 })
    }

    /// Agents come, and customers write until every agent has one and the rest waits. Sequence of the last entry.
    pub(crate) async fn fill(&mut self) -> anyhow::Result<u64> {
        let online = self.append((0..self.size.agents).map(online).collect()).await?;
        let customers = self.size.agents + self.size.waiting;
        let first = self.next;
        self.next += customers;
        let size = self.size;
        let written = self.append((0..customers).map(|n| message(first + n, n, size)).collect()).await?;
        Ok(online.max(written))
    }

    /// Customers write in open conversations, and agents are there. Sequence of the last entry.
    pub(crate) async fn tail(&mut self) -> anyhow::Result<u64> {
        let first = self.next;
        self.next += self.size.tail;
        let customers = self.size.agents + self.size.waiting;
        let entry = |n: u64| message(first + n, (n * 37) % customers, self.size);
        self.append((0..self.size.tail).map(entry).collect()).await
    }

    /// One message in an open conversation: its number, and where it stands.
    pub(crate) async fn write(&mut self) -> anyhow::Result<(u64, u64)> {
        let number = self.next;
        self.next += 1;
        let sequence = self.append(vec![message(number, number % self.customers(), self.size)]).await?;
        Ok((number, sequence))
    }

    /// So many messages in open conversations, under way.
    pub(crate) fn write_some(&mut self, count: u64) -> Vec<JoinHandle<anyhow::Result<Written>>> {
        let first = self.next;
        self.next += count;
        let one = |number: u64| {
            let customer = number % self.customers();
            let entry = message(number, customer, self.size);
            let (fabric, partition) = (self.fabric.clone(), self.partition);
            tokio::spawn(async move {
                let at = Instant::now();
                let sequence = append(&fabric, partition, entry).await?;
                Ok(Written { number, customer, sequence, at })
            })
        };
        (first..self.next).map(one).collect()
    }

    /// Customers who write while it fails over: few enough that each writes often.
    fn customers(&self) -> u64 {
        (self.size.agents + self.size.waiting).min(1_000)
    }

    async fn append(&self, entries: Vec<RoutingEntry>) -> anyhow::Result<u64> {
        stream::iter(entries)
            .map(|entry| append(self.fabric, self.partition, entry))
            .buffer_unordered(UNDER_WAY)
            .try_fold(0, async |last: u64, sequence| Ok(last.max(sequence)))
            .await
    }
}

async fn append(fabric: &Fabric, partition: u16, entry: RoutingEntry) -> anyhow::Result<u64> {
    let kind =
        if matches!(entry.kind, Some(Kind::Proposal(_))) { "routing.proposal" } else { "routing.command" };
    let now = jiff::Timestamp::now().as_millisecond();
    let envelope = Envelope::of(entry.id.clone(), kind, "bench", now, &entry);
    Ok(fabric.publish(&subjects::routing(partition, TENANT)?, &envelope, None).await?.seq)
}

/// A customer's number in their contact.
pub(crate) fn contact(customer: u64) -> String {
    format!("con_{customer}")
}

/// Well mixed: what is drawn for the `n`th thing, of purpose `at`.
fn roll(n: u64, at: u64) -> u64 {
    let mixed = (n ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 32)
}

fn manifest() -> String {
    let mut text = format!(
        "apiVersion: heliograph.dev/v1\nkind: Tenant\nmetadata: {{ name: {TENANT} }}\n\
         spec: {{ display_name: Bench, locale: en, work: {{ liveness: 24h }} }}\n"
    );
    for queue in 0..QUEUES {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "---\napiVersion: heliograph.dev/v1\nkind: Queue\nmetadata: {{ tenant: {TENANT}, name: queue-{queue} }}\n\
             spec: {{ display_name: Queue {queue} }}\n"
        );
    }
    text
}

fn agent(n: u64, skills: u64) -> serde_json::Value {
    let has: serde_json::Map<String, serde_json::Value> = (0..HAS)
        .map(|at| (format!("skill-{}", roll(n, at) % skills), json!(1 + roll(n, 100 + at) % 10)))
        .collect();
    let first = roll(n, 200);
    let queues: Vec<String> =
        (0..SERVED).map(|at| format!("queue-{}", (first % QUEUES + at * 5) % QUEUES)).collect();
    json!({
        "apiVersion": "heliograph.dev/v1", "kind": "Agent", "metadata": { "tenant": TENANT, "name": format!("agent-{n}") },
        "spec": {
            "display_name": format!("Agent {n}"), "queues": queues, "skills": has, "capacity": { "async": 1 },
            "auto_accept": true,
        },
    })
}

fn online(agent: u64) -> RoutingEntry {
    let name = format!("agent-{agent}");
    let presence = SetPresence { presence: Presence::Online.into(), ..SetPresence::default() };
    RoutingEntry {
        id: ids::derive("ent", &["online", &name]),
        tenant: TENANT.to_owned(),
        kind: Some(Kind::Command(Command {
            command_id: format!("{name}-online"),
            agent: name,
            action: Some(Action::SetPresence(presence)),
        })),
    }
}

/// Message number `number`, of this customer, as intake proposes it.
fn message(number: u64, customer: u64, size: Size) -> RoutingEntry {
    let id = format!("{number}");
    let address = Address {
        channel: "sms".to_owned(),
        account: ACCOUNT.to_owned(),
        user_id: format!("+1{:010}", 2_000_000_000 + customer),
        ..Address::default()
    };
    let said = Message {
        id: id.clone(),
        content: Some(content::text("Where is my parcel? It should have been here on Monday.")),
        address: Some(address.clone()),
        ..Message::default()
    };
    let event = InboundEvent {
        id: ids::derive(ids::EVENT, &[TENANT, &id]),
        tenant: TENANT.to_owned(),
        channel: "sms".to_owned(),
        account: ACCOUNT.to_owned(),
        address: Some(address),
        kind: Some(inbound_event::Kind::Message(said)),
        ..InboundEvent::default()
    };
    let kind = roll(customer, 300) % size.kinds;
    let skill = |at: u64, required| SkillWanted {
        name: format!("skill-{}", roll(kind, at) % size.skills),
        level: i32::try_from(1 + roll(kind, at + 1) % 5).unwrap_or(1),
        required,
        ..SkillWanted::default()
    };
    let region = Some(Region { name: "north-america".to_owned(), ..Region::default() });
    RoutingEntry {
        id: ids::derive("ent", &["proposal", &event.id]),
        tenant: TENANT.to_owned(),
        kind: Some(Kind::Proposal(Proposal {
            event: Some(event),
            contact: contact(customer),
            scope: "default".to_owned(),
            verdict: Some(Verdict { outcome: Outcome::Allow.into(), region, ..Verdict::default() }),
            wanted: Some(Wanted {
                queue: format!("queue-{}", roll(kind, 300) % QUEUES),
                priority: i32::try_from(roll(customer, 400) % 3).unwrap_or_default(),
                skills: vec![skill(500, true), skill(600, false)],
                ..Wanted::default()
            }),
            ..Proposal::default()
        })),
    }
}
