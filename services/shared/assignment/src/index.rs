//! Derived lookups of one pool: who is free for which work, what waits where.
//!
//! Nothing here is a fact and nothing here is in a snapshot; [`Index::build`] makes it again from the pool. So no
//! entry needs to look at all agents or all conversations, however many there are. Agents, queues and classes are
//! numbers here, in the order of their names, so that ties fall the same way on every replica.

mod build;
mod lane;
mod line;
mod member;

use std::collections::BTreeMap;

use crate::{
    ask::AskId,
    state::{Conversation, Number, Pool, Stand},
    table::Table,
    text::{Text, Timestamp},
};

use lane::Head;
pub(crate) use lane::{Lane, WaitKey};
pub(crate) use line::Line;
pub(crate) use member::{Member, has_room, over_capacity};

/// Lanes kept before those without work are dropped: what is asked once must not pile up.
pub(crate) const LANES: usize = 4_096;

/// An agent's number: agents are in order of their names.
pub(crate) type Slot = u32;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Open conversations by id.
    pub(crate) by_id: Table<Text, Number>,
    /// Conversations by the id of a reservation that rings for them.
    pub(crate) reservations: Table<Text, Number>,
    slots: Table<Text, Slot>,
    members: Vec<Member>,
    /// Agents with a skill, each with the level.
    skilled: BTreeMap<Text, Vec<(Slot, u8)>>,
    /// Channel classes that agents serve; a class's place is its bit in a [`Member`]'s room.
    classes: Vec<Text>,
    queues: Table<Text, u32>,
    lines: Vec<Line>,
    lanes: Vec<Lane>,
    /// What of each lane is looked at first, by its number.
    heads: Vec<Head>,
    by_ask: Table<(AskId, u8), u32>,
    /// How many lanes there are when those without work are looked for next.
    sweep_at: usize,
}

/// An agent as a lane ranks them.
pub(crate) struct Candidate {
    pub(crate) slot: Slot,
    /// Agents free for the work, this one included.
    pub(crate) eligible: u32,
}

/// How urgent waiting work is: priority and age against its queue's aging, then arrival. Less is sooner.
///
/// Work that waits for `aging` gains one level of priority, so the time by which work would have had to arrive to be
/// as urgent without any priority is the same for ever; the age behind it, in units of its queue's aging, grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Urgency {
    age: i64,
    aging: i64,
    pub(crate) key: WaitKey,
}

impl Urgency {
    pub(crate) fn new(key: WaitKey, aging: i64, now: Timestamp) -> Self {
        Self { age: now.0 - key.0, aging, key }
    }
}

impl Ord for Urgency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mine, theirs) = if self.aging == other.aging {
            (self.age.into(), other.age.into())
        } else {
            (i128::from(self.age) * i128::from(other.aging), i128::from(other.age) * i128::from(self.aging))
        };
        i128::cmp(&theirs, &mine).then(self.key.cmp(&other.key))
    }
}

impl PartialOrd for Urgency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Index {
    pub(crate) fn slot(&self, agent: &str) -> Option<Slot> {
        self.slots.get(agent).copied()
    }

    pub(crate) fn member(&self, slot: Slot) -> &Member {
        &self.members[slot as usize]
    }

    /// A line by its number.
    pub(crate) fn line_at(&self, line: u32) -> &Line {
        &self.lines[line as usize]
    }

    /// The queue's line, if it was ever heard of.
    pub(crate) fn line(&self, queue: &str) -> Option<&Line> {
        self.queues.get(queue).map(|line| &self.lines[*line as usize])
    }

    pub(crate) fn lane_of(&self, ask: AskId, steps: u8) -> Option<&Lane> {
        self.by_ask.get(&(ask, steps)).map(|lane| &self.lanes[*lane as usize])
    }

    /// Adds a conversation to what waits.
    pub(crate) fn wait(&mut self, pool: &Pool, number: Number, conversation: &Conversation) {
        let Some(ask) = conversation.ask else { return };
        let queue = &pool.asks.get(ask).queue;
        let line = self.line_or_new(pool, queue);
        let key = (self.lines[line as usize].place(conversation), number);
        match &conversation.wait.stand {
            Stand::Asleep { .. } => return,
            Stand::Held { agent, .. } => {
                if let Some(slot) = self.slot(agent) {
                    self.members[slot as usize].held.insert((key, line));
                }
            }
            Stand::Open => {
                let lane = self.lane_or_new(pool, ask, conversation.wait.steps, line);
                self.lanes[lane as usize].waiting.insert(key);
                self.look_again(lane);
            }
        }
        self.lines[line as usize].add(key, conversation.arrived);
    }

