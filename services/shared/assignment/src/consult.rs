//! Asking a colleague for advice. The colleague's capacity is held, and the conversation stays where it is.

use heliograph_domain::ids;

use crate::{
    ask::Profile,
    decision::{Kind, Purpose, Reason, Refusal},
    entry::Target,
    state::{Consult, Number, Phase},
    step::Step,
    text::Text,
    timer::Timer,
};

impl Step<'_> {
    pub(crate) fn consult(&mut self, agent: &Text, conversation: &str, to: &Target) -> Result<(), Refusal> {
        let number = self.assigned_to(agent, conversation)?;
        if self.conversation(number).consult.is_some() {
            return Err(Refusal::ConsultUnderWay);
        }
        let colleague = match to {
            Target::Agent(colleague) if colleague == agent => return Err(Refusal::TransferToSelf),
            Target::Agent(colleague) => {
                self.has_room_for(colleague, number)?;
                colleague.clone()
            }
            Target::Queue(_) | Target::Skills(_) => {
                let ask = self.asking(number, to)?;
                let profile = Profile::new(&ask, &self.spec(&ask.queue), 0);
                self.best_adviser(agent, number, &profile).ok_or(Refusal::TargetUnavailable)?
            }
        };
        let expires_at = self.now.after(self.pool.config.ring_seconds(&self.queue_of(number)));
        let reservation = self.make_id(ids::RESERVATION);
        let ringing = Some((reservation.clone(), expires_at));
        self.conversation(number).consult =
            Some(Consult { agent: colleague.clone(), by: agent.clone(), ringing });
        self.index.reservations.insert(reservation.clone(), number);
        self.arm(expires_at, Timer::Consult(number));
        self.burden(number, &colleague);
        let queue = self.queue_of(number);
        let created = Kind::ReservationCreated {
            reservation,
            agent: colleague.clone(),
            queue,
            expires_at,
            choice: None,
            purpose: Purpose::Consult,
        };
        self.decide_on(number, created, vec![Reason::new("consult", format!("asked by {agent}"))]);
        if self.pool.config.agents.get(&colleague).is_some_and(|spec| spec.auto_accept) {
            self.consult_joined(number);
        }
        Ok(())
    }

    /// Of those who suit `profile` and have room now, the best in what it prefers, then the longest idle.
    fn best_adviser(&self, but: &Text, number: Number, profile: &Profile) -> Option<Text> {
        let agents = self.pool.config.agents.iter();
        agents
            .filter(|(name, spec)| {
                *name != but && profile.suits(spec) && self.has_room_for(name, number).is_ok()
            })
            .min_by_key(|(name, spec)| {
                (std::cmp::Reverse(spec.score(&profile.preferred)), self.pool.agents[&**name].idle_rank)
            })
            .map(|(name, _)| name.clone())
    }

    /// Whether the reservation is that of the conversation's consultation.
    pub(crate) fn consult_rings(&self, number: Number, reservation: &str) -> bool {
        let consult = self.pool.conversations[&number].consult.as_ref();
        let ringing = consult.and_then(|consult| consult.ringing.as_ref());
        ringing.is_some_and(|(rings, _)| **rings == *reservation)
    }

    /// Whether `agent` advises on `number`, and not only is asked to.
    pub(crate) fn advises(&self, number: Number, agent: &Text) -> bool {
        let consult = self.pool.conversations[&number].consult.as_ref();
        consult.is_some_and(|consult| consult.agent == *agent && consult.ringing.is_none())
    }

    /// The colleague takes the consultation on.
    pub(crate) fn consult_joined(&mut self, number: Number) {
        let Some(consult) = self.conversation(number).consult.as_mut() else { return };
        let (agent, by) = (consult.agent.clone(), consult.by.clone());
        let Some((reservation, expires_at)) = consult.ringing.take() else { return };
        self.index.reservations.remove(&reservation);
        self.disarm(expires_at, Timer::Consult(number));
        self.decide_on(number, Kind::ReservationAccepted { reservation, agent: agent.clone() }, Vec::new());
        self.decide_on(number, Kind::ConsultStarted { agent, by }, Vec::new());
    }

    /// Either side ends the consultation.
    pub(crate) fn finish_consult(&mut self, agent: &Text, conversation: &str) -> Result<(), Refusal> {
        let number = self.open_id(conversation)?;
        let consult = self.conversation(number).consult.clone().ok_or(Refusal::NoConsult)?;
        if consult.agent != *agent && consult.by != *agent {
            return Err(Refusal::ConversationOfAnother);
        }
        self.end_consult(number, "agent_request");
        Ok(())
    }

    /// The consultation of `number` is over, if there is one.
    pub(crate) fn end_consult(&mut self, number: Number, why: &'static str) {
        let Some(Consult { agent, by, ringing }) = self.conversation(number).consult.take() else { return };
        if let Some((reservation, expires_at)) = ringing {
            self.index.reservations.remove(&reservation);
            self.disarm(expires_at, Timer::Consult(number));
            if why != "reservation_rejected" && why != "reservation_timed_out" {
                let rescinded = Kind::ReservationRescinded { reservation, agent: agent.clone() };
                self.decide_on(number, rescinded, vec![Reason::new(why, "")]);
            }
        }
        self.unburden(number, &agent);
        self.decide_on(number, Kind::ConsultEnded { agent, by }, vec![Reason::new(why, "")]);
    }

    /// The same, if `agent` is the one who advises or is asked to.
    pub(crate) fn end_consult_of(&mut self, number: Number, agent: &Text) {
        let consult = self.conversation(number).consult.as_ref();
        if consult.is_some_and(|consult| consult.agent == *agent) {
            self.end_consult(number, "agent_gone");
        }
    }

    /// The same, if it only rings at `agent`.
    pub(crate) fn stop_ringing(&mut self, number: Number, agent: &Text) {
        let consult = self.conversation(number).consult.as_ref();
        if consult.is_some_and(|consult| consult.agent == *agent && consult.ringing.is_some()) {
            self.end_consult(number, "agent_gone");
        }
    }

    /// The colleague does not answer: RONA, as for any other offer.
    pub(crate) fn consult_rang_out(&mut self, number: Number) {
        let Some(consult) = self.conversation(number).consult.clone() else { return };
        let Some((reservation, _)) = consult.ringing else { return };
        let reason = Reason::new("reservation_timed_out", "");
        let timed_out = Kind::ReservationTimedOut { reservation, agent: consult.agent.clone() };
        self.decide_on(number, timed_out, vec![reason.clone()]);
        self.end_consult(number, "reservation_timed_out");
        self.set_presence(&consult.agent, crate::entry::Presence::Away, &reason);
    }

    /// The conversation becomes the adviser's, who has the capacity for it in hand already.
    pub(crate) fn hand_to_adviser(&mut self, number: Number) {
        let Some(Consult { agent, by, .. }) = self.conversation(number).consult.take() else { return };
        self.unburden(number, &agent);
        self.decide_on(
            number,
            Kind::ConsultEnded { agent: agent.clone(), by },
            vec![Reason::new("transfer", "")],
        );
        self.set_phase(number, Phase::Assigned { agent: agent.clone(), since: self.now });
        let queue = self.queue_of(number);
        let reason = Reason::new("consult", "passed on to the colleague who advised");
        self.decide_on(number, Kind::ConversationAssigned { agent, queue }, vec![reason]);
    }

    /// `agent` advises on `number`, and has the less room for it.
    fn burden(&mut self, number: Number, agent: &Text) {
        let class = self.conversation(number).class.clone();
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.consults.insert(number);
        *state.used.entry(class).or_default() += 1;
        self.busied(agent);
    }

    fn unburden(&mut self, number: Number, agent: &Text) {
        let class = self.conversation(number).class.clone();
        let Some(state) = self.pool.agents.get_mut(agent) else { return };
        state.consults.remove(&number);
        state.give_back(&class);
        self.busied(agent);
    }
}
