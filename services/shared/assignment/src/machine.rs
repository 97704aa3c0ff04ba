//! The machine: entries in, decisions out.

use std::{
    collections::{BTreeMap, BTreeSet},
    io, thread,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

use crate::{
    decision::{Decision, Kind},
    entry::{Entry, TimerDue},
    index::Index,
    moving,
    state::Pool,
    step::Step,
    text::{Position, Text, Timestamp},
    timer::{self, Timers},
};

/// Version of the snapshots written. No other is read: the log restores what an older release left.
pub const SNAPSHOT_VERSION: u32 = 2;

/// How far a shell's clock may run ahead of the log's before its due timers wait, in milliseconds.
const SKEW_MILLIS: i64 = 1_000;

/// The conversations and assignments of one routing partition.
#[derive(Clone, Debug)]
pub struct Machine {
    pub(crate) facts: Facts,
    pub(crate) indexes: BTreeMap<Text, Index>,
    pub(crate) timers: Timers,
}

/// What a snapshot holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    version: u32,
    applied: u64,
    now: Timestamp,
    pub(crate) pools: BTreeMap<Text, Pool>,
    /// Tenants whose pool left, and the partition it went to.
    #[serde(default)]
    pub(crate) moved: BTreeMap<Text, u16>,
    /// Tenants whose pool came, and where the entry stands that it left its partition by.
    #[serde(default)]
    pub(crate) arrived: BTreeMap<Text, Position>,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// A machine that has applied nothing.
    pub fn new() -> Self {
        let facts = Facts {
            version: SNAPSHOT_VERSION,
            applied: 0,
            now: Timestamp::default(),
            pools: BTreeMap::new(),
            moved: BTreeMap::new(),
            arrived: BTreeMap::new(),
        };
        Self { facts, indexes: BTreeMap::new(), timers: Timers::new() }
    }

    /// Applies the entry at `position`, to which the log gave the time `at`, and returns what follows from it.
    ///
    /// An entry at or before [`Machine::applied`] was applied already and does nothing. Time never runs back: an
    /// earlier `at` than before counts as the latest seen.
    pub fn apply(&mut self, entry: &Entry, at: Timestamp, position: Position) -> Vec<Decision> {
        if position.sequence <= self.facts.applied {
            return Vec::new();
        }
        self.facts.applied = position.sequence;
        self.facts.now = self.facts.now.max(at);
        let mut decisions = Vec::new();
        let mut made = 0;
        if let Some(tenant) = entry.tenant()
            && let Some(to) = self.moved(tenant)
            && !matches!(entry, Entry::Arrive(_))
        {
            return vec![moving::decision(tenant, Kind::Forwarded { to })];
        }
        match entry {
            Entry::TimerDue(TimerDue { due }) => self.fire(*due, position, &mut made, &mut decisions),
            Entry::Inbound(inbound) => {
                self.step(&inbound.tenant, position, &mut made, &mut decisions, |step| step.inbound(inbound));
            }
            Entry::Send(send) => {
                self.step(&send.tenant, position, &mut made, &mut decisions, |step| step.send(send));
            }
            Entry::Command(command) => {
                self.step(&command.tenant, position, &mut made, &mut decisions, |step| step.command(command));
            }
            Entry::Callback(asked) => {
                self.step(&asked.tenant, position, &mut made, &mut decisions, |step| step.callback(asked));
            }
            Entry::Abandon(left) => {
                self.step(&left.tenant, position, &mut made, &mut decisions, |step| step.abandon(left));
            }
            Entry::Move(asked) => decisions = self.depart(asked, position),
            Entry::Arrive(arrival) => decisions = self.arrive(arrival),
            Entry::Configure(configure) => {
                self.step(&configure.tenant, position, &mut made, &mut decisions, |step| {
                    step.configure(&configure.config);
                });
            }
        }
        for (index, decision) in decisions.iter_mut().enumerate() {
            decision.index = index as u32;
        }
        decisions
    }

    /// Notes that something else stands at `position`, from which nothing follows here.
    pub fn skip(&mut self, at: Timestamp, position: Position) {
        if position.sequence > self.facts.applied {
            self.facts.applied = position.sequence;
            self.facts.now = self.facts.now.max(at);
        }
    }

    /// When the next timer falls due. The shell then appends an [`Entry::TimerDue`] with the time it has.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.timers.first().map(|(due, _, _)| *due)
    }

    /// Sequence of the last entry applied; 0 before the first. Replay continues behind it.
    pub fn applied(&self) -> u64 {
        self.facts.applied
    }

    /// The latest time seen.
    pub fn now(&self) -> Timestamp {
        self.facts.now
    }

    /// Lower-case hexadecimal SHA-256 over the canonical serialization of all facts. Equal digests: equal machines.
    pub fn digest(&self) -> String {
        struct Sink(Sha256);
        impl io::Write for Sink {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.update(bytes);
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut sink = Sink(Sha256::new());
        serde_json::to_writer(&mut sink, &self.facts)
            .expect("facts are maps with plain keys, and hashing cannot fail");
        let digest: [u8; 32] = sink.0.finalize().into();
        digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|half| char::from_digit(half.into(), 16))
            .collect()
    }

    /// One tenant's facts and index, if the tenant was ever heard of.
    pub(crate) fn pool(&self, tenant: &str) -> Option<(&Pool, &Index)> {
        Some((self.facts.pools.get(tenant)?, self.indexes.get(tenant)?))
    }

    /// Every tenant's facts.
    pub(crate) fn pools(&self) -> &BTreeMap<Text, Pool> {
        &self.facts.pools
    }

    /// The index over all timers.
    #[cfg(test)]
    pub(crate) fn timers(&self) -> &Timers {
        &self.timers
    }

    fn fire(&mut self, due: Timestamp, position: Position, made: &mut u32, decisions: &mut Vec<Decision>) {
        let due = due.min(self.facts.now.after_millis(SKEW_MILLIS));
        // What a timer starts ends later than `due`, so this loop ends.
        self.facts.now = self.facts.now.max(due);
        while self.timers.first().is_some_and(|(first, _, _)| *first <= due) {
            let Some((_, tenant, timer)) = self.timers.pop_first() else { break };
            self.step(&tenant, position, made, decisions, |step| step.fire(&timer));
        }
    }

    fn step(
        &mut self,
        tenant: &Text,
        position: Position,
        made: &mut u32,
        decisions: &mut Vec<Decision>,
        rule: impl FnOnce(&mut Step<'_>),
    ) {
        if !self.facts.pools.contains_key(tenant) {
            self.facts.pools.insert(tenant.clone(), Pool::default());
            self.indexes.insert(tenant.clone(), Index::default());
        }
        let mut step = Step {
            tenant: tenant.clone(),
            pool: self.facts.pools.get_mut(tenant).expect("it was made above"),
            index: self.indexes.get_mut(tenant).expect("every pool has an index"),
            timers: &mut self.timers,
            now: self.facts.now,
            position,
            made,
            decisions,
            touched: BTreeSet::new(),
            returned: Vec::new(),
        };
        rule(&mut step);
        step.settle();
    }
}

