//! Each thing that may go wrong, and how it is brought about.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::ground::SimGround;
use super::link::Fate;
use super::node::Node;
use super::tally::Seen;
use super::town::{LAYOUT, TENANTS};
use super::weather::{Later, Weather};
use super::world::World;
use crate::placement::{self, Progress};

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A router is killed and starts again.
    Kill,
    /// All routers are killed at once.
    KillAll,
    /// A router stops in order and starts again.
    Restart,
    /// A router stands still: its process is stopped, its lease is not.
    StandStill,
    /// A connection is lost.
    Lose,
    /// What a machine sends does not arrive for a while.
    Deafen,
    /// What a machine is sent does not arrive for a while.
    Mute,
    /// The broker is away.
    Away,
    /// Acknowledgements get lost.
    Unheard,
    /// The broker turns messages away for now.
    Refuse,
    /// The network is slow.
    SlowDown,
    /// A router's clock is wrong.
    Clock,
    /// Operators change the configuration.
    Configure,
    /// The routing log is read twice in places.
    Repeat,
    /// An operator moves a tenant to the other partition.
    Move,
}

/// All of them.
pub(super) const ALL: [Fault; 15] = [
    Fault::Kill,
    Fault::KillAll,
    Fault::Restart,
    Fault::StandStill,
    Fault::Lose,
    Fault::Deafen,
    Fault::Mute,
    Fault::Away,
    Fault::Unheard,
    Fault::Refuse,
    Fault::SlowDown,
    Fault::Clock,
    Fault::Configure,
    Fault::Repeat,
    Fault::Move,
];

/// Longer than the broker recognizes ids, in milliseconds.
const LONG: (u64, u64) = (121_000, 130_000);

impl Weather {
    /// Brings one of them about.
    pub(super) async fn bring(&mut self, fault: Fault) {
        match fault {
            Fault::Kill | Fault::Restart => {
                let Some(at) = self.some_router() else { return };
                if fault == Fault::Kill {
                    self.kill(at);
                } else {
                    self.stop_one(at);
                }
                let after = self.a_while();
                self.later(after, Later::Boot(at));
            }
            Fault::KillAll => self.kill_all().await,
            Fault::StandStill => self.stand_still().await,
            Fault::Lose => self.lose(),
            Fault::Deafen | Fault::Mute | Fault::SlowDown => self.disturb(fault),
            Fault::Away => self.take_broker_away(),
            Fault::Unheard | Fault::Refuse => self.trouble_broker(fault),
            Fault::Clock => {
                let Some(at) = self.some_router() else { return };
                let ahead = *self.chance.pick(&[-40_000, -2_000, 0, 900, 3_000, 40_000]);
                if let Some(router) = &self.routers[at] {
                    self.world.note(&router.node.name, format_args!("has a clock that is {ahead} ms ahead"));
                    router.set_clock(ahead);
                    if ahead != 0 {
                        self.world.inner().broker.tally.note(Seen::WrongClock);
                    }
                }
            }
            Fault::Configure => self.configure(),
            Fault::Move => self.move_tenant(),
            Fault::Repeat => {
                self.world.note("broker", format_args!("tells things twice from now on"));
                self.world.inner().repeats_one_in = Some(*self.chance.pick(&[3, 10, 30]));
            }
        }
    }

    /// Has a tenant moved; sometimes forth and back at once, or by two operators.
    fn move_tenant(&mut self) {
        let tenant = *self.chance.pick(&TENANTS);
        let times = *self.chance.pick(&[1, 1, 2, 3]);
        for _ in 0..*self.chance.pick(&[1, 1, 2]) {
            let ground = SimGround::new(&self.world, &self.operator);
            let to = u16::from(self.chance.once_in(2));
            let pauses: Vec<Duration> = (0..times).map(|_| self.chance.millis(0, 400)).collect();
            tokio::spawn(async move {
                for (turn, pause) in (0..).zip(pauses) {
                    move_once(&ground, tenant, (to + turn) % LAYOUT.routing).await;
                    sleep(pause).await;
                }
            });
        }
    }

    async fn kill_all(&mut self) {
        for at in 0..self.routers.len() {
            self.kill(at);
        }
        let long = self.chance.once_in(2);
        let away = if long { self.chance.millis(LONG.0, LONG.1) } else { self.a_while() };
        for at in 0..2 {
            let after = away + self.chance.millis(0, 3_000);
            self.later(after, Later::Boot(at));
        }
        self.wait(Instant::now() + away).await;
    }

