//! What goes wrong: drawn from the seed, one thing after another, and sometimes several at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::chance::Chance;
use super::faults::{ALL, Fault};
use super::link::Fate;
use super::node::Node;
use super::router::Router;
use super::tally::Seen;
use super::town::book;
use super::world::World;
use crate::book::Book;

/// The routers' names.
const NAMES: [&str; 3] = ["one", "two", "three"];

/// The routers, and everything that can be done to them.
pub(super) struct Weather {
    pub(super) world: Arc<World>,
    seed: u64,
    pub(super) chance: Chance,
    /// The machines beside the routers.
    others: Vec<Arc<Node>>,
    /// The machine from which tenants are moved.
    pub(super) operator: Arc<Node>,
    pub(super) routers: Vec<Option<Router>>,
    boots: u32,
    revision: u64,
    book: Arc<Book>,
    /// What comes later: a router to start, a configuration to be read.
    agenda: Vec<(Instant, Later)>,
}

/// What is on the agenda.
pub(super) enum Later {
    Boot(usize),
    Read(usize, Arc<Book>),
}

impl Weather {
    pub(super) fn new(world: &Arc<World>, seed: u64, mut others: Vec<Arc<Node>>) -> Self {
        let operator = Node::new("operator", false, Chance::of(seed, "operator"));
        others.push(Arc::clone(&operator));
        let mut weather = Self {
            operator,
            world: Arc::clone(world),
            seed,
            chance: Chance::of(seed, "weather"),
            others,
            routers: NAMES.iter().map(|_| None).collect(),
            boots: 0,
            revision: 1,
            book: book(1),
            agenda: Vec::new(),
        };
        for at in 0..2 + usize::from(weather.chance.once_in(2)) {
            weather.boot(at);
        }
        weather
    }

    fn boot(&mut self, at: usize) {
        self.boots += 1;
        let book = Arc::clone(&self.book);
        self.routers[at] = Some(Router::boot(&self.world, self.seed, NAMES[at], self.boots, book));
    }

    /// Lets it storm for a while: with these faults, or some of all where none are named.
    pub(super) async fn storm(&mut self, only: &[Fault]) {
        let until = Instant::now() + self.chance.millis(20_000, 60_000);
        let mut kinds: Vec<Fault> = ALL.into_iter().filter(|_| self.chance.once_in(3)).collect();
        if kinds.is_empty() {
            kinds.push(*self.chance.pick(&ALL));
        }
        if self.chance.once_in(2) {
            // Half of the time it is about tenants that move.
            kinds.extend([Fault::Move; 3]);
        }
        if !only.is_empty() {
            kinds = only.to_vec();
        }
        self.world.note("weather", format_args!("may bring {kinds:?}"));
        let pause = *self.chance.pick(&[1_000, 4_000, 10_000]);
        let mut next = Instant::now() + self.chance.millis(0, pause);
        while next < until {
            self.wait(next).await;
            self.worst_moment().await;
            let fault = *self.chance.pick(&kinds);
            self.bring(fault).await;
            next = Instant::now() + self.chance.millis(50, pause);
        }
        self.wait(until.max(Instant::now())).await;
    }

    /// Waits, and does meanwhile what is on the agenda.
    pub(super) async fn wait(&mut self, until: Instant) {
        loop {
            let next = self.agenda.iter().enumerate().min_by_key(|(at, (due, _))| (*due, *at));
            let Some((at, (due, _))) = next else { break };
            if *due > until {
                break;
            }
            let (due, later) = self.agenda.remove(at);
            sleep_until(due).await;
            match later {
                Later::Boot(at) if self.routers[at].is_none() => self.boot(at),
                Later::Boot(_) => {}
                Later::Read(at, book) => {
                    if let Some(router) = &self.routers[at] {
                        router.read(&book);
                    }
                }
            }
        }
        sleep_until(until).await;
    }

    /// Waits for a moment at which something of the routers is under way, but not for long, and not always.
    async fn worst_moment(&mut self) {
        if self.chance.once_in(3) {
            return;
        }
        let until = Instant::now() + Duration::from_secs(3);
        while Instant::now() < until && !self.routers.iter().flatten().any(|router| router.node.is_busy()) {
            self.wait(Instant::now() + Duration::from_millis(1)).await;
        }
    }

