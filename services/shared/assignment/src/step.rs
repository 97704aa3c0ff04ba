//! One entry being applied to one pool: the tools every rule uses.

use std::{collections::BTreeSet, sync::Arc};

use heliograph_domain::ids;

use crate::{
    decision::{ConversationRef, Decision, Kind, Reason},
    index::{Index, Slot},
    state::{Conversation, Number, Phase, Pool},
    text::{Position, Text, Timestamp},
    timer::{Timer, Timers},
};

/// A contact without an open conversation is forgotten after so long: nothing older can come again, because
/// the logs it would come from keep a week.
const FORGET_SECONDS: u32 = 8 * 24 * 3_600;

/// See the module.
pub(crate) struct Step<'a> {
    pub(crate) tenant: Text,
    pub(crate) pool: &'a mut Pool,
    pub(crate) index: &'a mut Index,
    pub(crate) timers: &'a mut Timers,
    pub(crate) now: Timestamp,
    pub(crate) position: Position,
    /// Ids made from this entry so far.
    pub(crate) made: &'a mut u32,
    pub(crate) decisions: &'a mut Vec<Decision>,
    /// Agents whose presence or workload changed.
    pub(crate) touched: BTreeSet<Slot>,
    /// Work that began to wait, or that others may take now.
    pub(crate) returned: Vec<Number>,
}

