//! One agent: whether they take work, of which classes, and how they stand in the lanes they suit.

use std::{collections::BTreeSet, sync::Arc};

use super::{Index, Slot, WaitKey};
use crate::{
    ask::{AskId, Profile},
    config::{AgentChoice, AgentSpec, PoolConfig},
    state::{Agent, Pool},
    text::{Text, Timestamp},
};

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: Text,
    pub(crate) spec: Arc<AgentSpec>,
    /// Online with a live desk.
    pub(crate) ready: bool,
    /// A bit for each class of which one more conversation fits.
    pub(crate) room: u64,
    /// How much of what they can carry they carry, in thousandths.
    pub(crate) occupancy: u16,
    idle_since: Timestamp,
    idle_rank: u64,
    /// The queues they serve, by line.
    lines: Vec<u32>,
    pub(super) seats: Vec<Seat>,
    /// Something changed since they last took their standing.
    changed: bool,
    /// Work that waits for this agent alone, with its line.
    pub(super) held: BTreeSet<(WaitKey, u32)>,
}

/// An agent's standing in one lane they suit.
#[derive(Clone, Debug)]
pub(super) struct Seat {
    pub(super) lane: u32,
    /// Their place among the lane's agents.
    pub(super) place: u32,
    /// Sum of levels in the preferred skills.
    pub(super) score: u32,
    /// Sum of levels in the required skills.
    pub(super) levels: u32,
    /// Cost and idle rank that they stand there with, while free.
    pub(super) standing: Option<(i64, u64)>,
}

impl Member {
    pub(super) fn new(name: &Text, spec: &AgentSpec, lines: Vec<u32>) -> Self {
        Self {
            name: name.clone(),
            spec: Arc::new(spec.clone()),
            ready: false,
            room: 0,
            occupancy: 0,
            idle_since: Timestamp::default(),
            idle_rank: 0,
            lines,
            seats: Vec::new(),
            changed: false,
            held: BTreeSet::new(),
        }
    }

    pub(crate) fn has_room(&self, class: u64) -> bool {
        self.room & class != 0
    }

    /// The queues they serve, by line.
    pub(crate) fn lines(&self) -> &[u32] {
        &self.lines
    }

    /// Points of the agent in a lane, for people: the preferred skills' levels, or everything in a mix.
    fn points(&self, seat: &Seat, choice: AgentChoice, now: Timestamp) -> i64 {
        match choice {
            AgentChoice::Mix { idle, .. } => {
                let idle = i64::from(idle) * now.0 / TEN_SECONDS;
                idle - self.cost(seat, choice)
            }
            _ => seat.score.into(),
        }
    }

    /// Where the agent stands in a lane: less is asked sooner. Does not change with time alone.
    fn cost(&self, seat: &Seat, choice: AgentChoice) -> i64 {
        // Preferred skills go before what tells equals apart, which is far below this.
        let preferred = i64::from(seat.score) << 24;
        match choice {
            AgentChoice::LongestIdle => -preferred,
            AgentChoice::LeastOccupied => i64::from(self.occupancy) - preferred,
            AgentChoice::BestLevel => -preferred - i64::from(seat.levels.min(1 << 20)),
            AgentChoice::Mix { idle, occupancy, level } => {
                let free = i64::from(1_000_u16.saturating_sub(self.occupancy)) * i64::from(occupancy) / 100;
                let levels = i64::from(level) * i64::from(seat.score + seat.levels);
                i64::from(idle) * self.idle_since.0 / TEN_SECONDS - free - levels
            }
        }
    }
}

const TEN_SECONDS: i64 = 10_000;

impl Index {
    /// Brings what is known of an agent up to date after their presence or workload changed. Their standing in the lanes
    /// follows with [`Index::stand`].
    pub(crate) fn refresh(&mut self, pool: &Pool, slot: Slot) {
        let member = &mut self.members[slot as usize];
        let Some(state) = pool.agents.get(&member.name) else { return };
        let spec = &member.spec;
        let ready = state.ready();
        let (room, occupancy) = room(&pool.config, spec, state, &self.classes);
        let before = (member.ready, member.room, member.occupancy, member.idle_rank);
        if before == (ready, room, occupancy, state.idle_rank) {
            return;
        }
        if member.ready != ready {
            for line in &member.lines {
                let line = &mut self.lines[*line as usize];
                line.ready = if ready { line.ready + 1 } else { line.ready.saturating_sub(1) };
                for (at, class) in self.classes.iter().enumerate() {
                    let count = spec.capacity.get(class).copied().unwrap_or(0);
                    let staff = &mut line.staff[at];
                    *staff = if ready { staff.saturating_add(count) } else { staff.saturating_sub(count) };
                }
            }
        }
        member.ready = ready;
        member.room = room;
        member.occupancy = occupancy;
        member.idle_since = state.idle_since;
        member.idle_rank = state.idle_rank;
        member.changed = true;
    }

