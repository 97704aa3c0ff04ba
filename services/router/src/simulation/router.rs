//! A router of this world: the real ownership and the real shell, on a machine that can be stopped and killed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering};
use std::time::Duration;

use heliograph_fabric::{DeadLetters, Owned, Ownership, OwnershipHandle, OwnershipOptions};
use heliograph_store::snapshots::SnapshotStore;
use tokio::sync::{mpsc, watch};

use super::chance::Chance;
use super::ground::SimGround;
use super::node::{Node, Task};
use super::slots::SimSlots;
use super::town::LAYOUT;
use super::world::World;
use crate::{
    ROUTING_GROUP,
    assignment::{self, Assignment},
    book::Book,
    config::AssignmentConfig,
    metrics::Metrics,
};

/// A router process.
pub(super) struct Router {
    pub(super) node: Arc<Node>,
    ownership: Option<OwnershipHandle>,
    books: Shared,
}

/// The configuration as this process knows it.
type Shared = Arc<Mutex<Books>>;

struct Books {
    now: Arc<Book>,
    /// One for each shell: several receivers of one sender are told in an order that is left to luck.
    told: Vec<watch::Sender<Arc<Book>>>,
}

fn locked(books: &Shared) -> MutexGuard<'_, Books> {
    books.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Router {
    /// Starts a process. `boots` counts those of this name.
    pub(super) fn boot(world: &Arc<World>, seed: u64, name: &str, boots: u32, book: Arc<Book>) -> Self {
        let purpose = format!("{name}/{boots}");
        let node = Node::new(name, true, Chance::of(seed, &purpose));
        let config = settings(&mut Chance::of(seed, &format!("{purpose}/settings")));
        let ground = SimGround::new(world, &node);
        world.note(name, format_args!("boots"));
        let books = Arc::new(Mutex::new(Books { now: book, told: Vec::new() }));
        let make = {
            let (ground, books) = (ground.clone(), Arc::clone(&books));
            move |owned: Owned| {
                let (world, name) = (Arc::clone(&ground.world), ground.node.name.clone());
                world.note(&name, format_args!("owns {} in epoch {}", owned.partition, owned.epoch));
                let at_work = world.owns(owned.partition, owned.fence.clone(), &ground.node);
                let assignment = Arc::new(assignment(&ground, &books, &config));
                let partition = owned.partition;
                async move {
                    assignment::run(assignment, owned).await;
                    at_work.is_done();
                    world.note(&name, format_args!("is done with {partition}"));
                }
            }
        };
        let options = OwnershipOptions::default();
        let ownership = Ownership::run(&ground, ROUTING_GROUP, LAYOUT.routing, name, options, make);
        Self { node, ownership: Some(ownership), books }
    }

    /// The configuration has changed.
    pub(super) fn read(&self, book: &Arc<Book>) {
        let mut books = locked(&self.books);
        if book.revision <= books.now.revision {
            return;
        }
        books.now = Arc::clone(book);
        books.told.retain(|told| !told.is_closed());
        for told in &books.told {
            told.send_replace(Arc::clone(book));
        }
    }

    /// As `kill -9`.
    pub(super) fn kill(mut self, world: &World) {
        world.note(&self.node.name, format_args!("is killed"));
        self.node.kill();
        self.ownership.take();
    }

    /// Stops in order, and is killed when that takes too long.
    pub(super) async fn stop(mut self, world: &World) {
        world.note(&self.node.name, format_args!("stops"));
        if let Some(ownership) = self.ownership.take() {
            let stopped = Task::of(&self.node, ownership.shutdown());
            let in_time = tokio::time::timeout(Duration::from_secs(20), stopped).await.is_ok();
            let how = if in_time { "" } else { " the hard way" };
            world.note(&self.node.name, format_args!("has stopped{how}"));
        }
        self.node.kill();
    }

    /// Sets its clock.
    pub(super) fn set_clock(&self, ahead_ms: i64) {
        self.node.ahead_ms.store(ahead_ms, Ordering::Relaxed);
    }
}

/// What one process is set to: small, so that in a short world everything comes to pass.
fn settings(chance: &mut Chance) -> AssignmentConfig {
    AssignmentConfig {
        in_flight: *chance.pick(&[4, 64, 4_096]),
        snapshot_entries: *chance.pick(&[10, 40, 100]),
        snapshot_every: chance.millis(1_000, 20_000),
        log_margin: *chance.pick(&[None, Some(0), Some(20)]),
        ..AssignmentConfig::default()
    }
}

/// What the shell of one partition stands on.
fn assignment(
    ground: &SimGround,
    books: &Shared,
    config: &AssignmentConfig,
) -> Assignment<SimGround, SimSlots> {
    let mut books = locked(books);
    let (sender, book) = watch::channel(Arc::clone(&books.now));
    books.told.push(sender);
    // Nobody reads Redis here.
    let (open, _) = mpsc::channel(1);
    Assignment {
        ground: ground.clone(),
        layout: LAYOUT,
        dead: DeadLetters::new(ground),
        snapshots: SnapshotStore::new(SimSlots(ground.clone()), config.snapshots_kept),
        book,
        open,
        config: config.clone(),
        metrics: Arc::new(Metrics::new()),
    }
}
