//! What customers and agents do.

use heliograph_assignment::{
    Abandon, Action, Address, Callback, Command, Entry, Inbound, Presence, Target, Text,
};

use super::{
    Run,
    agenda::Event,
    customer::{Customer, Leg, Stage, Visit},
};
use crate::arrivals::whole;

/// An agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    pub(super) name: Text,
    pub(super) group: usize,
    pub(super) presence: Presence,
    pub(super) on_shift: bool,
    /// What they carry, as a share of what they can.
    pub(super) busy: f64,
    /// How much of them is there: all of one who is online, of others what is busy.
    pub(super) there: f64,
}

impl Agent {
    pub(super) fn new(name: &Text, group: usize) -> Self {
        Self {
            name: name.clone(),
            group,
            presence: Presence::Offline,
            on_shift: false,
            busy: 0.0,
            there: 0.0,
        }
    }
}

impl Run<'_> {
    /// Plans the next arrival of a kind of work.
    pub(super) fn expect(&mut self, work: usize) {
        if let Some(at) = self.arrivals[work].next(&mut self.random[work].arrivals) {
            self.agenda.plan(at, Event::Arrive { work });
        }
    }

    /// A customer comes, and writes.
    pub(super) fn arrive(&mut self, work: usize) {
        self.expect(work);
        let (plan, random) = (self.plan, &mut self.random[work]);
        let asked = &plan.scenario.work[work];
        let work_left = asked.service.draw(&mut random.service);
        let patience = asked.patience.as_ref().map(|patience| patience.draw(&mut random.patience));
        let wrap_up = asked.wrap_up.as_ref().map(|wrap_up| wrap_up.draw(&mut random.wrap_up));
        let returns = asked.returning.get() > 0.0 && random.habits.uniform() < asked.returning.get();
        let contact = returns.then(|| self.customers.returns(&mut random.habits)).flatten();
        let place = self.customers.come(contact, |serial, contact, user| Customer {
            serial,
            work,
            contact,
            user,
            conversation: None,
            stage: Stage::Waiting,
            holder: None,
            offer: None,
            leg: Leg::default(),
            work_left,
            patience,
            wrap_up,
            served: (0, 1.0),
            services: 0,
        });
        self.recorder.came(self.now, work, work_left);
        let Some(customer) = self.customers.at(place) else { return };
        let wanted = &plan.work[work];
        let inbound = Inbound {
            tenant: self.tenant.clone(),
            contact: customer.contact.clone(),
            scope: self.scope.clone(),
            message_id: customer.serial.to_string().into(),
            address: Address {
                channel: wanted.channel.clone(),
                account: self.scope.clone(),
                user: customer.user.clone(),
                region: None,
            },
            queue: wanted.queue.clone(),
            required: wanted.required.clone(),
            preferred: wanted.preferred.clone(),
            priority: asked.priority.into(),
            no_sticky: !asked.sticky,
            language: None,
            policy_allowed: true,
            unattended: false,
            policy_reasons: Vec::new(),
            at_provider: None,
        };
        self.apply(&Entry::Inbound(inbound));
    }

    /// Those who began to wait at this moment and were not taken at once: their patience runs from now.
    pub(super) fn lose_patience(&mut self) {
        while let Some(place) = self.fresh.pop() {
            let Some(customer) = self.customers.at(place) else { continue };
            if customer.stage != Stage::Waiting {
                continue;
            }
            if customer.holder.is_none() {
                self.recorder.delayed(&customer.leg);
            } else {
                // It rings already: what they were told of a wait for an agent is not what they wait for.
                customer.leg.told = None;
            }
            if let Some(patience) = customer.patience {
                let event = Event::Leave { visit: customer.visit(place), leg: customer.leg.number };
                self.agenda.plan(customer.leg.since + whole(patience), event);
            }
        }
    }

    /// A customer's patience is at its end.
    pub(super) fn leave(&mut self, visit: Visit, leg: u32) {
        let Some(customer) = self.customers.of(visit) else { return };
        if customer.stage != Stage::Waiting || customer.leg.number != leg {
            return;
        }
        let abandon = Abandon {
            tenant: self.tenant.clone(),
            contact: customer.contact.clone(),
            scope: self.scope.clone(),
            command_id: format!("leave-{}", customer.serial).into(),
        };
        self.apply(&Entry::Abandon(abandon));
    }

    /// A customer would rather be called back.
    pub(super) fn ask_callback(&mut self, visit: Visit) {
        let Some(customer) = self.customers.of(visit) else { return };
        if customer.stage != Stage::Waiting || customer.holder.is_some() {
            return;
        }
        let callback = Callback {
            tenant: self.tenant.clone(),
            contact: customer.contact.clone(),
            scope: self.scope.clone(),
            command_id: format!("callback-{}", customer.serial).into(),
            address: None,
            not_before: None,
            cancel: false,
        };
        self.apply(&Entry::Callback(callback));
    }

    /// An agent answers an offer or turns it down, if it still rings.
    pub(super) fn answer(&mut self, visit: Visit, reservation: Text, reject: bool) {
        let Some(customer) = self.customers.of(visit) else { return };
        let Some(agent) = customer.holder.filter(|_| customer.offer.as_ref() == Some(&reservation)) else {
            return;
        };
        let action = if reject {
            Action::Reject { reservation, reason: None }
        } else {
            Action::Accept { reservation }
        };
        self.command(agent, action);
    }

    /// An agent is done with a customer: closes, or hands over.
    pub(super) fn served(&mut self, visit: Visit, service: u32) {
        let Some(customer) = self.customers.of(visit) else { return };
        let (Some(agent), Some(conversation)) = (customer.holder, customer.conversation.clone()) else {
            return;
        };
        if customer.stage != Stage::Served || customer.services != service {
            return;
        }
        customer.work_left = 0.0;
        let group = self.agents[agent].group;
        let over = self.plan.scenario.agents[group].hands_over.as_ref();
        let handed = over.filter(|over| self.answers[group].uniform() < over.share.get());
        let action = match handed {
            Some(over) => {
                // What the next agent has to do for them is drawn anew.
                let work = customer.work;
                let service = &self.plan.scenario.work[work].service;
                customer.work_left = service.draw(&mut self.random[work].habits);
                Action::Transfer { conversation, to: Target::Queue(over.to.as_str().into()) }
            }
            None => Action::Close { conversation, wrap_up: None },
        };
        self.command(agent, action);
    }

    /// An agent has wrapped up.
    pub(super) fn wrapped_up(&mut self, visit: Visit) {
        let Some(customer) = self.customers.of(visit) else { return };
        let (Some(agent), Some(conversation)) = (customer.holder, customer.conversation.clone()) else {
            return;
        };
        if customer.stage == Stage::WrappedUp {
            self.command(agent, Action::FinishWrapUp { conversation, wrap_up: None });
        }
    }

    /// An agent begins, if their shift has.
    pub(super) fn sign_on(&mut self, agent: usize) {
        let shifts = self.plan.groups[self.agents[agent].group].shifts.as_ref();
        if let Some(next) = shifts.and_then(|shifts| shifts.changes_after(self.now)) {
            self.agenda.plan(next, Event::Shift { agent });
        }
        if shifts.is_none_or(|shifts| shifts.is_on(self.now)) {
            self.agents[agent].on_shift = true;
            self.recorder.scheduled(self.now, self.agents[agent].group, 1.0);
            self.present(agent, Presence::Online);
        }
    }

    /// An agent's shift begins or ends. What is in hand at its end is finished first.
    pub(super) fn change_shift(&mut self, agent: usize) {
        if !self.agents[agent].on_shift {
            return self.sign_on(agent);
        }
        let group = self.agents[agent].group;
        let shifts = self.plan.groups[group].shifts.as_ref();
        if let Some(next) = shifts.and_then(|shifts| shifts.changes_after(self.now)) {
            self.agenda.plan(next, Event::Shift { agent });
        }
        self.agents[agent].on_shift = false;
        self.recorder.scheduled(self.now, group, -1.0);
        self.present(agent, Presence::Offline);
    }

    /// An agent who let an offer ring out takes work again.
    pub(super) fn come_back(&mut self, agent: usize) {
        if self.agents[agent].on_shift && self.agents[agent].presence == Presence::Away {
            self.present(agent, Presence::Online);
        }
    }

    fn present(&mut self, agent: usize, presence: Presence) {
        let when_done = presence == Presence::Offline;
        self.command(agent, Action::SetPresence { presence, when_done });
    }

    fn command(&mut self, agent: usize, action: Action) {
        let command = Command {
            tenant: self.tenant.clone(),
            agent: self.agents[agent].name.clone(),
            command_id: self.sequence.to_string().into(),
            action,
        };
        self.apply(&Entry::Command(command));
    }
}
