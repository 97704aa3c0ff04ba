//! What one replication found.

use std::collections::BTreeMap;

use super::{Grid, Histogram, Level};

/// What one replication found. [`crate::Summary`] reads many of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub(crate) queues: Vec<QueueOutcome>,
    pub(crate) groups: Vec<GroupOutcome>,
    /// By kind of work, while it counted: customers who came, and the work they brought, in milliseconds.
    pub(crate) brought: Vec<(u64, f64)>,
    /// Log entries the engine applied, all of them.
    pub(crate) entries: u64,
    /// What the engine decided, all of it.
    pub(crate) decisions: u64,
    /// Commands the engine refused, by code: none in a scenario that fits its engine.
    pub(crate) refused: BTreeMap<String, u64>,
}

impl Outcome {
    /// Customers who came while it counted.
    pub fn customers(&self) -> u64 {
        self.brought.iter().map(|(customers, _)| customers).sum()
    }

    /// Mean wait of all who were answered, in seconds; none where nobody was.
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(crate) fn mean_wait(&self) -> Option<f64> {
        let answered: u64 = self.queues.iter().map(|queue| queue.answered).sum();
        let waited: f64 = self.queues.iter().map(|queue| queue.waited).sum();
        (answered > 0).then(|| waited / 1_000.0 / answered as f64)
    }

    /// Log entries that the engine applied, the warm-up included.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Decisions that the engine made, the warm-up included.
    pub fn decisions(&self) -> u64 {
        self.decisions
    }
}

/// One queue. A customer is counted in each queue they waited in, with what became of them there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueueOutcome {
    /// Came into the queue.
    pub(crate) offered: u64,
    /// Found no agent free.
    pub(crate) delayed: u64,
    /// An agent took them.
    pub(crate) answered: u64,
    /// Of these, within the target.
    pub(crate) within: u64,
    /// Left while they waited.
    pub(crate) abandoned: u64,
    /// Went on to another queue.
    pub(crate) overflowed: u64,
    /// Were closed: the queue was closed, or they had waited too long.
    pub(crate) turned_away: u64,
    /// Asked to be called back, or were promised it.
    pub(crate) callbacks: u64,
    /// Waited long enough for less to be asked.
    pub(crate) relaxed: u64,
    /// Offers that rang out.
    pub(crate) rona: u64,
    /// Offers that were turned down.
    pub(crate) rejected: u64,
    /// Still waited at the end.
    pub(crate) unfinished: u64,
    /// Waits of the answered, in milliseconds.
    pub(crate) waited: f64,
    /// Waits of those who left, in milliseconds.
    pub(crate) waited_in_vain: f64,
    /// Waits of the answered.
    pub(crate) waits: Histogram,
    /// Waits until called back, in milliseconds, and how many were.
    pub(crate) called_back: (f64, u64),
    /// Of the answered who were told an estimate: how many, the sum of estimates, of waits, and of what lay between.
    pub(crate) told: (u64, f64, f64, f64),
    /// How many wait.
    pub(crate) waiting: Level,
    /// By part of the grid, each customer where they came.
    pub(crate) parts: Vec<Tally>,
}

/// Customers who came in one part of the grid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) offered: u64,
    pub(crate) within: u64,
    pub(crate) abandoned: u64,
}

impl QueueOutcome {
    pub(crate) fn new(grid: &Grid) -> Self {
        Self {
            offered: 0,
            delayed: 0,
            answered: 0,
            within: 0,
            abandoned: 0,
            overflowed: 0,
            turned_away: 0,
            callbacks: 0,
            relaxed: 0,
            rona: 0,
            rejected: 0,
            unfinished: 0,
            waited: 0.0,
            waited_in_vain: 0.0,
            waits: Histogram::default(),
            called_back: (0.0, 0),
            told: (0, 0.0, 0.0, 0.0),
            waiting: Level::new(grid),
            parts: vec![Tally::default(); grid.parts()],
        }
    }
}

/// One group of agents, in agents: two of them half busy are one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GroupOutcome {
    /// Busy, as a share of their capacity.
    pub(crate) busy: Level,
    /// Online, or busy where they are not.
    pub(crate) staffed: Level,
    /// On shift.
    pub(crate) scheduled: Level,
    /// Conversations they took.
    pub(crate) answered: u64,
    /// Offers they let ring out.
    pub(crate) rona: u64,
    /// Offers they turned down.
    pub(crate) rejected: u64,
}

impl GroupOutcome {
    pub(crate) fn new(grid: &Grid) -> Self {
        Self {
            busy: Level::new(grid),
            staffed: Level::new(grid),
            scheduled: Level::new(grid),
            answered: 0,
            rona: 0,
            rejected: 0,
        }
    }
}