    /// Takes a conversation out of what waits, as it stood there.
    pub(crate) fn unwait(&mut self, pool: &Pool, number: Number, conversation: &Conversation) {
        let Some(ask) = conversation.ask else { return };
        let Some(line) = self.queues.get(&*pool.asks.get(ask).queue).copied() else { return };
        let key = (self.lines[line as usize].place(conversation), number);
        match &conversation.wait.stand {
            Stand::Asleep { .. } => return,
            Stand::Held { agent, .. } => {
                if let Some(slot) = self.slot(agent) {
                    self.members[slot as usize].held.remove(&(key, line));
                }
            }
            Stand::Open => {
                if let Some(lane) = self.by_ask.get(&(ask, conversation.wait.steps)).copied() {
                    self.lanes[lane as usize].waiting.remove(&key);
                    self.look_again(lane);
                }
            }
        }
        self.lines[line as usize].take(key, conversation.arrived);
    }

    /// The most urgent work, over all their queues, that the agent may take now.
    pub(crate) fn best_work(&self, pool: &Pool, slot: Slot, now: Timestamp) -> Option<Urgency> {
        let member = &self.members[slot as usize];
        if !member.ready || member.room == 0 {
            return None;
        }
        let urgency = |key: WaitKey, line: u32| Urgency::new(key, self.lines[line as usize].aging, now);
        let leads = |best: &Option<Urgency>, key: WaitKey, line: u32| {
            best.is_none_or(|best| urgency(key, line) < best)
        };
        let mut best: Option<Urgency> = None;
        for (key, line) in &member.held {
            let class = pool.conversations.get(&key.1).map(|conversation| &conversation.class);
            if self.lines[*line as usize].open
                && class.is_some_and(|class| member.has_room(self.class_bit(class)))
                && leads(&best, *key, *line)
            {
                best = Some(urgency(*key, *line));
            }
        }
        for seat in &member.seats {
            let head = &self.heads[seat.lane as usize];
            let Some(first) = head.first.filter(|_| member.has_room(head.class)) else { continue };
            if best.is_some_and(|best| Urgency::new(first, head.aging, now) >= best) {
                continue;
            }
            let lane = &self.lanes[seat.lane as usize];
            for key in &lane.waiting {
                // Those behind are less urgent still.
                if !leads(&best, *key, lane.line) {
                    break;
                }
                if !pool.cools_off(&member.name, key.1) {
                    best = Some(urgency(*key, lane.line));
                    break;
                }
            }
        }
        best
    }

    /// The best agent free for the waiting conversation `number`.
    pub(crate) fn best_agent(&self, pool: &Pool, number: Number) -> Option<Candidate> {
        let conversation = pool.conversations.get(&number)?;
        let ask = conversation.ask?;
        match &conversation.wait.stand {
            Stand::Asleep { .. } => None,
            Stand::Held { agent, .. } => {
                let open = self.line(&pool.asks.get(ask).queue).is_none_or(|line| line.open);
                let slot = self.slot(agent)?;
                let member = self.member(slot);
                let free = open && member.ready && member.has_room(self.class_bit(&conversation.class));
                free.then_some(Candidate { slot, eligible: 1 })
            }
            Stand::Open => {
                let lane = self.lane_of(ask, conversation.wait.steps).filter(|lane| lane.open)?;
                let agent = |place: u32| lane.agents[place as usize];
                let asked =
                    |place: u32| !conversation.cool_offs.contains_key(&self.member(agent(place)).name);
                let slot = agent(lane.free.first_that(asked)?);
                Some(Candidate { slot, eligible: lane.free.taken() })
            }
        }
    }

    /// Work that waits for this agent alone.
    pub(crate) fn held_for(&self, slot: Slot) -> Vec<Number> {
        self.member(slot).held.iter().map(|(key, _)| key.1).collect()
    }

    /// How many conversations of a class those who are ready for a queue carry at most; of all classes where none is named.
    pub(crate) fn staff(&self, line: &Line, class: Option<&str>) -> u32 {
        let at = class.and_then(|class| self.classes.binary_search_by(|known| (**known).cmp(class)).ok());
        match (class, at) {
            (Some(_), at) => at.map_or(0, |at| line.staff[at]),
            (None, _) => line.staff.iter().fold(0, |sum, staff| sum.saturating_add(*staff)),
        }
    }

    /// The bit of a class; 0 for one that no agent serves.
    pub(crate) fn class_bit(&self, class: &str) -> u64 {
        self.classes
            .binary_search_by(|known| (**known).cmp(class))
            .ok()
            .and_then(|at| 1_u64.checked_shl(at as u32))
            .unwrap_or(0)
    }

    /// How many lanes there are.
    #[cfg(test)]
    pub(crate) fn lanes(&self) -> usize {
        self.lanes.len()
    }

    fn line_or_new(&mut self, pool: &Pool, queue: &Text) -> u32 {
        if let Some(line) = self.queues.get(queue) {
            return *line;
        }
        let line = self.lines.len() as u32;
        self.lines.push(Line::new(queue, pool, self.classes.len()));
        self.queues.insert(queue.clone(), line);
        line
    }
}