    /// Brings an agent's standing in their lanes up to date with what is known of them.
    pub(crate) fn stand(&mut self, slot: Slot) {
        let member = &mut self.members[slot as usize];
        if !std::mem::take(&mut member.changed) {
            return;
        }
        let mut seats = std::mem::take(&mut member.seats);
        for seat in &mut seats {
            self.stand_in(slot, seat);
        }
        self.members[slot as usize].seats = seats;
    }

    /// The same for the seat taken last.
    pub(super) fn stand_in_last(&mut self, slot: Slot) {
        if let Some(mut seat) = self.members[slot as usize].seats.pop() {
            self.stand_in(slot, &mut seat);
            self.members[slot as usize].seats.push(seat);
        }
    }

    fn stand_in(&mut self, slot: Slot, seat: &mut Seat) {
        let member = &self.members[slot as usize];
        let lane = &mut self.lanes[seat.lane as usize];
        let free = member.ready && member.has_room(lane.class);
        let standing = free.then(|| (member.cost(seat, lane.choice), member.idle_rank));
        if standing == seat.standing {
            return;
        }
        lane.free.set(seat.place, standing);
        seat.standing = standing;
    }

    /// The agent's points for an ask after some steps. The same whether there is a lane for it or not: what waits for one
    /// agent alone has none, and whether one was left by other work is no fact.
    pub(crate) fn points(&self, pool: &Pool, slot: Slot, (ask, steps): (AskId, u8), now: Timestamp) -> i64 {
        let member = self.member(slot);
        if let Some(at) = self.by_ask.get(&(ask, steps)) {
            let seat = member.seats.iter().find(|seat| seat.lane == *at);
            return seat.map_or(0, |seat| member.points(seat, self.lanes[*at as usize].choice, now));
        }
        let ask = pool.asks.get(ask);
        let Some(line) = self.line(&ask.queue) else { return 0 };
        let profile = Profile::new(ask, &line.spec, steps);
        if !profile.suits(&member.spec) {
            return 0;
        }
        let (score, levels) = profile.merits(&member.spec);
        let seat = Seat { lane: 0, place: 0, score, levels, standing: None };
        member.points(&seat, line.spec.choice, now)
    }
}

/// Whether `agent` could carry one more conversation of `class`.
///
/// Within a class's own count; and within the total, against which classes that this one may interrupt do not count.
pub(crate) fn has_room(config: &PoolConfig, spec: &AgentSpec, agent: &Agent, class: &str) -> bool {
    let used = agent.used.get(class).copied().unwrap_or(0);
    used < spec.capacity.get(class).copied().unwrap_or(0)
        && spec.total.is_none_or(|total| {
            let standing = load(config, agent, |other| !config.interrupts(class, other));
            standing.saturating_add(config.weight(class)) <= total
        })
}

/// Whether `agent` carries more of `class`, or in all, than they can, as a smaller configuration can leave them. What
/// was interrupted by something else in hand does not count.
pub(crate) fn over_capacity(pool: &Pool, agent: &str, class: &str) -> bool {
    let (Some(state), Some(spec)) = (pool.agents.get(agent), pool.config.agents.get(agent)) else {
        return false;
    };
    let used = state.used.get(class).copied().unwrap_or(0);
    let interrupted = |other: &str| state.used.keys().any(|by| pool.config.interrupts(by, other));
    used > spec.capacity.get(class).copied().unwrap_or(0)
        || spec.total.is_some_and(|total| load(&pool.config, state, |other| !interrupted(other)) > total)
}

/// Weights of what `agent` carries, of the classes that `counts`.
pub(crate) fn load(config: &PoolConfig, agent: &Agent, counts: impl Fn(&str) -> bool) -> u32 {
    agent
        .used
        .iter()
        .filter(|(class, _)| counts(class))
        .map(|(class, used)| used.saturating_mul(config.weight(class)))
        .fold(0, u32::saturating_add)
}

/// The classes that fit, as bits, and the occupancy in thousandths: the fullest class's, or that of the total.
fn room(config: &PoolConfig, spec: &AgentSpec, agent: &Agent, classes: &[Text]) -> (u64, u16) {
    let mut bits = 0;
    let mut occupancy = 0;
    for (class, capacity) in &spec.capacity {
        if let Ok(at) = classes.binary_search(class)
            && has_room(config, spec, agent, class)
        {
            bits |= 1_u64.checked_shl(at as u32).unwrap_or(0);
        }
        if *capacity > 0 {
            let used = agent.used.get(class).copied().unwrap_or(0);
            occupancy = occupancy.max(u64::from(used) * 1_000 / u64::from(*capacity));
        }
    }
    if let Some(total) = spec.total.filter(|total| *total > 0) {
        occupancy = occupancy.max(u64::from(load(config, agent, |_| true)) * 1_000 / u64::from(total));
    }
    (bits, occupancy.min(1_000) as u16)
}