impl Step<'_> {
    /// The next id of this entry.
    pub(crate) fn make_id(&mut self, prefix: &str) -> Text {
        let index = *self.made;
        *self.made += 1;
        let Position { partition, sequence } = self.position;
        ids::derive(prefix, &[&partition.to_string(), &sequence.to_string(), &index.to_string()]).into()
    }

    /// A decision about no conversation.
    pub(crate) fn decide(&mut self, kind: Kind, reasons: Vec<Reason>) {
        self.decide_about(None, kind, reasons);
    }

    /// A decision about the open conversation `number`.
    pub(crate) fn decide_on(&mut self, number: Number, kind: Kind, reasons: Vec<Reason>) {
        let about = self.pool.conversations.get(&number).map(|conversation| conversation.about.clone());
        self.decide_about(about, kind, reasons);
    }

    /// A decision; its index is given when the entry is done.
    fn decide_about(&mut self, conversation: Option<Arc<ConversationRef>>, kind: Kind, reasons: Vec<Reason>) {
        self.decisions.push(Decision { index: 0, tenant: self.tenant.clone(), conversation, kind, reasons });
    }

    pub(crate) fn arm(&mut self, due: Timestamp, timer: Timer) {
        self.timers.insert((due, self.tenant.clone(), timer));
    }

    pub(crate) fn disarm(&mut self, due: Timestamp, timer: Timer) {
        self.timers.remove(&(due, self.tenant.clone(), timer));
    }

    /// The open conversation `number`.
    pub(crate) fn conversation(&mut self, number: Number) -> &mut Conversation {
        self.pool
            .conversations
            .get_mut(&number)
            .expect("numbers held by agents, contacts and indexes are open")
    }

    /// Notes that an agent's presence or workload changed: what is decided next must know.
    pub(crate) fn touch(&mut self, agent: &str) {
        if let Some(slot) = self.index.slot(agent) {
            self.index.refresh(self.pool, slot);
            self.touched.insert(slot);
        }
    }

    /// Puts `number` into `phase`, keeping indexes, timers and the agents' workloads in step.
    ///
    /// Whoever advised or took part leaves with the agent: they were there for the agent's conversation.
    pub(crate) fn set_phase(&mut self, number: Number, phase: Phase) -> Phase {
        let carrier = phase.agent().cloned();
        let waits = phase == Phase::Waiting;
        if let Phase::Assigned { agent, .. } = &self.conversation(number).phase
            && !matches!(&phase, Phase::Assigned { agent: next, .. } if next == agent)
        {
            self.end_consult(number, "conversation_moved");
            self.leave_all(number);
        }
        if self.conversation(number).phase == Phase::Waiting {
            self.disarm_wait(number);
            let conversation = &self.pool.conversations[&number];
            self.index.unwait(self.pool, number, conversation);
        }
        let armed = match &phase {
            Phase::Reserved { reservation, expires_at, .. } => {
                self.index.reservations.insert(reservation.clone(), number);
                Some((*expires_at, Timer::Ring(number)))
            }
            Phase::WrapUp { ends_at, .. } => Some((*ends_at, Timer::WrapUp(number))),
            Phase::Unassigned | Phase::Waiting | Phase::Assigned { .. } => None,
        };
        let old = std::mem::replace(&mut self.conversation(number).phase, phase);
        match &old {
            Phase::Reserved { reservation, expires_at, .. } => {
                self.index.reservations.remove(reservation);
                self.disarm(*expires_at, Timer::Ring(number));
            }
            Phase::WrapUp { ends_at, .. } => self.disarm(*ends_at, Timer::WrapUp(number)),
            Phase::Unassigned | Phase::Waiting | Phase::Assigned { .. } => {}
        }
        if let Some((due, timer)) = armed {
            self.arm(due, timer);
        }
        if old.agent() != carrier.as_ref() {
            if let Some(agent) = old.agent() {
                self.unload(agent, number);
            }
            if let Some(agent) = &carrier {
                self.load(agent, number);
            }
        }
        if waits {
            let conversation = &self.pool.conversations[&number];
            self.index.wait(self.pool, number, conversation);
            self.arm_wait(number);
            self.returned.push(number);
        }
        old
    }

    /// Closes `number`: it leaves the state.
    pub(crate) fn close(&mut self, number: Number, wrap_up: Option<Text>, reason: Reason) {
        let old = self.set_phase(number, Phase::Unassigned);
        let agent = old.agent().cloned();
        self.decide_on(number, Kind::ConversationClosed { agent: agent.clone(), wrap_up }, vec![reason]);
        let Some(closed) = self.pool.conversations.remove(&number) else { return };
        self.disarm(closed.look_at, Timer::Inactivity(number));
        for (agent, until) in closed.cool_offs {
            self.disarm(until, Timer::CoolOff(number, agent));
        }
        self.index.by_id.remove(&closed.about.id);
        let answered = match &old {
            Phase::Assigned { agent, since } | Phase::WrapUp { agent, since, .. } => Some((agent, *since)),
            Phase::Unassigned | Phase::Waiting | Phase::Reserved { .. } => None,
        };
        if let Some(ask) = closed.ask {
            if let Some((_, since)) = answered {
                let queue = self.pool.asks.get(ask).queue.clone();
                self.handled(&queue, since);
            }
            self.pool.asks.release(ask);
        }
        let contact = &closed.about.contact;
        let now = self.now;
        if let Some(memory) = self.pool.contacts.get_mut(contact) {
            if let Some((agent, _)) = answered {
                memory.last_agent = Some((agent.clone(), now));
            }
            memory.open.remove(&closed.about.scope);
            if memory.open.is_empty() {
                let due = now.after(FORGET_SECONDS);
                memory.forget_at = Some(due);
                self.arm(due, Timer::Forget(contact.clone()));
            }
        }
    }

    /// `agent` carries `number`.
    pub(crate) fn load(&mut self, agent: &Text, number: Number) {
        let class = self.conversation(number).class.clone();
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.work.insert(number);
        *state.used.entry(class).or_default() += 1;
        self.busied(agent);
    }

    /// `agent` carries `number` no more.
    pub(crate) fn unload(&mut self, agent: &Text, number: Number) {
        let class = self.conversation(number).class.clone();
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.work.remove(&number);
        state.give_back(&class);
        self.busied(agent);
    }

    /// An agent's workload changed: they begin to be idle anew.
    pub(crate) fn busied(&mut self, agent: &Text) {
        let (now, rank) = (self.now, self.pool.idle_rank);
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.idle_since = now;
        state.idle_rank = rank;
        self.pool.idle_rank += 1;
        self.touch(agent);
    }
}
