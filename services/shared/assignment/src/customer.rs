//! What customers who wait can ask for: to be called back, or to be let go.

use crate::{
    decision::{Kind, Reason, Refusal},
    entry::{Abandon, Callback},
    state::{Number, Phase, Recall, Stand},
    step::Step,
    text::Text,
};

impl Step<'_> {
    /// A customer wants to be called back instead of waiting, or no longer does.
    pub(crate) fn callback(&mut self, asked: &Callback) {
        let Callback { contact, command_id, .. } = asked;
        if !self.first_time(contact, command_id) {
            return self.seen(command_id);
        }
        match self.callback_for(asked) {
            Ok(number) => {
                self.decide(
                    Kind::CommandAccepted { command_id: command_id.clone(), agent: None },
                    Vec::new(),
                );
                let reason = Reason::new("customer_asked", "");
                if asked.cancel {
                    self.wait_after_all(number, reason);
                } else {
                    let address = asked.address.clone();
                    let recall = Recall { address, not_before: asked.not_before };
                    self.recall(number, recall, reason);
                }
            }
            Err(refusal) => {
                self.refuse(command_id, &Text::from(""), refusal);
                self.forget_unless_open(contact);
            }
        }
    }

    /// A customer who waits leaves.
    pub(crate) fn abandon(&mut self, left: &Abandon) {
        let Abandon { contact, scope, command_id, .. } = left;
        if !self.first_time(contact, command_id) {
            return self.seen(command_id);
        }
        let number = self.open_of(contact, scope);
        let waits = |phase: &Phase| matches!(phase, Phase::Waiting | Phase::Reserved { .. });
        let Some(number) = number.filter(|number| waits(&self.pool.conversations[number].phase)) else {
            let refusal =
                if number.is_some() { Refusal::ConversationNotWaiting } else { Refusal::ConversationNotOpen };
            self.refuse(command_id, &Text::from(""), refusal);
            return self.forget_unless_open(contact);
        };
        self.decide(Kind::CommandAccepted { command_id: command_id.clone(), agent: None }, Vec::new());
        let reason = Reason::new("customer_left", "");
        if let Phase::Reserved { reservation, agent, .. } = self.conversation(number).phase.clone() {
            let rescinded = Kind::ReservationRescinded { reservation, agent };
            self.decide_on(number, rescinded, vec![reason.clone()]);
        }
        self.close(number, None, reason);
    }

    /// `number`, which waits, becomes a callback: it keeps its place, and nobody waits on the line.
    pub(crate) fn recall(&mut self, number: Number, recall: Recall, reason: Reason) {
        let later = recall.not_before.filter(|at| *at > self.now);
        let address = recall.address.clone();
        let not_before = recall.not_before;
        self.rewait(number, |conversation| {
            conversation.callback = Some(recall);
            conversation.wait.stand = later.map_or(Stand::Open, |until| Stand::Asleep { until });
        });
        self.returned.push(number);
        let place = self.place(number);
        let address = address.unwrap_or_else(|| self.conversation(number).about.address.clone());
        self.decide_on(number, Kind::CallbackScheduled { place, address, not_before }, vec![reason]);
    }

    /// `number` is no callback any more.
    fn wait_after_all(&mut self, number: Number, reason: Reason) {
        let now = self.now;
        self.rewait(number, |conversation| {
            conversation.callback = None;
            conversation.wait.told_at = now;
            if matches!(conversation.wait.stand, Stand::Asleep { .. }) {
                conversation.wait.stand = Stand::Open;
            }
        });
        self.returned.push(number);
        let place = self.place(number);
        self.decide_on(number, Kind::CallbackCancelled { place }, vec![reason]);
    }

    fn callback_for(&self, asked: &Callback) -> Result<Number, Refusal> {
        let number = self.open_of(&asked.contact, &asked.scope).ok_or(Refusal::ConversationNotOpen)?;
        let conversation = &self.pool.conversations[&number];
        if conversation.phase != Phase::Waiting || (asked.cancel && conversation.callback.is_none()) {
            return Err(Refusal::ConversationNotWaiting);
        }
        if asked.cancel || self.spec(&self.queue_of(number)).callback {
            Ok(number)
        } else {
            Err(Refusal::CallbackNotOffered)
        }
    }

    fn seen(&mut self, command_id: &Text) {
        let seen = Kind::Duplicate { message_id: None, command_id: Some(command_id.clone()) };
        self.decide(seen, Vec::new());
    }
}
