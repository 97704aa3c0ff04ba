//! What is in our hands: un-acknowledged items, and how to answer for them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fabric::Fabric;
use crate::ownership::Fence;

/// How many acknowledged sequences are remembered, against a redelivery that was already under way.
const REMEMBERED: usize = 4096;

/// The broker's words: <https://docs.nats.io/reference/reference-protocols/nats_api_reference>.
pub(crate) const ACK: &str = "+ACK";
pub(crate) const PROGRESS: &str = "+WPI";
pub(crate) const TERM: &str = "+TERM";
pub(crate) const NAK: &str = "-NAK";

/// Items of one partition that are delivered and not settled.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) fabric: Fabric,
    pub(super) fence: Fence,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<u64, Held>,
    settled: BTreeSet<u64>,
    order: VecDeque<u64>,
}

#[derive(Debug)]
struct Held {
    /// Where the answer goes.
    reply: String,
    /// The last sign of life the broker had of it.
    alive: Instant,
    /// An answer is under way.
    answering: bool,
}

/// What a delivery turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Not seen, or given back before.
    New,
    /// We have it already.
    InHand,
    /// We have settled it: the answer is to be repeated.
    Settled,
}

impl Hands {
    pub(super) fn new(fabric: Fabric, fence: Fence) -> Self {
        Self { fabric, fence, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.state().held.len()
    }

    /// Takes a delivered item into our hands.
    pub(super) fn take(&self, seq: u64, reply: String, now: Instant) -> Delivery {
        let mut state = self.state();
        if state.settled.contains(&seq) {
            return Delivery::Settled;
        }
        if let Some(held) = state.held.get_mut(&seq) {
            (held.reply, held.alive) = (reply, now);
            return Delivery::InHand;
        }
        state.held.insert(seq, Held { reply, alive: now, answering: false });
        Delivery::New
    }

    /// Sequences no answer has been sent for.
    pub(super) fn unanswered(&self) -> BTreeSet<u64> {
        self.state().held.iter().filter(|(_, held)| !held.answering).map(|(seq, _)| *seq).collect()
    }

    /// Marks an item as being answered; where the answer goes. None when it is not in our hands.
    pub(super) fn answer(&self, seq: u64) -> Option<String> {
        let mut state = self.state();
        let held = state.held.get_mut(&seq)?;
        held.answering = true;
        Some(held.reply.clone())
    }

    /// The broker confirmed: the item is done and must not be seen again.
    pub(super) fn settle(&self, seq: u64) {
        let mut state = self.state();
        state.held.remove(&seq);
        if state.settled.insert(seq) {
            state.order.push_back(seq);
        }
        if state.order.len() > REMEMBERED
            && let Some(oldest) = state.order.pop_front()
        {
            state.settled.remove(&oldest);
        }
    }

    /// The item goes back to the broker.
    pub(super) fn give_back(&self, seq: u64) -> Option<String> {
        self.state().held.remove(&seq).map(|held| held.reply)
    }

    /// Everything that is unanswered goes back to the broker, oldest first.
    pub(super) fn give_all_back(&self) -> Vec<String> {
        let mut state = self.state();
        let unanswered: Vec<u64> =
            state.held.iter().filter(|(_, held)| !held.answering).map(|(seq, _)| *seq).collect();
        unanswered.into_iter().filter_map(|seq| state.held.remove(&seq)).map(|held| held.reply).collect()
    }

    /// Items whose last sign of life is older than `age`; they count as alive from now on.
    pub(super) fn waning(&self, age: Duration, now: Instant) -> Vec<String> {
        let mut state = self.state();
        let waning =
            state.held.values_mut().filter(|held| !held.answering && now.duration_since(held.alive) >= age);
        waning
            .map(|held| {
                held.alive = now;
                held.reply.clone()
            })
            .collect()
    }

    /// Says a word to the broker without waiting for its confirmation.
    pub(super) async fn say(&self, reply: String, word: impl Into<bytes::Bytes>) {
        // What is lost with the connection is delivered again.
        let _ = self.fabric.client().publish(reply, word.into()).await;
    }
}