    pub(super) fn later(&mut self, after: Duration, later: Later) {
        self.agenda.push((Instant::now() + after, later));
    }

    /// A router that runs; one that has something under way, if there is one.
    pub(super) fn some_router(&mut self) -> Option<usize> {
        let mut running: Vec<usize> = (0..NAMES.len()).filter(|at| self.routers[*at].is_some()).collect();
        let busy = |at: &usize| self.routers[*at].as_ref().is_some_and(|router| router.node.is_busy());
        if running.iter().any(busy) {
            running.retain(busy);
        }
        (!running.is_empty()).then(|| *self.chance.pick(&running))
    }

    /// Any machine that runs.
    pub(super) fn some_node(&mut self) -> Arc<Node> {
        let routers = self.routers.iter().flatten().map(|router| Arc::clone(&router.node));
        // Routers are what this is about.
        let nodes: Vec<_> = routers.clone().chain(routers).chain(self.others.iter().cloned()).collect();
        Arc::clone(self.chance.pick(&nodes))
    }

    pub(super) fn nodes(&self) -> Vec<Arc<Node>> {
        let routers = self.routers.iter().flatten().map(|router| Arc::clone(&router.node));
        routers.chain(self.others.iter().cloned()).collect()
    }

    /// How long something takes until it is over: seconds, mostly.
    pub(super) fn a_while(&mut self) -> Duration {
        match self.chance.below(10) {
            0..4 => self.chance.millis(100, 2_000),
            4..8 => self.chance.millis(1_500, 6_000),
            _ => self.chance.millis(5_000, 15_000),
        }
    }

    pub(super) fn kill(&mut self, at: usize) {
        let Some(router) = self.routers[at].take() else { return };
        // What had left the process by then arrives, the rest does not.
        let cut = Instant::now() + self.chance.millis(0, 3);
        self.world.happened_to(&router.node, Seen::Killed);
        router.node.link.lose(cut, Fate::Lost);
        router.kill(&self.world);
    }

    pub(super) fn stop_one(&mut self, at: usize) {
        let Some(router) = self.routers[at].take() else { return };
        let world = Arc::clone(&self.world);
        tokio::spawn(async move { router.stop(&world).await });
    }

    /// Operators change the configuration; each router hears of it when it does.
    pub(super) fn configure(&mut self) {
        self.revision += 1;
        self.book = book(self.revision);
        self.world.inner().broker.tally.note(Seen::Configured);
        self.world.note("weather", format_args!("configures revision {}", self.revision));
        for at in 0..NAMES.len() {
            let (after, book) = (self.chance.millis(0, 5_000), Arc::clone(&self.book));
            self.later(after, Later::Read(at, book));
        }
    }

    /// Sets everything right, at once and for good.
    pub(super) fn calm(&mut self) {
        self.world.note("weather", format_args!("is calm"));
        self.agenda.clear();
        {
            let mut inner = self.world.inner();
            inner.away = false;
            (inner.unheard, inner.refused, inner.repeats_one_in) = (0, 0, None);
        }
        for at in 0..NAMES.len() {
            match &self.routers[at] {
                Some(router) => {
                    router.set_clock(0);
                    router.read(&self.book);
                }
                None => self.boot(at),
            }
        }
        for node in self.nodes() {
            node.stand_still(false);
            node.link.clear();
            node.link.mend();
        }
    }

    /// What is configured by now.
    pub(super) fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book)
    }

    /// Stops every router in order.
    pub(super) async fn stop(&mut self) {
        let running: Vec<Router> = self.routers.iter_mut().filter_map(Option::take).collect();
        for router in running {
            router.stop(&self.world).await;
        }
    }

    /// Sees to it that something is over after a while, whatever comes next.
    pub(super) fn over_after(after: Duration, end: impl FnOnce() + Send + 'static) {
        tokio::spawn(async move {
            sleep(after).await;
            end();
        });
    }
}
