//! One entry being applied to one pool: the tools every rule uses.

use std::{collections::BTreeSet, sync::Arc};

use heliograph_domain::ids;

use crate::{
    decision::{ConversationRef, Decision, Kind, Place, Reason},
    index::Index,
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
    pub(crate) touched: BTreeSet<Text>,
    /// Work that began to wait.
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
    pub(crate) fn decide_about(
        &mut self,
        conversation: Option<Arc<ConversationRef>>,
        kind: Kind,
        reasons: Vec<Reason>,
    ) {
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

    /// Puts `number` into `phase`, keeping indexes, timers and the agents' workloads in step.
    pub(crate) fn set_phase(&mut self, number: Number, phase: Phase) -> Phase {
        let old = std::mem::replace(&mut self.conversation(number).phase, phase.clone());
        let (class, carrier) = (self.conversation(number).profile.class.clone(), phase.agent().cloned());
        match &old {
            Phase::Waiting => self.index.unwait(number, &self.pool.conversations[&number]),
            Phase::Reserved { reservation, expires_at, .. } => {
                self.index.reservations.remove(reservation);
                self.disarm(*expires_at, Timer::Ring(number));
            }
            Phase::WrapUp { ends_at, .. } => self.disarm(*ends_at, Timer::WrapUp(number)),
            Phase::Unassigned | Phase::Assigned { .. } => {}
        }
        if old.agent() != carrier.as_ref() {
            self.unload(old.agent(), number, &class);
            self.load(carrier.as_ref(), number, &class);
        }
        match phase {
            Phase::Waiting => {
                self.index.wait(self.pool, number, &self.pool.conversations[&number]);
                self.returned.push(number);
            }
            Phase::Reserved { reservation, expires_at, .. } => {
                self.index.reservations.insert(reservation, number);
                self.arm(expires_at, Timer::Ring(number));
            }
            Phase::WrapUp { ends_at, .. } => self.arm(ends_at, Timer::WrapUp(number)),
            Phase::Unassigned | Phase::Assigned { .. } => {}
        }
        old
    }

    /// Closes `number`: it leaves the state.
    pub(crate) fn close(&mut self, number: Number, wrap_up: Option<Text>, reason: Reason) {
        let agent = self.set_phase(number, Phase::Unassigned).agent().cloned();
        self.decide_on(number, Kind::ConversationClosed { agent, wrap_up }, vec![reason]);
        let Some(closed) = self.pool.conversations.remove(&number) else { return };
        self.disarm(closed.inactive_at, Timer::Inactivity(number));
        for (agent, until) in closed.cool_offs {
            self.disarm(until, Timer::CoolOff(number, agent));
        }
        self.index.by_id.remove(&closed.about.id);
        let contact = &closed.about.contact;
        if let Some(memory) = self.pool.contacts.get_mut(contact) {
            memory.open.remove(&closed.about.scope);
            if memory.open.is_empty() {
                let due = self.now.after(FORGET_SECONDS);
                memory.forget_at = Some(due);
                self.arm(due, Timer::Forget(contact.clone()));
            }
        }
    }

    /// Where `number`, which waits, stands.
    pub(crate) fn place(&self, number: Number) -> Place {
        let conversation = &self.pool.conversations[&number];
        let queue = conversation.profile.queue.clone();
        Place {
            position: self.index.position(&queue, conversation.key(number)),
            waiting: self.index.waiting(&queue),
            no_agent_online: self.index.ready(&queue) == 0,
            queue,
            estimated_wait: None,
            opens_at: None,
        }
    }

    fn load(&mut self, agent: Option<&Text>, number: Number, class: &Text) {
        let Some(name) = agent else { return };
        let Some(state) = self.pool.agents.get_mut(name) else { return };
        state.work.insert(number);
        *state.used.entry(class.clone()).or_default() += 1;
        state.idle_since = self.now;
        self.touched.insert(name.clone());
    }

    fn unload(&mut self, agent: Option<&Text>, number: Number, class: &Text) {
        let Some(name) = agent else { return };
        let Some(state) = self.pool.agents.get_mut(name) else { return };
        state.work.remove(&number);
        if let Some(used) = state.used.get_mut(class) {
            *used -= 1;
            if *used == 0 {
                state.used.remove(class);
            }
        }
        state.idle_since = self.now;
        self.touched.insert(name.clone());
    }
}
