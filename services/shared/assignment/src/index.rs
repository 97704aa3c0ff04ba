//! Derived lookups of one pool: who is free for which work, what waits where.
//!
//! Nothing here is a fact and nothing here is in a snapshot; [`Index::build`] makes it again from the pool. So no
//! entry needs to look at all agents or all conversations, however many there are.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    state::{Conversation, Number, Phase, Pool, Profile, WaitKey},
    table::Table,
    text::{Text, Timestamp},
};

/// Lanes kept before those without work are dropped: profiles seen once must not pile up.
pub(crate) const LANES: usize = 1_024;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Open conversations by id.
    pub(crate) by_id: Table<Text, Number>,
    /// Reserved conversations by reservation id.
    pub(crate) reservations: Table<Text, Number>,
    lanes: Vec<Lane>,
    by_profile: BTreeMap<Arc<Profile>, usize>,
    lines: BTreeMap<Text, Line>,
    members: BTreeMap<Text, Member>,
}

/// One profile of work: what waits, and who could take it now.
#[derive(Clone, Debug)]
struct Lane {
    profile: Arc<Profile>,
    waiting: BTreeSet<WaitKey>,
    /// Best first: score in the preferred skills, then longest idle, then name.
    free: BTreeSet<(Reverse<u32>, Timestamp, Text)>,
}

/// One queue over all its lanes.
#[derive(Clone, Debug, Default)]
struct Line {
    /// What waits, by priority and in order of arrival.
    waiting: BTreeMap<Reverse<i32>, BTreeSet<(Timestamp, Number)>>,
    /// Agents of the queue.
    agents: BTreeSet<Text>,
    /// How many of them are ready.
    ready: u32,
}

/// One agent's lanes.
#[derive(Clone, Debug, Default)]
struct Member {
    seats: Vec<Seat>,
    ready: bool,
}

/// An agent's standing in one lane they suit.
#[derive(Clone, Debug)]
struct Seat {
    lane: usize,
    score: u32,
    /// The idle time they stand there with, while free.
    free: Option<Timestamp>,
}

/// An agent as a lane ranks them.
pub(crate) struct Candidate {
    pub(crate) agent: Text,
    pub(crate) score: u32,
    pub(crate) idle_since: Timestamp,
    /// Agents free for the work, this one included.
    pub(crate) eligible: u32,
}

impl Index {
    /// Everything from the facts.
    pub(crate) fn build(pool: &Pool) -> Self {
        let mut index = Self::default();
        for (name, spec) in &pool.config.agents {
            index.members.insert(name.clone(), Member::default());
            for queue in spec.queues.keys() {
                index.lines.entry(queue.clone()).or_default().agents.insert(name.clone());
            }
        }
        for name in pool.agents.keys() {
            index.seat(pool, name);
        }
        for (number, conversation) in pool.conversations.sorted() {
            index.by_id.insert(conversation.about.id.clone(), *number);
            match &conversation.phase {
                Phase::Waiting => index.wait(pool, *number, conversation),
                Phase::Reserved { reservation, .. } => {
                    index.reservations.insert(reservation.clone(), *number);
                }
                Phase::Unassigned | Phase::Assigned { .. } | Phase::WrapUp { .. } => {}
            }
        }
        index
    }

    /// Brings `agent`'s standing up to date after their presence or workload changed.
    pub(crate) fn seat(&mut self, pool: &Pool, agent: &Text) {
        let (Some(member), Some(state)) = (self.members.get_mut(agent), pool.agents.get(agent)) else {
            return;
        };
        let ready = state.ready();
        if member.ready != ready {
            member.ready = ready;
            for queue in pool.config.agents.get(agent).into_iter().flat_map(|spec| spec.queues.keys()) {
                if let Some(line) = self.lines.get_mut(queue) {
                    line.ready = if ready { line.ready + 1 } else { line.ready.saturating_sub(1) };
                }
            }
        }
        // Most agents serve many lanes of few classes: whether there is room is asked once a class.
        let mut asked: Option<(Text, bool)> = None;
        for seat in &mut member.seats {
            let lane = &mut self.lanes[seat.lane];
            let class = &lane.profile.class;
            let room = match &asked {
                Some((known, room)) if known == class => *room,
                _ => {
                    let room = pool.is_free(agent, class);
                    asked = Some((class.clone(), room));
                    room
                }
            };
            let free = room.then_some(state.idle_since);
            if seat.free == free {
                continue;
            }
            if let Some(since) = seat.free {
                lane.free.remove(&(Reverse(seat.score), since, agent.clone()));
            }
            if let Some(since) = free {
                lane.free.insert((Reverse(seat.score), since, agent.clone()));
            }
            seat.free = free;
        }
    }

    /// Adds a conversation to what waits.
    pub(crate) fn wait(&mut self, pool: &Pool, number: Number, conversation: &Conversation) {
        let key = conversation.key(number);
        let lane = self.lane(pool, &conversation.profile);
        self.lanes[lane].waiting.insert(key);
        let line = self.lines.entry(conversation.profile.queue.clone()).or_default();
        line.waiting.entry(key.0).or_default().insert((key.1, number));
    }

    /// Takes a conversation out of what waits.
    pub(crate) fn unwait(&mut self, number: Number, conversation: &Conversation) {
        let key = conversation.key(number);
        if let Some(lane) = self.by_profile.get(&conversation.profile) {
            self.lanes[*lane].waiting.remove(&key);
        }
        if let Some(line) = self.lines.get_mut(&conversation.profile.queue)
            && let Some(row) = line.waiting.get_mut(&key.0)
        {
            row.remove(&(key.1, number));
            if row.is_empty() {
                line.waiting.remove(&key.0);
            }
        }
    }