    /// Stops a router's process for a while. Beyond the broker's patience the connection is gone afterwards.
    async fn stand_still(&mut self) {
        let Some(at) = self.some_router() else { return };
        let Some(router) = &self.routers[at] else { return };
        let node = Arc::clone(&router.node);
        if node.is_still() {
            return;
        }
        let outlives = self.world.inner().broker.flaws.outlives_the_window;
        let still = match self.chance.below(6) {
            0 => self.chance.millis(LONG.0, LONG.1),
            1 => self.chance.millis(10_000, 30_000),
            _ => self.a_while(),
        };
        let (now, until) = (Instant::now(), Instant::now() + still);
        let cut = now + self.chance.millis(0, 3);
        let lost = still > Duration::from_mins(1) && !outlives;
        // A connection that is just being made anew would bring what is in its buffers long after the broker forgot it.
        if lost && !node.link.is_connected() {
            return;
        }
        self.world.note(&node.name, format_args!("stands still for {} ms", still.as_millis()));
        self.world.happened_to(&node, Seen::StoodStill);
        node.stand_still(true);
        if lost {
            node.link.lose(cut, Fate::Lost);
        } else if outlives || self.chance.once_in(2) {
            node.link.hold(cut, until);
        }
        let world = Arc::clone(&self.world);
        tokio::spawn(async move {
            sleep_until(until).await;
            world.note(&node.name, format_args!("goes on"));
            node.stand_still(false);
            if lost {
                sleep(Duration::from_millis(20)).await;
                mend(&world, &node);
            }
        });
        if still >= Duration::from_millis(LONG.0) {
            // What it does when it goes on is to be seen.
            self.wait(until + Duration::from_secs(3)).await;
        }
    }

    fn lose(&mut self) {
        let (node, after) = (self.some_node(), self.a_while());
        if !node.link.is_connected() {
            return;
        }
        let cut = Instant::now() + self.chance.millis(0, 3);
        let fate = match self.chance.below(3) {
            0 => Fate::Late(self.chance.millis(50, 20_000)),
            _ => Fate::Lost,
        };
        let millis = after.as_millis();
        self.world.note(&node.name, format_args!("loses its connection for {millis} ms, {fate:?}"));
        self.world.happened_to(&node, Seen::CutOff);
        node.link.lose(cut, fate);
        let world = Arc::clone(&self.world);
        Self::over_after(after, move || mend(&world, &node));
    }

    fn disturb(&mut self, fault: Fault) {
        let (node, after) = (self.some_node(), self.a_while());
        let until = Instant::now() + after;
        let millis = after.as_millis();
        if fault != Fault::SlowDown {
            self.world.happened_to(&node, Seen::CutOff);
        }
        match fault {
            Fault::Deafen => {
                self.world.note(&node.name, format_args!("does not get through for {millis} ms"));
                node.link.deafen(until);
            }
            Fault::Mute => {
                self.world.note(&node.name, format_args!("hears nothing for {millis} ms"));
                node.link.mute(until);
            }
            _ => {
                let slowest = *self.chance.pick(&[50, 300, 1_500]);
                self.world.note(&node.name, format_args!("is up to {slowest} ms away for {millis} ms"));
                node.link.slow_down(slowest);
                Self::over_after(after, move || node.link.clear());
            }
        }
    }

    fn take_broker_away(&mut self) {
        if std::mem::replace(&mut self.world.inner().away, true) {
            return;
        }
        let after = self.a_while();
        self.world.note("broker", format_args!("is away for {} ms", after.as_millis()));
        self.world.inner().broker.tally.note(Seen::BrokerAway);
        let nodes = self.nodes();
        for node in &nodes {
            node.link.lose(Instant::now(), Fate::Lost);
        }
        let waits: Vec<Duration> = nodes.iter().map(|_| self.chance.millis(5, 800)).collect();
        let world = Arc::clone(&self.world);
        Self::over_after(after, move || {
            world.inner().away = false;
            world.note("broker", format_args!("is back"));
            for (node, wait) in nodes.into_iter().zip(waits) {
                let world = Arc::clone(&world);
                Self::over_after(wait, move || mend(&world, &node));
            }
        });
    }

    fn trouble_broker(&mut self, fault: Fault) {
        let percent = *self.chance.pick(&[3, 10, 30, 80]);
        self.world.note("broker", format_args!("{fault:?}, {percent} %"));
        let set = move |world: &World, percent| match fault {
            Fault::Unheard => world.inner().unheard = percent,
            _ => world.inner().refused = percent,
        };
        set(&self.world, percent);
        let (world, after) = (Arc::clone(&self.world), self.a_while());
        Self::over_after(after, move || set(&world, 0));
    }
}

/// Asks for a move, and waits a while for it to be done.
async fn move_once(ground: &SimGround, tenant: &str, to: u16) {
    let world = &ground.world;
    let asked = match placement::ask(ground, LAYOUT.routing, tenant, to).await {
        Ok(asked) => asked,
        Err(error) => return world.note("operator", format_args!("does not move {tenant} to {to}: {error}")),
    };
    world.note("operator", format_args!("moves {tenant} to {to} by {}", asked.sequence));
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if let Ok(Progress::Arrived | Progress::PassedOn) = asked.progress(ground, LAYOUT.routing).await {
            return world.note("operator", format_args!("sees {tenant} in {to}"));
        }
        sleep(Duration::from_millis(100)).await;
    }
}

/// Connects a machine again, if there is a broker to connect to: else it is connected when that is back.
fn mend(world: &World, node: &Node) {
    if !world.inner().away {
        node.link.mend();
    }
}
