//! What is going to happen.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BinaryHeap, VecDeque},
};

use heliograph_assignment::Text;

use super::customer::Visit;

/// Something that somebody does. Where it is about a visit that is over by then, nothing happens.
#[derive(Debug)]
pub(super) enum Event {
    /// The next customer of a kind of work comes.
    Arrive { work: usize },
    /// A customer's patience ends.
    Leave { visit: Visit, leg: u32 },
    /// A customer asks to be called back.
    AskCallback { visit: Visit },
    /// An agent answers an offer, or turns it down.
    Answer { visit: Visit, reservation: Text, reject: bool },
    /// An agent is done with a customer.
    Served { visit: Visit, service: u32 },
    /// An agent has wrapped up.
    WrappedUp { visit: Visit },
    /// An agent's shift begins or ends.
    Shift { agent: usize },
    /// An agent who let an offer ring out is back.
    Back { agent: usize },
}

/// Events in order of time, and of one time in the order in which they were planned.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    later: BinaryHeap<Reverse<Planned>>,
    now: VecDeque<Event>,
    planned: u64,
}

#[derive(Debug)]
struct Planned {
    at: i64,
    order: u64,
    event: Event,
}

impl Agenda {
    /// Plans `event` for `at`.
    pub(super) fn plan(&mut self, at: i64, event: Event) {
        self.planned += 1;
        self.later.push(Reverse(Planned { at, order: self.planned, event }));
    }

    /// Plans `event` for this very moment, after what is planned for it already.
    pub(super) fn plan_now(&mut self, event: Event) {
        self.now.push_back(event);
    }

    /// When the next event is that was not planned for its very moment.
    pub(super) fn next(&self) -> Option<i64> {
        self.later.peek().map(|Reverse(planned)| planned.at)
    }

    /// The next of these.
    pub(super) fn pop(&mut self) -> Option<Event> {
        self.later.pop().map(|Reverse(planned)| planned.event)
    }

    /// The next event of this very moment.
    pub(super) fn pop_now(&mut self) -> Option<Event> {
        self.now.pop_front()
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}
