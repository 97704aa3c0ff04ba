//! One queue over all its lanes: order, hours, who serves it, and how fast it moves.

use std::{collections::BTreeSet, sync::Arc};

use super::{Index, Slot, WaitKey};
use crate::{
    config::QueueSpec,
    ranked::Ranked,
    state::{Conversation, Number, Pool},
    text::{Text, Timestamp},
};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: Text,
    /// What is configured; the defaults where nothing is.
    pub(crate) spec: Arc<QueueSpec>,
    /// See [`QueueSpec::aging_millis`].
    pub(crate) aging: i64,
    pub(crate) open: bool,
    /// Everything that waits, those held for one agent included.
    waiting: Ranked<WaitKey>,
    arrivals: BTreeSet<(Timestamp, Number)>,
    /// Agents of the queue, in order of their names.
    pub(crate) agents: Vec<Slot>,
    /// How many of them are ready.
    pub(crate) ready: u32,
    /// How many conversations of each class the ready ones carry at most.
    pub(crate) staff: Vec<u32>,
    pub(crate) lanes: Vec<u32>,
}

impl Line {
    pub(super) fn new(queue: &Text, pool: &Pool, classes: usize) -> Self {
        let spec = Arc::new(pool.config.queues.get(queue).cloned().unwrap_or_default());
        Self {
            name: queue.clone(),
            aging: spec.aging_millis(),
            spec,
            open: pool.queues.get(queue).is_none_or(|queue| !queue.closed),
            waiting: Ranked::default(),
            arrivals: BTreeSet::new(),
            agents: Vec::new(),
            ready: 0,
            staff: vec![0; classes],
            lanes: Vec::new(),
        }
    }

    /// Where a conversation stands in the queue's order.
    pub(crate) fn place(&self, conversation: &Conversation) -> i64 {
        let levels = i64::from(conversation.priority) + i64::from(self.spec.priority);
        conversation.arrived.0.saturating_sub(levels.saturating_mul(self.aging))
    }

    pub(super) fn add(&mut self, key: WaitKey, arrived: Timestamp) {
        self.waiting.insert(key);
        self.arrivals.insert((arrived, key.1));
    }

    pub(super) fn take(&mut self, key: WaitKey, arrived: Timestamp) {
        self.waiting.remove(&key);
        self.arrivals.remove(&(arrived, key.1));
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.len() as u32
    }

    /// Everything that waits, most urgent first.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = Number> {
        self.waiting.iter().map(|(_, number)| *number)
    }

    /// Arrival of the oldest work.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.arrivals.first().map(|(arrived, _)| *arrived)
    }

    /// Position of waiting work, from 1.
    pub(crate) fn position(&self, key: WaitKey) -> u32 {
        self.waiting.rank(&key) as u32 + 1
    }
}

impl Index {
    /// Opens or closes a queue.
    pub(crate) fn set_open(&mut self, pool: &Pool, queue: &Text, open: bool) {
        let line = self.line_or_new(pool, queue) as usize;
        self.lines[line].open = open;
        for lane in self.lines[line].lanes.clone() {
            self.lanes[lane as usize].open = open;
            self.look_again(lane);
        }
    }
}