/// Machines are equal when their facts are; indexes follow from facts.
impl PartialEq for Machine {
    fn eq(&self, other: &Self) -> bool {
        self.facts == other.facts
    }
}

impl Eq for Machine {}

impl Serialize for Machine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.facts.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Machine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let facts = Facts::deserialize(deserializer)?;
        if facts.version != SNAPSHOT_VERSION {
            return Err(D::Error::custom(format_args!(
                "snapshot of version {}; this program reads version {SNAPSHOT_VERSION}",
                facts.version
            )));
        }
        let (indexes, timers) = derive(&facts.pools);
        Ok(Self { facts, indexes, timers })
    }
}

/// From so many conversations on, what follows from the facts is worth two threads.
const MANY: usize = 10_000;

/// What follows from the facts.
fn derive(pools: &BTreeMap<Text, Pool>) -> (BTreeMap<Text, Index>, Timers) {
    let indexes = || pools.iter().map(|(tenant, pool)| (tenant.clone(), Index::build(pool))).collect();
    if pools.values().map(|pool| pool.conversations.len()).sum::<usize>() < MANY {
        return (indexes(), timer::derive(pools));
    }
    thread::scope(|scope| {
        let timers = scope.spawn(|| timer::derive(pools));
        (indexes(), timers.join().expect("nothing in there panics"))
    })
}
