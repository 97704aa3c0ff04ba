//! What the engine decided, and what people do about it.

use heliograph_assignment::{Decision, Kind, Place, Presence, Purpose, Text, Timestamp};

use super::{
    Run,
    agenda::Event,
    customer::{Leg, Stage},
};
use crate::{
    arrivals::{as_number, whole},
    plan::EPOCH,
};

impl Run<'_> {
    /// Does what follows from a decision.
    pub(super) fn follow(&mut self, decision: &Decision) {
        match &decision.kind {
            Kind::AgentPresenceChanged { agent, to, .. } => return self.presence_changed(agent, *to),
            Kind::CommandRefused { code, .. } => return self.recorder.refused(code),
            _ => {}
        }
        let Some(about) = &decision.conversation else { return };
        let Ok(place) = about.address.user.parse::<usize>() else { return };
        let Some(customer) = self.customers.at(place) else { return };
        match &decision.kind {
            Kind::ConversationOpened { .. } => customer.conversation = Some(about.id.clone()),
            Kind::ConversationQueued { place: stands, .. } => self.wait(place, stands),
            Kind::ReservationCreated {
                reservation,
                agent,
                purpose: Purpose::Work | Purpose::Callback,
                ..
            } => {
                customer.offer = Some(reservation.clone());
                self.ring(place, number(agent), reservation);
            }
            Kind::ReservationRejected { .. } => {
                self.recorder.rejected(&customer.leg, customer.holder.map(|agent| self.agents[agent].group));
                self.hold(place, None);
            }
            Kind::ReservationTimedOut { .. } => {
                self.recorder.rang_out(&customer.leg, customer.holder.map(|agent| self.agents[agent].group));
                self.hold(place, None);
            }
            Kind::ReservationRescinded { .. } => self.hold(place, None),
            Kind::ConversationAssigned { agent, .. } => self.assigned(place, number(agent)),
            Kind::ConversationTransferred { .. } => customer.leg.handed_over = true,
            Kind::ConversationRequeued { place: stands, .. } => self.requeued(place, stands),
            Kind::ConversationRelaxed { .. } => self.recorder.relaxed(&mut customer.leg),
            Kind::ConversationOverflowed { place: stands, .. } => self.overflowed(place, stands),
            Kind::CallbackScheduled { .. } if customer.stage == Stage::Waiting => {
                customer.stage = Stage::Callback;
                self.recorder.callback(self.now, &customer.leg);
            }
            Kind::WrapUpStarted { ends_at, .. } => self.wraps_up(place, *ends_at),
            Kind::ConversationClosed { .. } => {
                let left = decision.reasons.iter().any(|reason| reason.code == "customer_left");
                self.closed(place, left);
            }
            _ => {}
        }
    }

    fn presence_changed(&mut self, agent: &Text, to: Presence) {
        let Some(index) = number(agent) else { return };
        self.agents[index].presence = to;
        self.staff(index);
        // Nobody who is at work goes away of their own will: they let an offer ring out.
        if to == Presence::Away && self.agents[index].on_shift {
            let group = self.agents[index].group;
            let away = self.plan.scenario.agents[group].back_after.draw(&mut self.answers[group]);
            self.agenda.plan(self.now + whole(away).max(1), Event::Back { agent: index });
        }
    }

    /// A customer waits in a queue.
    fn wait(&mut self, place: usize, stands: &Place) {
        let (Some(queue), Some(customer)) = (self.plan.queue(&stands.queue), self.customers.at(place)) else {
            return;
        };
        let leg = &mut customer.leg;
        leg.number += 1;
        (leg.queue, leg.since, leg.told) = (queue, self.now, stands.estimated_wait);
        (leg.relaxed, leg.again, leg.handed_over) = (false, false, false);
        customer.stage = Stage::Waiting;
        self.recorder.offered(leg);
        self.fresh.push(place);
        let (work, visit) = (customer.work, customer.visit(place));
        let wish = self.plan.scenario.work[work].callback;
        if let (Some(wish), Some(told)) = (wish, stands.estimated_wait)
            && self.plan.config.queues.get(&stands.queue).is_some_and(|queue| queue.callback)
            && u64::from(told) * 1_000 >= wish.over.as_millis()
            && self.random[work].habits.uniform() < wish.share.get()
        {
            self.agenda.plan_now(Event::AskCallback { visit });
        }
    }

    /// It rings at an agent, who answers, turns it down or lets it ring.
    fn ring(&mut self, place: usize, agent: Option<usize>, reservation: &Text) {
        self.hold(place, agent);
        let (Some(agent), Some(customer)) = (agent, self.customers.at(place)) else { return };
        let visit = customer.visit(place);
        let group = self.agents[agent].group;
        let (habits, random) = (&self.plan.scenario.agents[group], &mut self.answers[group]);
        let (rejects, misses) = (habits.rejects.get(), habits.misses.get());
        let lot = if rejects + misses > 0.0 { random.uniform() } else { 1.0 };
        let after = habits.answers_after.as_ref().map(|after| whole(after.draw(random)));
        if lot < misses {
            return;
        }
        let event = Event::Answer { visit, reservation: reservation.clone(), reject: lot < misses + rejects };
        match after {
            Some(after) if after > 0 => self.agenda.plan(self.now + after, event),
            _ => self.agenda.plan_now(event),
        }
    }

    /// An agent has the customer: the wait is over and the work begins.
    fn assigned(&mut self, place: usize, agent: Option<usize>) {
        self.hold(place, agent);
        let (Some(agent), Some(customer)) = (agent, self.customers.at(place)) else { return };
        let group = self.agents[agent].group;
        customer.offer = None;
        match customer.stage {
            Stage::Waiting => self.recorder.answered(self.now, &customer.leg, group),
            Stage::Callback => self.recorder.called_back(self.now, &customer.leg, group),
            Stage::Served | Stage::WrappedUp => {}
        }
        customer.stage = Stage::Served;
        customer.services += 1;
        let (length, speed) = match &self.plan.scenario.agents[group].service {
            Some(own) => (own.draw(&mut self.answers[group]), 1.0),
            None => (customer.work_left, self.plan.groups[group].speed[customer.work]),
        };
        customer.served = (self.now, speed);
        let event = Event::Served { visit: customer.visit(place), service: customer.services };
        self.agenda.plan(self.now + whole(length / speed), event);
    }

    /// A customer waits again: the offer came to nothing, the agent is gone, or somebody else is to go on.
    fn requeued(&mut self, place: usize, stands: &Place) {
        self.hold(place, None);
        let now = self.now;
        let Some(customer) = self.customers.at(place) else { return };
        if customer.leg.handed_over {
            return self.wait(place, stands);
        }
        if customer.stage == Stage::Served {
            let (since, speed) = customer.served;
            customer.work_left = (customer.work_left - as_number(now - since) * speed).max(0.0);
            customer.stage = Stage::Waiting;
            customer.leg.again = true;
            self.recorder.waits_again(now, &customer.leg);
        }
    }

    fn overflowed(&mut self, place: usize, stands: &Place) {
        let Some(customer) = self.customers.at(place) else { return };
        if customer.leg.number == 0 {
            return self.wait(place, stands);
        }
        if let Some(to) = self.plan.queue(&stands.queue) {
            let waits = customer.stage == Stage::Waiting;
            self.recorder.overflowed(self.now, &mut customer.leg, to, waits);
        }
    }

    fn wraps_up(&mut self, place: usize, ends_at: Timestamp) {
        let Some(customer) = self.customers.at(place) else { return };
        customer.stage = Stage::WrappedUp;
        let event = Event::WrappedUp { visit: customer.visit(place) };
        if let Some(at) =
            customer.wrap_up.map(|wrap_up| self.now + whole(wrap_up)).filter(|at| *at < ends_at.0 - EPOCH)
        {
            self.agenda.plan(at, event);
        }
    }

    fn closed(&mut self, place: usize, left: bool) {
        self.hold(place, None);
        let Some(customer) = self.customers.at(place) else { return };
        match customer.stage {
            Stage::Waiting if customer.leg.number == 0 => {
                // The queue was closed: the wait was over before it began.
                let queue = self.plan.queue(&self.plan.work[customer.work].queue).unwrap_or_default();
                customer.leg = Leg { queue, since: self.now, ..Leg::default() };
                self.recorder.offered(&customer.leg);
                self.recorder.turned_away(self.now, &customer.leg);
            }
            Stage::Waiting if left => self.recorder.abandoned(self.now, &customer.leg),
            Stage::Waiting => self.recorder.turned_away(self.now, &customer.leg),
            Stage::Callback | Stage::Served | Stage::WrappedUp => {}
        }
        self.customers.go(place);
    }

    /// The customer takes capacity of `agent`, or of nobody, from now on.
    fn hold(&mut self, place: usize, agent: Option<usize>) {
        let Some(customer) = self.customers.at(place) else { return };
        let before = std::mem::replace(&mut customer.holder, agent);
        if agent.is_none() {
            customer.offer = None;
        }
        if before == agent {
            return;
        }
        let class = self.plan.work[customer.work].class;
        for (agent, sign) in [(before, -1.0), (agent, 1.0)] {
            let Some(agent) = agent else { continue };
            let share = self.plan.groups[self.agents[agent].group].share[class] * sign;
            let busy = self.agents[agent].busy + share;
            // Shares such as a third do not add up to nothing by themselves.
            self.agents[agent].busy = if busy.abs() < 1e-9 { 0.0 } else { busy };
            self.recorder.busy(self.now, self.agents[agent].group, share);
            self.staff(agent);
        }
    }

    /// Brings up to date how much of an agent is there: all of one who is online, of others what is busy.
    fn staff(&mut self, agent: usize) {
        let Self { agents, recorder, now, .. } = self;
        let agent = &mut agents[agent];
        let there = if agent.presence == Presence::Online { 1.0 } else { agent.busy };
        let more = there - agent.there;
        if more != 0.0 {
            agent.there = there;
            recorder.staffed(*now, agent.group, more);
        }
    }
}

/// An agent's number, which stands at the end of the name.
fn number(agent: &str) -> Option<usize> {
    agent.rsplit('-').next()?.parse().ok()
}