    /// The first work, over all their queues, that `agent` may take now.
    pub(crate) fn best_work(&self, pool: &Pool, agent: &str) -> Option<WaitKey> {
        let member = self.members.get(agent)?;
        let mut best: Option<WaitKey> = None;
        for seat in &member.seats {
            let lane = &self.lanes[seat.lane];
            let beaten = |key: &WaitKey| best.is_some_and(|best| best < *key);
            if lane.waiting.first().is_none_or(beaten) || !pool.is_free(agent, &lane.profile.class) {
                continue;
            }
            let first = lane.waiting.iter().find(|key| !pool.cools_off(agent, key.2));
            best = [best, first.copied()].into_iter().flatten().min();
        }
        best
    }

    /// The best agent free for the waiting conversation `number`.
    pub(crate) fn best_agent(&self, pool: &Pool, number: Number) -> Option<Candidate> {
        let lane = &self.lanes[*self.by_profile.get(&pool.conversations.get(&number)?.profile)?];
        let (score, idle_since, agent) =
            lane.free.iter().find(|(_, _, agent)| !pool.cools_off(agent, number))?;
        Some(Candidate {
            agent: agent.clone(),
            score: score.0,
            idle_since: *idle_since,
            eligible: lane.free.len() as u32,
        })
    }

    /// How many wait in `queue`.
    pub(crate) fn waiting(&self, queue: &str) -> u32 {
        self.lines.get(queue).map_or(0, |line| line.waiting.values().map(|row| row.len() as u32).sum())
    }

    /// What waits in `queue`, the next first.
    pub(crate) fn in_line(&self, queue: &str) -> impl Iterator<Item = Number> {
        let rows = self.lines.get(queue).into_iter().flat_map(|line| line.waiting.values());
        rows.flatten().map(|(_, number)| *number)
    }

    /// Arrival of the oldest work in `queue`.
    pub(crate) fn oldest(&self, queue: &str) -> Option<Timestamp> {
        self.lines.get(queue)?.waiting.values().filter_map(BTreeSet::first).map(|(arrived, _)| *arrived).min()
    }

    /// How many agents of `queue` are ready.
    pub(crate) fn ready(&self, queue: &str) -> u32 {
        self.lines.get(queue).map_or(0, |line| line.ready)
    }

    /// Queues that have agents or waiting work.
    pub(crate) fn queues(&self) -> impl Iterator<Item = &Text> {
        self.lines.keys()
    }

    /// Position of waiting work in `queue`, from 1.
    ///
    /// Counts from whichever end is nearer: new work joins at the back and returned work near the front.
    pub(crate) fn position(&self, queue: &str, key: WaitKey) -> u32 {
        let Some(line) = self.lines.get(queue) else { return 0 };
        let above: usize = line.waiting.range(..key.0).map(|(_, row)| row.len()).sum();
        let Some(row) = line.waiting.get(&key.0) else { return above as u32 };
        let place = (key.1, key.2);
        let mut forward = row.iter();
        let mut backward = row.iter().rev();
        let mut steps = 0;
        let rank = loop {
            if forward.next().is_none_or(|item| *item == place) {
                break steps + 1;
            }
            if backward.next().is_none_or(|item| *item == place) {
                break row.len() - steps;
            }
            steps += 1;
        };
        (above + rank) as u32
    }

    /// How many profiles have a lane.
    #[cfg(test)]
    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// The lane of `profile`, made when it is new. Making one looks at the queue's agents, once a profile.
    fn lane(&mut self, pool: &Pool, profile: &Arc<Profile>) -> usize {
        if let Some(lane) = self.by_profile.get(profile) {
            return *lane;
        }
        let idle = || self.lanes.iter().filter(|lane| lane.waiting.is_empty()).count();
        if self.lanes.len() >= LANES && idle() * 2 > self.lanes.len() {
            self.drop_idle_lanes();
        }
        let lane = self.lanes.len();
        self.lanes.push(Lane { profile: profile.clone(), waiting: BTreeSet::new(), free: BTreeSet::new() });
        self.by_profile.insert(profile.clone(), lane);
        let agents: Vec<Text> =
            self.lines.get(&profile.queue).into_iter().flat_map(|line| line.agents.iter().cloned()).collect();
        for agent in agents {
            let (Some(member), Some(spec)) = (self.members.get_mut(&agent), pool.config.agents.get(&agent))
            else {
                continue;
            };
            if pool.suits(&agent, profile) {
                member.seats.push(Seat { lane, score: spec.score(&profile.preferred), free: None });
                self.seat(pool, &agent);
            }
        }
        lane
    }

    fn drop_idle_lanes(&mut self) {
        let mut moved: Vec<Option<usize>> = Vec::with_capacity(self.lanes.len());
        let mut kept = Vec::new();
        for lane in std::mem::take(&mut self.lanes) {
            if lane.waiting.is_empty() {
                moved.push(None);
            } else {
                moved.push(Some(kept.len()));
                kept.push(lane);
            }
        }
        self.by_profile = kept.iter().enumerate().map(|(at, lane)| (lane.profile.clone(), at)).collect();
        self.lanes = kept;
        for member in self.members.values_mut() {
            member.seats.retain_mut(|seat| match moved[seat.lane] {
                Some(lane) => {
                    seat.lane = lane;
                    true
                }
                None => false,
            });
        }
    }
}
