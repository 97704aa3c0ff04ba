//! One lane: work that asks for the same, and the agents who could take it now.

use std::collections::BTreeSet;

use super::{Index, LANES, Slot, member::Seat};
use crate::{
    ask::{AskId, Profile},
    config::AgentChoice,
    state::{Number, Pool},
    tournament::Tournament,
};

/// Order of waiting work within its queue: the time of its arrival, earlier by the queue's aging for each level of
/// priority, then opening.
pub(crate) type WaitKey = (i64, Number);

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) ask: AskId,
    pub(crate) steps: u8,
    pub(crate) line: u32,
    /// The class's bit.
    pub(crate) class: u64,
    /// Whether its queue is open.
    pub(crate) open: bool,
    pub(crate) profile: Profile,
    pub(crate) choice: AgentChoice,
    pub(crate) waiting: BTreeSet<WaitKey>,
    /// Agents who suit it.
    pub(super) agents: Vec<Slot>,
    /// Those who are free, by their places among `agents`. Best first: cost, then longest idle.
    pub(super) free: Tournament<(i64, u64)>,
}

/// What of a lane decides whether an agent looks at it: an agent suits many, and heads lie together while lanes do not.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// The first that waits; none where nothing does, and while the queue is closed.
    pub(super) first: Option<WaitKey>,
    /// The queue's aging.
    pub(super) aging: i64,
    /// The class's bit.
    pub(super) class: u64,
}

impl Index {
    /// The lane of an ask after some steps, made when it is new. Making one looks at those agents of the queue who have
    /// the rarest skill it needs, once.
    pub(super) fn lane_or_new(&mut self, pool: &Pool, ask: AskId, steps: u8, line: u32) -> u32 {
        if let Some(lane) = self.by_ask.get(&(ask, steps)) {
            return *lane;
        }
        if self.lanes.len() >= self.sweep_at.max(LANES) {
            self.drop_idle_lanes();
            // Looked at again once there are twice as many: looking costs as much as there are.
            self.sweep_at = 2 * self.lanes.len();
        }
        let at = self.lanes.len() as u32;
        let profile = {
            let own = &self.lines[line as usize];
            Profile::new(pool.asks.get(ask), &own.spec, steps)
        };
        let class = self.class_bit(&profile.class);
        let own = &self.lines[line as usize];
        self.lanes.push(Lane {
            ask,
            steps,
            line,
            class,
            open: own.open,
            choice: own.spec.choice,
            profile,
            waiting: BTreeSet::new(),
            agents: Vec::new(),
            free: Tournament::default(),
        });
        self.heads.push(Head { first: None, aging: self.lines[line as usize].aging, class });
        self.by_ask.insert((ask, steps), at);
        self.lines[line as usize].lanes.push(at);
        let agents = self.suited(at);
        self.lanes[at as usize].free = Tournament::new(agents.len());
        for (place, slot) in agents.iter().enumerate() {
            let (score, levels) = self.lanes[at as usize].profile.merits(&self.members[*slot as usize].spec);
            let member = &mut self.members[*slot as usize];
            member.seats.push(Seat { lane: at, place: place as u32, score, levels, standing: None });
            self.stand_in_last(*slot);
        }
        self.lanes[at as usize].agents = agents;
        at
    }

    /// Brings a lane's head up to date after what waits there, or whether it is open, has changed.
    pub(super) fn look_again(&mut self, lane: u32) {
        let Lane { open, waiting, .. } = &self.lanes[lane as usize];
        self.heads[lane as usize].first = waiting.first().copied().filter(|_| *open);
    }

    /// Agents who suit a lane.
    fn suited(&self, lane: u32) -> Vec<Slot> {
        let lane = &self.lanes[lane as usize];
        let suits = |slot: Slot| lane.profile.suits(&self.members[slot as usize].spec);
        let nobody = Vec::new();
        let rarest = lane
            .profile
            .certain()
            .into_iter()
            .map(|skill| (self.skilled.get(&skill.name).unwrap_or(&nobody), skill.level))
            .min_by_key(|(agents, _)| agents.len());
        let all = &self.lines[lane.line as usize].agents;
        match rarest {
            Some((agents, least)) if agents.len() < all.len() => {
                // Both are in order. Numbers that lie together are compared sooner than agents, who lie far apart.
                let mut serving = all.iter().copied().peekable();
                let mut serves = |slot: Slot| {
                    while serving.next_if(|other| *other < slot).is_some() {}
                    serving.peek() == Some(&slot)
                };
                let able = agents.iter().filter(|(_, level)| *level >= least).map(|(slot, _)| *slot);
                able.filter(|slot| serves(*slot) && suits(*slot)).collect()
            }
            _ => all.iter().copied().filter(|slot| suits(*slot)).collect(),
        }
    }

    fn drop_idle_lanes(&mut self) {
        let mut moved: Vec<Option<u32>> = Vec::with_capacity(self.lanes.len());
        let mut kept: Vec<Lane> = Vec::new();
        let mut heads: Vec<Head> = Vec::new();
        for (lane, head) in std::mem::take(&mut self.lanes).into_iter().zip(std::mem::take(&mut self.heads)) {
            if lane.waiting.is_empty() {
                moved.push(None);
                self.by_ask.remove(&(lane.ask, lane.steps));
            } else {
                moved.push(Some(kept.len() as u32));
                self.by_ask.insert((lane.ask, lane.steps), kept.len() as u32);
                kept.push(lane);
                heads.push(head);
            }
        }
        (self.lanes, self.heads) = (kept, heads);
        for line in &mut self.lines {
            line.lanes = line.lanes.iter().filter_map(|lane| moved[*lane as usize]).collect();
        }
        for member in &mut self.members {
            member.seats.retain_mut(|seat| match moved[seat.lane as usize] {
                Some(lane) => {
                    seat.lane = lane;
                    true
                }
                None => false,
            });
        }
    }
}
