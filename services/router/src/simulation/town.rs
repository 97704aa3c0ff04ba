//! Who writes: tenants with their configuration, and customers who come back.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use heliograph_domain::{
    content, ids,
    resources::{Resource, Stored},
};
use heliograph_fabric::{CancellationToken, Envelope, Layout, Places, RoutingLog};
use heliograph_proto::v1::{
    Address, Capabilities, InboundEvent, Message, Proposal, Region, RoutingEntry, SendRequested, Verdict,
    Wanted, inbound_event, routing_entry::Kind, verdict::Outcome,
};
use heliograph_store::resources::Snapshot;
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::chance::Chance;
use super::ground::SimGround;
use crate::{
    book::{Book, Day, Setting},
    naming::SCOPE,
};

pub(super) const LAYOUT: Layout = Layout { inbound: 1, routing: 2, outbound: 2 };
pub(super) const TENANTS: [&str; 3] = ["acme", "beta", "core"];
/// What one agent holds at a time.
pub(super) const AGENTS: [(&str, u32); 3] = [("ann", 1), ("bob", 2), ("cat", 3)];
const CUSTOMERS: u64 = 4;

/// What was acknowledged to those who wrote it: it must have had its effect in the end.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Customers' messages, by tenant and message id.
    pub(super) messages: Vec<(String, String)>,
    /// Messages to customers, by tenant and message id.
    pub(super) sends: Vec<(String, String)>,
    /// What nobody can apply, by its id.
    pub(super) poison: Vec<String>,
    /// Agents' commands, by tenant, agent and command id.
    pub(super) commands: Vec<(String, String, String)>,
    /// Entries of each lane, in the order in which they were stored; some more than once.
    pub(super) lanes: BTreeMap<String, Vec<String>>,
}

/// A shared one.
pub(super) type Books = Arc<Mutex<Ledger>>;

pub(super) fn ledger(books: &Books) -> MutexGuard<'_, Ledger> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tenants' configuration as of a revision.
pub(super) fn book(revision: u64) -> Arc<Book> {
    let capabilities = Capabilities { work_class: "chat".to_owned(), ..Capabilities::default() };
    let channels = Arc::new(BTreeMap::from([("webchat".to_owned(), capabilities)]));
    let ring = format!("{}s", 3 + revision % 4);
    let mut resources = Vec::new();
    for tenant in TENANTS {
        let mut add = |kind: &str, name: &str, spec: serde_json::Value| {
            let resource = Resource::from_json(&json!({
                "apiVersion": "heliograph.dev/v1", "kind": kind,
                "metadata": { "tenant": tenant, "name": name }, "spec": spec,
            }));
            resources.push(Stored {
                resource: resource.expect("a resource as operators write them"),
                version: revision,
                applied_by: "simulation".to_owned(),
                applied_at: jiff::Timestamp::UNIX_EPOCH,
            });
        };
        add("Queue", "support", json!({ "display_name": "Support", "ring_timeout": ring, "wrap_up": "2s" }));
        add("Queue", "sales", json!({ "display_name": "Sales", "ring_timeout": "6s", "wrap_up": "0s" }));
        for (agent, chats) in AGENTS {
            let queues = if agent == "ann" { json!(["support"]) } else { json!(["support", "sales"]) };
            let spec = json!({ "display_name": agent, "queues": queues, "capacity": { "chat": chats } });
            add("Agent", agent, spec);
        }
    }
    let setting = Setting { channels, site: None };
    let mut book = Book::build(&Snapshot::of(resources), &setting, Day::default(), &Book::default());
    book.revision = revision;
    Arc::new(book)
}

/// Whoever appends to the routing log beside the routers: intake, the desk and the API.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    pub(super) ground: SimGround,
    log: RoutingLog<SimGround>,
    lanes: Arc<Mutex<HashMap<String, Lane>>>,
    pub(super) books: Books,
    pub(super) closing: CancellationToken,
}

/// One writes in it at a time, in the order in which they came.
type Lane = Arc<tokio::sync::Mutex<()>>;

impl Writer {
    pub(super) fn new(ground: &SimGround, books: &Books, closing: &CancellationToken) -> Self {
        Self {
            ground: ground.clone(),
            log: RoutingLog::new(&Places::follow(ground, LAYOUT.routing), None),
            lanes: Arc::default(),
            books: Arc::clone(books),
            closing: closing.clone(),
        }
    }

    /// Goes on for another writer.
    pub(super) fn session(&self) -> Self {
        Self { log: self.log.session(), ..self.clone() }
    }

    /// Appends until it is stored, in the order of the calls for each lane.
    pub(super) async fn append(&self, lane: String, entry: &RoutingEntry, kind: &str) {
        let now = self.ground.world.now_ms();
        let envelope = Envelope::of(entry.id.clone(), kind, "simulation", now, entry);
        self.publish(&lane, &entry.tenant, envelope).await;
        ledger(&self.books).lanes.entry(lane).or_default().push(entry.id.clone());
    }

    async fn publish(&self, lane: &str, tenant: &str, envelope: Envelope) {
        let turn = Arc::clone(self.lanes.lock().unwrap().entry(lane.to_owned()).or_default());
        let _turn = turn.lock().await;
        let stored = self.log.append(tenant, envelope, None).await;
        stored.expect("without a deadline and a fence it is tried until it is stored");
    }

