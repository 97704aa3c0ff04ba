//! Passing a conversation on: to an agent, a queue, or whoever has certain skills.

use crate::{
    ask::Ask,
    decision::{Kind, Reason, Refusal},
    entry::Target,
    index::has_room,
    state::{Agent, Number, Phase},
    step::Step,
    text::Text,
};

impl Step<'_> {
    pub(crate) fn transfer(&mut self, agent: &Text, conversation: &str, to: &Target) -> Result<(), Refusal> {
        let number = self.assigned_to(agent, conversation)?;
        match to {
            Target::Agent(target) if target == agent => Err(Refusal::TransferToSelf),
            Target::Agent(target) if self.advises(number, target) => {
                self.transferred(number, agent, to);
                self.hand_to_adviser(number);
                Ok(())
            }
            Target::Agent(target) => {
                self.has_room_for(target, number)?;
                self.cool_off(number, agent);
                self.transferred(number, agent, to);
                self.reserve(number, target, None, vec![Reason::new("transfer", format!("by {agent}"))]);
                Ok(())
            }
            Target::Queue(_) | Target::Skills(_) => {
                let ask = self.asking(number, to)?;
                self.cool_off(number, agent);
                self.transferred(number, agent, to);
                self.send_to(number, ask, Reason::new("transfer", format!("by {agent}")));
                Ok(())
            }
        }
    }

    /// Says that `number` was passed on.
    pub(crate) fn transferred(&mut self, number: Number, from: &Text, to: &Target) {
        let transferred = Kind::ConversationTransferred { from: from.clone(), to: to.clone() };
        self.decide_on(number, transferred, Vec::new());
    }

    /// What `number` asks for when it is sent to `to`: the queue's own skills, or those named, replace what it asked for.
    pub(crate) fn asking(&self, number: Number, to: &Target) -> Result<Ask, Refusal> {
        let class = self.pool.conversations[&number].class.clone();
        match to {
            Target::Agent(_) => Err(Refusal::TargetUnavailable),
            Target::Queue(queue) if !self.pool.config.queues.contains_key(queue) => {
                Err(Refusal::UnknownQueue)
            }
            Target::Queue(queue) => {
                Ok(Ask { queue: queue.clone(), class, required: Vec::new(), preferred: Vec::new() })
            }
            Target::Skills(needs) => Ok(Ask {
                queue: self.queue_of(number),
                class,
                required: needs.clone(),
                preferred: Vec::new(),
            }),
        }
    }

    /// Puts `number`, which was with an agent or waited, where it asks for `ask`; it keeps its place by arrival.
    pub(crate) fn send_to(&mut self, number: Number, ask: Ask, reason: Reason) {
        let from = self.set_phase(number, Phase::Unassigned).agent().cloned();
        self.ask(number, ask);
        self.conversation(number).wait.left.clear();
        self.conversation(number).wait.overdue = false;
        let mut reasons = vec![reason];
        if !self.enter(number, false, &mut reasons) {
            return;
        }
        let place = self.place(number);
        let kind = match from {
            Some(agent) => Kind::ConversationRequeued { place, agent },
            None => return self.queued(number, reasons),
        };
        self.decide_on(number, kind, reasons);
    }

    /// Whether `agent` is there and has room for `number`.
    pub(crate) fn has_room_for(&self, agent: &Text, number: Number) -> Result<(), Refusal> {
        let state = self.pool.agents.get(agent).ok_or(Refusal::UnknownAgent)?;
        let spec = self.pool.config.agents.get(agent).ok_or(Refusal::UnknownAgent)?;
        let class = &self.pool.conversations[&number].class;
        if Agent::ready(state) && has_room(&self.pool.config, spec, state, class) {
            Ok(())
        } else {
            Err(Refusal::TargetUnavailable)
        }
    }
}
