//! Presence, and everything that happens by time.

use crate::{
    decision::{Kind, Reason},
    entry::Presence,
    state::{Number, Phase},
    step::Step,
    text::Text,
    timer::Timer,
};

impl Step<'_> {
    /// Changes an agent's presence; work the new presence does not allow goes back to its queue at once.
    pub(crate) fn set_presence(&mut self, agent: &Text, to: Presence, reason: &Reason) {
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.when_done = None;
        let from = std::mem::replace(&mut state.presence, to);
        if from == to {
            return;
        }
        let (work, consults) = (state.work.clone(), state.consults.clone());
        let joined = state.joined.clone();
        if to == Presence::Online {
            self.busied(agent);
        }
        self.touch(agent);
        self.decide(Kind::AgentPresenceChanged { agent: agent.clone(), from, to }, vec![reason.clone()]);
        if to != Presence::Online {
            self.release_held(agent);
            for number in &work {
                self.rescind(*number, reason.clone());
            }
            for number in &consults {
                self.stop_ringing(*number, agent);
            }
        }
        if to == Presence::Offline {
            self.forget_desk(agent);
            for number in consults {
                self.end_consult_of(number, agent);
            }
            for number in joined {
                self.leave(number, agent);
            }
            for number in work {
                match self.conversation(number).phase.clone() {
                    Phase::Assigned { .. } => self.requeue(number, reason.clone()),
                    Phase::WrapUp { wrap_up, .. } => self.close(number, wrap_up, reason.clone()),
                    Phase::Unassigned | Phase::Waiting | Phase::Reserved { .. } => {}
                }
            }
        }
    }

    /// Takes no more from now on, and has the presence wanted once the work in hand is done.
    pub(crate) fn set_presence_when_done(&mut self, agent: &Text, to: Presence, reason: &Reason) {
        let Some(state) = self.pool.agents.get(agent) else { return };
        if to == Presence::Online || state.presence == Presence::Offline {
            return self.set_presence(agent, to, reason);
        }
        self.set_presence(agent, Presence::Away, reason);
        if let Some(state) = self.pool.agents.get_mut(agent) {
            state.when_done = Some(to).filter(|to| *to != Presence::Away);
        }
        self.touch(agent);
    }

    /// Something was heard from the agent's desk: it is alive, and connected.
    pub(crate) fn heard(&mut self, agent: &Text) {
        let due = self.now.after(self.pool.config.liveness_seconds.max(1));
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.alive_until = Some(due);
        let grace = state.grace_until.take();
        let look_at = state.look_at;
        if look_at.is_none_or(|look_at| due < look_at) {
            state.look_at = Some(due);
            if let Some(old) = look_at {
                self.disarm(old, Timer::Liveness(agent.clone()));
            }
            self.arm(due, Timer::Liveness(agent.clone()));
        }
        if let Some(grace) = grace {
            self.disarm(grace, Timer::Grace(agent.clone()));
            self.touch(agent);
        }
    }

    /// The agent's desk is gone: what rings goes to others at once, what is assigned after a grace period.
    pub(crate) fn disconnected(&mut self, agent: &Text) {
        let due = self.now.after(self.pool.config.grace_seconds.max(1));
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        if state.presence == Presence::Offline || state.grace_until.is_some() {
            return;
        }
        state.grace_until = Some(due);
        let (work, consults) = (state.work.clone(), state.consults.clone());
        self.touch(agent);
        self.arm(due, Timer::Grace(agent.clone()));
        self.release_held(agent);
        for number in work {
            self.rescind(number, Reason::new("agent_disconnected", ""));
        }
        for number in consults {
            self.stop_ringing(number, agent);
        }
    }

    /// A timer, which is out of the index already.
    pub(crate) fn fire(&mut self, timer: &Timer) {
        match timer {
            Timer::Ring(number) => self.ring_out(*number),
            Timer::Consult(number) => self.consult_rang_out(*number),
            Timer::Wait(number) => self.waited(*number),
            Timer::WrapUp(number) => {
                if let Phase::WrapUp { wrap_up, .. } = self.conversation(*number).phase.clone() {
                    self.close(*number, wrap_up, Reason::new("wrap_up_time_over", ""));
                }
            }
            Timer::CoolOff(number, agent) => {
                self.conversation(*number).cool_offs.remove(agent);
                self.touch(agent);
            }
            Timer::Inactivity(number) => self.inactive(*number),
            Timer::Grace(agent) => {
                let reason = Reason::new("agent_disconnected", "grace period over");
                self.set_presence(agent, Presence::Offline, &reason);
            }
            Timer::Liveness(agent) => self.look_for_life(agent),
            Timer::Hours(queue) => self.hours(queue),
            Timer::Forget(contact) => {
                self.pool.contacts.remove(contact);
            }
        }
    }

    /// RONA: the agent does not answer, so they are not asked again until they say they are back.
    fn ring_out(&mut self, number: Number) {
        if let Phase::Reserved { reservation, agent, .. } = self.conversation(number).phase.clone() {
            let reason = Reason::new("reservation_timed_out", "");
            let timed_out = Kind::ReservationTimedOut { reservation, agent: agent.clone() };
            self.decide_on(number, timed_out, vec![reason.clone()]);
            self.wait_again(number);
            self.set_presence(&agent, Presence::Away, &reason);
            self.requeued(number, agent, reason);
        }
    }

    /// Whether an agent was heard of since their timer was set.
    fn look_for_life(&mut self, agent: &Text) {
        let now = self.now;
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.look_at = state.alive_until.filter(|until| *until > now);
        match state.look_at {
            Some(due) => self.arm(due, Timer::Liveness(agent.clone())),
            None => self.set_presence(agent, Presence::Offline, &Reason::new("agent_not_heard_of", "")),
        }
    }

    /// Whether nothing was said for long. Who still waits for an agent is not sent away.
    fn inactive(&mut self, number: Number) {
        let due = self.conversation(number).inactive_at;
        if due > self.now {
            return self.look_for_silence(number, due);
        }
        match &self.conversation(number).phase {
            Phase::Unassigned | Phase::Assigned { .. } => {
                self.close(number, None, Reason::new("inactivity", ""));
            }
            Phase::Waiting | Phase::Reserved { .. } | Phase::WrapUp { .. } => {
                let due = self.now.after(self.pool.config.inactivity_seconds.max(1));
                self.conversation(number).inactive_at = due;
                self.look_for_silence(number, due);
            }
        }
    }

    fn forget_desk(&mut self, agent: &Text) {
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.alive_until = None;
        let (look_at, grace) = (state.look_at.take(), state.grace_until.take());
        if let Some(due) = look_at {
            self.disarm(due, Timer::Liveness(agent.clone()));
        }
        if let Some(due) = grace {
            self.disarm(due, Timer::Grace(agent.clone()));
        }
    }
}
