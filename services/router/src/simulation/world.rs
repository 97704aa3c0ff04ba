//! Everything there is: the broker, the machines, the clock, and the record of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use heliograph_fabric::Fence;
use tokio::time::Instant;

use super::broker::Broker;
use super::chance::Chance;
use super::desk::Heard;
use super::flaws::Flaws;
use super::node::Node;
use super::questions::Exchange;
use super::tally::Seen;
use super::trace::Trace;

/// When every world begins, milliseconds since 1970.
const BEGINNING_MS: i64 = 1_750_000_000_000;

/// See the module.
#[derive(Debug)]
pub(super) struct World {
    begun: Instant,
    inner: Mutex<Inner>,
}

/// What is changed by one at a time.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) broker: Broker,
    pub(super) trace: Trace,
    /// Draws what the network does.
    pub(super) network: Chance,
    /// The broker is away.
    pub(super) away: bool,
    /// So many acknowledgements of a hundred are lost.
    pub(super) unheard: u64,
    /// So many messages of a hundred are turned away for now.
    pub(super) refused: u64,
    /// One batch in so many begins with messages that were read before.
    pub(super) repeats_one_in: Option<u64>,
    pub(super) exchange: Exchange,
    /// Whoever was given a partition, while it may work on it.
    owners: Vec<(u16, Fence, Weak<Node>)>,
    /// Whoever works on a partition, whether it may or not: by epoch.
    at_work: BTreeMap<(u16, u64), Weak<Node>>,
    /// Partitions that were handed over in order, and not taken up since.
    handed_over: BTreeSet<u16>,
    /// What owners answered to the desk.
    pub(super) heard: Vec<Heard>,
    /// What was seen to be wrong on the way.
    pub(super) complaints: Vec<String>,
}

/// A machine at work on a partition.
pub(super) struct AtWork {
    world: Arc<World>,
    partition: u16,
    epoch: u64,
}

impl AtWork {
    /// It came to its end.
    pub(super) fn is_done(&self) {
        let mut inner = self.world.inner();
        let newest = inner.at_work.keys().rfind(|(of, _)| *of == self.partition);
        if newest == Some(&(self.partition, self.epoch)) {
            inner.handed_over.insert(self.partition);
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.world.inner().at_work.remove(&(self.partition, self.epoch));
    }
}

impl World {
    pub(super) fn new(seed: u64, flaws: Flaws, aloud: bool) -> Arc<Self> {
        let inner = Inner {
            broker: Broker::with(flaws),
            trace: Trace::new(aloud),
            network: Chance::of(seed, "network"),
            away: false,
            unheard: 0,
            refused: 0,
            repeats_one_in: None,
            exchange: Exchange::default(),
            owners: Vec::new(),
            at_work: BTreeMap::new(),
            handed_over: BTreeSet::new(),
            heard: Vec::new(),
            complaints: Vec::new(),
        };
        Arc::new(Self { begun: Instant::now(), inner: Mutex::new(inner) })
    }

    pub(super) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the world began.
    pub(super) fn millis(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }

    /// The broker's clock.
    pub(super) fn now_ms(&self) -> i64 {
        BEGINNING_MS + i64::try_from(self.millis()).expect("a world is short")
    }

    /// Notes what happened.
    pub(super) fn note(&self, who: &str, what: fmt::Arguments<'_>) {
        let millis = self.millis();
        self.inner().trace.note(millis, who, what);
    }

    /// A machine may work on a partition from now on, and does until what it gets is gone.
    pub(super) fn owns(self: &Arc<Self>, partition: u16, fence: Fence, node: &Arc<Node>) -> AtWork {
        let mut inner = self.inner();
        let epoch = fence.epoch();
        let others = inner.at_work.iter().filter(|((of, _), _)| *of == partition);
        let others = others.filter_map(|(_, other)| other.upgrade());
        if others.filter(|other| !other.is_dead()).count() > 0 {
            inner.broker.tally.note(Seen::TwoAtWork);
        }
        let first = inner.broker.owners.insert(partition, Arc::downgrade(node)).is_none();
        if !inner.handed_over.remove(&partition) && !first {
            inner.broker.tally.note(Seen::TakenOver);
        }
        inner.at_work.insert((partition, epoch), Arc::downgrade(node));
        inner.owners.push((partition, fence, Arc::downgrade(node)));
        AtWork { world: Arc::clone(self), partition, epoch }
    }

    /// Counts this, if the machine works on a partition.
    pub(super) fn happened_to(&self, node: &Arc<Node>, seen: Seen) {
        let mut inner = self.inner();
        if inner.at_work.values().any(|other| std::ptr::eq(other.as_ptr(), Arc::as_ptr(node))) {
            inner.broker.tally.note(seen);
        }
    }

    /// Whether nobody may work on a partition beside somebody else. Asked whenever something reaches the broker.
    pub(super) fn look_at_owners(&self) {
        let mut inner = self.inner();
        inner.owners.retain(|(_, fence, node)| {
            fence.check().is_ok() && node.upgrade().is_some_and(|node| !node.is_dead())
        });
        let mut seen = Vec::new();
        let mut complaints = Vec::new();
        for (partition, fence, _) in &inner.owners {
            if seen.contains(partition) {
                complaints
                    .push(format!("partition {partition} has two owners, one of epoch {}", fence.epoch()));
            }
            seen.push(*partition);
        }
        inner.complaints.extend(complaints);
    }
}