    /// Sleeps, and says whether there is anything more to do.
    pub(super) async fn rest(&self, time: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => false,
            () = sleep(time) => true,
        }
    }
}

/// Starts every tenant's customers. Two members of intake write what they say, one at a time.
pub(super) fn open(members: &[Writer; 2], seed: u64) {
    for tenant in TENANTS {
        for number in 0..CUSTOMERS {
            let chance = Chance::of(seed, &format!("customer/{tenant}/{number}"));
            tokio::spawn(customer(members.clone(), tenant, format!("user-{number}"), chance));
        }
        tokio::spawn(poison(members[0].clone(), tenant, Chance::of(seed, &format!("poison/{tenant}"))));
    }
}

async fn customer(members: [Writer; 2], tenant: &'static str, user: String, mut chance: Chance) {
    let mut count = 0;
    let mut member = 0;
    let mut writer = members[member].session();
    while writer.rest(chance.millis(300, 15_000)).await {
        // Now and then a burst.
        for _ in 0..*chance.pick(&[1, 1, 1, 2, 5]) {
            count += 1;
            let id = ids::derive(ids::MESSAGE, &[tenant, &user, &count.to_string()]);
            let (entry, kind) = if chance.once_in(8) {
                (send(tenant, &user, &id), "routing.send")
            } else {
                (proposal(tenant, &user, &id, &mut chance), "routing.proposal")
            };
            let lane = format!("{tenant}/{user}");
            if chance.once_in(20) {
                member = 1 - member;
                writer = members[member].session();
            }
            // Where it takes too long the other member takes over, and says again what may have been said.
            let patience = chance.millis(500, 8_000);
            while timeout(patience, writer.append(lane.clone(), &entry, kind)).await.is_err() {
                member = 1 - member;
                writer = members[member].session();
            }
            let told = (tenant.to_owned(), id);
            match entry.kind {
                Some(Kind::Send(_)) => ledger(&writer.books).sends.push(told),
                _ => ledger(&writer.books).messages.push(told),
            }
            if chance.once_in(15) {
                // A provider or a client that says it again: soon, or when the broker has forgotten.
                let (writer, after) = (writer.clone(), *chance.pick(&[1, 20, 125, 130]));
                tokio::spawn(async move {
                    if writer.rest(Duration::from_secs(after)).await {
                        writer.append(lane, &entry, kind).await;
                    }
                });
            }
        }
    }
}

/// Writes from time to time what nobody can apply: garbage, or what is another tenant's.
async fn poison(writer: Writer, tenant: &'static str, mut chance: Chance) {
    let mut count = 0;
    while writer.rest(chance.millis(3_000, 60_000)).await {
        count += 1;
        let id = ids::derive("ent", &["poison", tenant, &count.to_string()]);
        let now = writer.ground.world.now_ms();
        let envelope = if chance.once_in(2) {
            Envelope::new(id.clone(), "routing.proposal", "simulation", now, vec![0xff; 9])
        } else {
            let stranger =
                RoutingEntry { tenant: "nobody".to_owned(), ..proposal(tenant, "x", &id, &mut chance) };
            Envelope::of(id.clone(), "routing.proposal", "simulation", now, &stranger)
        };
        writer.publish(&format!("{tenant}/poison"), tenant, envelope).await;
        ledger(&writer.books).poison.push(id);
    }
}

fn address(user: &str) -> Address {
    Address {
        channel: "webchat".to_owned(),
        account: "site".to_owned(),
        user_id: user.to_owned(),
        ..Address::default()
    }
}

fn message(id: &str, user: &str) -> Message {
    Message {
        id: id.to_owned(),
        content: Some(content::text(id)),
        address: Some(address(user)),
        ..Message::default()
    }
}

fn verdict() -> Verdict {
    let region = Some(Region { name: "europe".to_owned(), ..Region::default() });
    Verdict { outcome: Outcome::Allow.into(), region, ..Verdict::default() }
}

fn proposal(tenant: &str, user: &str, id: &str, chance: &mut Chance) -> RoutingEntry {
    let event = InboundEvent {
        id: ids::derive(ids::EVENT, &[id]),
        tenant: tenant.to_owned(),
        address: Some(address(user)),
        kind: Some(inbound_event::Kind::Message(message(id, user))),
        ..InboundEvent::default()
    };
    let queue = (*chance.pick(&["support", "support", "sales"])).to_owned();
    let priority = *chance.pick(&[0, 0, 3]);
    RoutingEntry {
        id: ids::derive("ent", &["proposal", &event.id]),
        tenant: tenant.to_owned(),
        kind: Some(Kind::Proposal(Proposal {
            event: Some(event),
            contact: format!("con_{user}"),
            scope: SCOPE.to_owned(),
            verdict: Some(verdict()),
            wanted: Some(Wanted { queue, priority, ..Wanted::default() }),
            ..Proposal::default()
        })),
    }
}

fn send(tenant: &str, user: &str, id: &str) -> RoutingEntry {
    let command_id = ids::derive(ids::COMMAND, &[id]);
    RoutingEntry {
        id: ids::derive("ent", &["send", &command_id]),
        tenant: tenant.to_owned(),
        kind: Some(Kind::Send(SendRequested {
            command_id,
            contact: format!("con_{user}"),
            message: Some(message(id, user)),
            verdict: Some(verdict()),
            ..SendRequested::default()
        })),
    }
}
