//! One replication: a virtual clock, the engine, and the people around it.
//!
//! What people do becomes entries of the engine's log, applied at the clock's time; what they learn they learn from its
//! decisions. The clock jumps from one event to the next; the engine's own timers are among them.

mod agenda;
mod customer;
mod follow;
mod people;
mod recorder;

use heliograph_assignment::{Configure, Entry, Machine, Position, Text, TimerDue, Timestamp};

use crate::{
    arrivals::Stream,
    measure::Outcome,
    plan::{EPOCH, Plan},
    random::{Purpose, Random},
};

use agenda::{Agenda, Event};
use customer::Customers;
use people::Agent;
use recorder::Recorder;

/// The tenant whose pool is simulated.
const TENANT: &str = "simulated";

impl Plan {
    /// Runs the scenario once. The same seed and number give the same outcome, on any machine.
    pub fn replicate(&self, seed: u64, replication: u32) -> Outcome {
        let mut run = Run::new(self, seed, u64::from(replication));
        run.begin();
        while run.step() {}
        run.recorder.finish(&run.customers)
    }
}

/// See the module.
struct Run<'a> {
    plan: &'a Plan,
    machine: Machine,
    tenant: Text,
    scope: Text,
    sequence: u64,
    /// Milliseconds from Monday's midnight.
    now: i64,
    agenda: Agenda,
    customers: Customers,
    agents: Vec<Agent>,
    arrivals: Vec<Stream>,
    random: Vec<WorkRandom>,
    answers: Vec<Random>,
    /// Customers who began to wait at this moment: where nobody takes them at once, their patience runs.
    fresh: Vec<usize>,
    recorder: Recorder<'a>,
}

/// The random numbers of one kind of work.
struct WorkRandom {
    arrivals: Random,
    service: Random,
    patience: Random,
    wrap_up: Random,
    habits: Random,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, seed: u64, replication: u64) -> Self {
        let stream = |purpose, index| Random::stream(seed, replication, purpose, index);
        let of_work = |index| WorkRandom {
            arrivals: stream(Purpose::Arrivals, index),
            service: stream(Purpose::Service, index),
            patience: stream(Purpose::Patience, index),
            wrap_up: stream(Purpose::WrapUp, index),
            habits: stream(Purpose::Habits, index),
        };
        let names = plan.groups.iter().flat_map(|group| &group.names);
        Self {
            plan,
            machine: Machine::new(),
            tenant: TENANT.into(),
            scope: "default".into(),
            sequence: 0,
            now: plan.start,
            agenda: Agenda::default(),
            customers: Customers::new(plan.scenario.knows_customers()),
            agents: names.zip(&plan.agents).map(|(name, group)| Agent::new(name, *group)).collect(),
            arrivals: plan.scenario.work.iter().map(|work| work.arrivals.from(plan.start)).collect(),
            random: (0..plan.work.len()).map(of_work).collect(),
            answers: (0..plan.groups.len()).map(|group| stream(Purpose::Answers, group)).collect(),
            fresh: Vec::new(),
            recorder: Recorder::new(plan),
        }
    }

    fn begin(&mut self) {
        let config = self.plan.config.clone();
        self.apply(&Entry::Configure(Configure { tenant: self.tenant.clone(), config }));
        for agent in 0..self.agents.len() {
            self.sign_on(agent);
        }
        for work in 0..self.arrivals.len() {
            self.expect(work);
        }
    }

    /// Goes on to the next event; false when the end is reached.
    fn step(&mut self) -> bool {
        let due = self.machine.next_due().map(|due| due.0 - EPOCH);
        let next = self.agenda.next();
        // Who acts at the very moment at which a timer would fire acts in time.
        let timer = match (next, due) {
            (Some(next), Some(due)) => due < next,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        let Some(at) = (if timer { due } else { next }).filter(|at| *at < self.plan.grid.to) else {
            return false;
        };
        self.now = self.now.max(at);
        if timer {
            self.apply(&Entry::TimerDue(TimerDue { due: Timestamp(EPOCH + at) }));
        } else if let Some(event) = self.agenda.pop() {
            self.happen(event);
        }
        while let Some(event) = self.agenda.pop_now() {
            self.happen(event);
        }
        self.lose_patience();
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Arrive { work } => self.arrive(work),
            Event::Leave { visit, leg } => self.leave(visit, leg),
            Event::AskCallback { visit } => self.ask_callback(visit),
            Event::Answer { visit, reservation, reject } => self.answer(visit, reservation, reject),
            Event::Served { visit, service } => self.served(visit, service),
            Event::WrappedUp { visit } => self.wrapped_up(visit),
            Event::Shift { agent } => self.change_shift(agent),
            Event::Back { agent } => self.come_back(agent),
        }
    }

    /// Appends an entry to the engine's log, and does what its decisions say.
    fn apply(&mut self, entry: &Entry) {
        self.sequence += 1;
        let position = Position { partition: 0, sequence: self.sequence };
        let decisions = self.machine.apply(entry, Timestamp(EPOCH + self.now), position);
        self.recorder.applied(decisions.len());
        for decision in &decisions {
            self.follow(decision);
        }
    }
}
