//! What supervisors do with everybody's conversations.

use crate::{
    decision::{Kind, Reason, Refusal},
    entry::{Presence, Target},
    state::{Number, Phase},
    step::Step,
    text::Text,
};

impl Step<'_> {
    /// Gives a conversation to an agent at once, or sends it to a queue or to certain skills.
    pub(crate) fn assign(
        &mut self,
        supervisor: &Text,
        conversation: &str,
        to: &Target,
    ) -> Result<(), Refusal> {
        self.supervises(supervisor)?;
        let number = self.movable(conversation)?;
        let reason = Reason::new("supervisor", format!("by {supervisor}"));
        match to {
            Target::Agent(agent) => {
                if self.conversation(number).phase.agent() == Some(agent) {
                    return Err(Refusal::TransferToSelf);
                }
                self.has_room_for(agent, number)?;
                self.take_from(number, to, &reason);
                self.give(number, agent, reason);
            }
            Target::Queue(_) | Target::Skills(_) => {
                let ask = self.asking(number, to)?;
                self.take_from(number, to, &reason);
                self.send_to(number, ask, reason);
            }
        }
        Ok(())
    }

    /// Takes a conversation over.
    pub(crate) fn pull(&mut self, supervisor: &Text, conversation: &str) -> Result<(), Refusal> {
        self.assign(supervisor, conversation, &Target::Agent(supervisor.clone()))
    }

    /// Takes part in an assigned conversation.
    pub(crate) fn join(&mut self, supervisor: &Text, conversation: &str) -> Result<(), Refusal> {
        self.supervises(supervisor)?;
        let number = self.open_id(conversation)?;
        match &self.conversation(number).phase {
            Phase::Assigned { agent, .. } if agent == supervisor => return Err(Refusal::AlreadyJoined),
            Phase::Assigned { .. } => {}
            _ => return Err(Refusal::ConversationNotAssigned),
        }
        if !self.conversation(number).joined.insert(supervisor.clone()) {
            return Err(Refusal::AlreadyJoined);
        }
        if let Some(state) = self.pool.agents.get_mut(supervisor) {
            state.joined.insert(number);
        }
        self.decide_on(number, Kind::SupervisorJoined { agent: supervisor.clone() }, Vec::new());
        Ok(())
    }

    pub(crate) fn leave_as_asked(&mut self, supervisor: &Text, conversation: &str) -> Result<(), Refusal> {
        let number = self.open_id(conversation)?;
        if !self.conversation(number).joined.contains(supervisor) {
            return Err(Refusal::NotJoined);
        }
        self.leave(number, supervisor);
        Ok(())
    }

    /// `supervisor` takes part in `number` no more.
    pub(crate) fn leave(&mut self, number: Number, supervisor: &Text) {
        if self.conversation(number).joined.remove(supervisor) {
            if let Some(state) = self.pool.agents.get_mut(supervisor) {
                state.joined.remove(&number);
            }
            self.decide_on(number, Kind::SupervisorLeft { agent: supervisor.clone() }, Vec::new());
        }
    }

    /// Nobody takes part in `number` any more.
    pub(crate) fn leave_all(&mut self, number: Number) {
        if !self.conversation(number).joined.is_empty() {
            for supervisor in self.conversation(number).joined.clone() {
                self.leave(number, &supervisor);
            }
        }
    }

    /// Puts a conversation before or behind others.
    pub(crate) fn prioritize(
        &mut self,
        supervisor: &Text,
        conversation: &str,
        priority: i32,
    ) -> Result<(), Refusal> {
        self.supervises(supervisor)?;
        let number = self.movable(conversation)?;
        let waits = self.conversation(number).phase == Phase::Waiting;
        if waits {
            self.rewait(number, |conversation| conversation.priority = priority);
        } else {
            self.conversation(number).priority = priority;
        }
        let place = waits.then(|| self.place(number));
        let kind = Kind::ConversationPrioritized { by: supervisor.clone(), priority, place };
        self.decide_on(number, kind, Vec::new());
        Ok(())
    }

    /// Changes somebody's presence.
    pub(crate) fn post(&mut self, supervisor: &Text, agent: &Text, to: Presence) -> Result<(), Refusal> {
        self.supervises(supervisor)?;
        let state = self.pool.agents.get(agent).ok_or(Refusal::UnknownAgent)?;
        // Nobody is put to work who is not there.
        if state.presence == Presence::Offline && to != Presence::Offline {
            return Err(Refusal::AgentOffline);
        }
        self.set_presence(agent, to, &Reason::new("supervisor", format!("by {supervisor}")));
        Ok(())
    }

    fn supervises(&self, agent: &Text) -> Result<(), Refusal> {
        let spec = self.pool.config.agents.get(agent);
        if spec.is_some_and(|spec| spec.supervisor) { Ok(()) } else { Err(Refusal::NotSupervisor) }
    }

    /// An open conversation that somebody is to answer.
    fn movable(&self, conversation: &str) -> Result<Number, Refusal> {
        let number = self.open_id(conversation)?;
        let asks = self.pool.conversations[&number].ask.is_some();
        if asks { Ok(number) } else { Err(Refusal::ConversationUnattended) }
    }

    /// Says that `number`, where somebody has it or it rings, goes elsewhere.
    fn take_from(&mut self, number: Number, to: &Target, reason: &Reason) {
        match self.conversation(number).phase.clone() {
            Phase::Reserved { reservation, agent, .. } => {
                let rescinded = Kind::ReservationRescinded { reservation, agent: agent.clone() };
                self.decide_on(number, rescinded, vec![reason.clone()]);
                self.cool_off(number, &agent);
            }
            Phase::Assigned { agent, .. } | Phase::WrapUp { agent, .. } => {
                self.cool_off(number, &agent);
                self.transferred(number, &agent, to);
            }
            Phase::Unassigned | Phase::Waiting => {}
        }
    }

    /// `number` is `agent`'s at once.
    fn give(&mut self, number: Number, agent: &Text, reason: Reason) {
        if self.advises(number, agent) {
            self.end_consult(number, "conversation_moved");
        }
        self.set_phase(number, Phase::Assigned { agent: agent.clone(), since: self.now });
        let queue = self.queue_of(number);
        self.decide_on(number, Kind::ConversationAssigned { agent: agent.clone(), queue }, vec![reason]);
    }
}
