//! Customers who are there, and what is remembered of those who were.

use std::collections::VecDeque;

use heliograph_assignment::Text;

use crate::random::Random;

/// How many customers are remembered who may return.
const REMEMBERED: usize = 10_000;

/// Visits under one contact's name where nobody is to be known again.
const VISITS: u64 = 16;

/// One visit of one customer. Its place is used again for others, with another serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) place: usize,
    pub(super) serial: u64,
}

/// A customer who is there.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) serial: u64,
    pub(super) work: usize,
    pub(super) contact: Text,
    /// The place as a customer's address has it, so that decisions lead back here.
    pub(super) user: Text,
    /// The engine's id of the conversation, once it is open.
    pub(super) conversation: Option<Text>,
    pub(super) stage: Stage,
    /// The agent whose capacity the customer takes, from the offer on.
    pub(super) holder: Option<usize>,
    /// What rings.
    pub(super) offer: Option<Text>,
    pub(super) leg: Leg,
    /// Work that is left, in milliseconds of an agent of speed 1.
    pub(super) work_left: f64,
    /// In milliseconds; none: for ever.
    pub(super) patience: Option<f64>,
    /// Milliseconds the agent wraps up; none: as long as they may.
    pub(super) wrap_up: Option<f64>,
    /// Since when they are served, and how fast.
    pub(super) served: (i64, f64),
    /// Counts the times that an agent began, so that one who was interrupted does not finish.
    pub(super) services: u32,
}

/// Where a customer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Waits, or rings at an agent.
    Waiting,
    /// Will be called back.
    Callback,
    /// Talks with an agent.
    Served,
    /// Is wrapped up; the customer is gone.
    WrappedUp,
}

/// One wait for an agent: from the arrival, or from a hand-over, to the answer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Leg {
    pub(super) number: u32,
    pub(super) queue: usize,
    pub(super) since: i64,
    /// Seconds the customer was told at first.
    pub(super) told: Option<u32>,
    /// Less is asked since a while.
    pub(super) relaxed: bool,
    /// They wait again after they were answered once; that was counted already.
    pub(super) again: bool,
    /// The conversation is being handed over: the next wait is another leg.
    pub(super) handed_over: bool,
}

/// Everybody who is there.
#[derive(Debug, Default)]
pub(super) struct Customers {
    places: Vec<Option<Customer>>,
    free: Vec<usize>,
    users: Vec<Text>,
    visits: Vec<u64>,
    serial: u64,
    /// Whether it makes a difference who comes.
    known: bool,
    remembered: VecDeque<Text>,
}

impl Customers {
    /// Nobody yet. Where they are `known`, it makes a difference who comes.
    pub(super) fn new(known: bool) -> Self {
        Self { known, ..Self::default() }
    }

    /// A customer comes, under the name of `contact` or under a new one; `make` says the rest, given their serial number,
    /// their name and what their address calls the place.
    pub(super) fn come(
        &mut self,
        contact: Option<Text>,
        make: impl FnOnce(u64, Text, Text) -> Customer,
    ) -> usize {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.users.push(self.users.len().to_string().into());
            self.visits.push(0);
            self.places.len() - 1
        });
        self.serial += 1;
        self.visits[place] += 1;
        // The engine remembers contacts for days. Where it makes no difference who comes, a few of them spare it that.
        let contact = contact.unwrap_or_else(|| {
            let turn = if self.known { self.visits[place] } else { self.visits[place] / VISITS };
            format!("{place}.{turn}").into()
        });
        self.places[place] = Some(make(self.serial, contact, self.users[place].clone()));
        place
    }

    /// The customer goes.
    pub(super) fn go(&mut self, place: usize) {
        let Some(customer) = self.places.get_mut(place).and_then(Option::take) else { return };
        self.free.push(place);
        if self.known {
            if self.remembered.len() == REMEMBERED {
                self.remembered.pop_front();
            }
            self.remembered.push_back(customer.contact);
        }
    }

    /// Somebody who was here before and is not here now.
    pub(super) fn returns(&mut self, random: &mut Random) -> Option<Text> {
        let index = random.below(self.remembered.len());
        self.remembered.swap_remove_back(index)
    }

    /// Who is at a place.
    pub(super) fn at(&mut self, place: usize) -> Option<&mut Customer> {
        self.places.get_mut(place)?.as_mut()
    }

    /// The customer of a visit, while it lasts.
    pub(super) fn of(&mut self, visit: Visit) -> Option<&mut Customer> {
        self.at(visit.place).filter(|customer| customer.serial == visit.serial)
    }

    /// Everybody.
    pub(super) fn all(&self) -> impl Iterator<Item = &Customer> {
        self.places.iter().flatten()
    }
}

impl Customer {
    pub(super) fn visit(&self, place: usize) -> Visit {
        Visit { place, serial: self.serial }
    }
}
