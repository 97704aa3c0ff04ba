//! Messages: what a customer or the business says opens a conversation or continues the open one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use heliograph_domain::ids;

use crate::{
    ask::Ask,
    decision::{ConversationRef, Direction, Kind, Reason, Sender},
    entry::{Address, Inbound, SendMessage},
    need::{merge_needs, merge_skills},
    state::{Contact, Conversation, Number, Phase, Wait},
    step::Step,
    text::{Text, Timestamp},
    timer::Timer,
};

/// Message ids remembered per contact. Providers repeat a message minutes to days later, so closing a
/// conversation does not forget them.
const MESSAGES_REMEMBERED: usize = 1_000;

impl Step<'_> {
    /// A customer's message.
    pub(crate) fn inbound(&mut self, inbound: &Inbound) {
        if !self.first_time(&inbound.contact, &inbound.message_id) {
            return self.decide(duplicate(&inbound.message_id, None), Vec::new());
        }
        let number = if let Some(number) = self.open_of(&inbound.contact, &inbound.scope) {
            let about = &mut self.conversation(number).about;
            if about.address != inbound.address {
                Arc::make_mut(about).address = inbound.address.clone();
            }
            number
        } else {
            let class = self.pool.config.class(&inbound.address.channel);
            let reason = Reason::new("customer_wrote", format!("on {}", inbound.address.channel));
            self.open((&inbound.contact, &inbound.scope), &inbound.address, Direction::Inbound, class, reason)
        };
        self.said_something(number);
        let received = Kind::MessageReceived {
            message_id: inbound.message_id.clone(),
            at_provider: inbound.at_provider,
        };
        let mut reasons = inbound.policy_reasons.clone();
        if !inbound.policy_allowed {
            reasons.push(Reason::new("policy_denied", "recorded, and not offered to agents"));
        }
        if inbound.unattended {
            reasons.push(Reason::new("unattended", "a word for the system; no agent is asked"));
        }
        self.decide_on(number, received, reasons);
        match self.conversation(number).phase.clone() {
            Phase::Unassigned if inbound.policy_allowed && !inbound.unattended => {
                self.enqueue(number, inbound);
            }
            Phase::WrapUp { agent, since, .. } if !inbound.unattended => {
                self.set_phase(number, Phase::Assigned { agent: agent.clone(), since });
                let queue = self.queue_of(number);
                let reason =
                    Reason::new("customer_wrote_in_wrap_up", "the conversation goes on with the same agent");
                self.decide_on(number, Kind::ConversationAssigned { agent, queue }, vec![reason]);
            }
            Phase::Unassigned
            | Phase::Waiting
            | Phase::Reserved { .. }
            | Phase::Assigned { .. }
            | Phase::WrapUp { .. } => {}
        }
    }

    /// A business-initiated message.
    pub(crate) fn send(&mut self, send: &SendMessage) {
        if !self.first_time(&send.contact, &send.message_id) {
            return self.decide(duplicate(&send.message_id, Some(&send.command_id)), Vec::new());
        }
        self.decide(Kind::CommandAccepted { command_id: send.command_id.clone(), agent: None }, Vec::new());
        let number = if let Some(number) = self.open_of(&send.contact, &send.scope) {
            number
        } else {
            let class = send.class.clone().unwrap_or_else(|| self.pool.config.class(&send.address.channel));
            let reason = Reason::new("business_wrote", format!("on {}", send.address.channel));
            self.open((&send.contact, &send.scope), &send.address, Direction::Outbound, class, reason)
        };
        self.said_something(number);
        let accepted = Kind::MessageAccepted {
            message_id: send.message_id.clone(),
            address: send.address.clone(),
            sender: Sender::Business,
        };
        self.decide_on(number, accepted, Vec::new());
    }

    /// Remembers a contact's message id; false when it was known.
    pub(crate) fn first_time(&mut self, contact: &Text, message: &str) -> bool {
        if let Some(memory) = self.pool.contacts.get_mut(contact) {
            return memory.recent.insert(message, MESSAGES_REMEMBERED);
        }
        self.pool.contacts.or_default(contact.clone()).recent.insert(message, MESSAGES_REMEMBERED)
    }

    /// A contact who only asked for something that was refused is not remembered.
    pub(crate) fn forget_unless_open(&mut self, contact: &Text) {
        let blank = |memory: &Contact| memory.open.is_empty() && memory.forget_at.is_none();
        if self.pool.contacts.get(contact).is_some_and(blank) {
            self.pool.contacts.remove(contact);
        }
    }

    /// Something was said: the conversation's inactivity begins anew.
    pub(crate) fn said_something(&mut self, number: Number) {
        let due = self.now.after(self.pool.config.inactivity_seconds.max(1));
        self.conversation(number).inactive_at = due;
        let look_at = self.conversation(number).look_at;
        if due < look_at {
            self.disarm(look_at, Timer::Inactivity(number));
            self.look_for_silence(number, due);
        }
    }

    /// Sets the timer by which a silent conversation is found.
    pub(crate) fn look_for_silence(&mut self, number: Number, at: Timestamp) {
        self.conversation(number).look_at = at;
        self.arm(at, Timer::Inactivity(number));
    }

    pub(crate) fn open_of(&self, contact: &str, scope: &str) -> Option<Number> {
        self.pool.contacts.get(contact)?.open.get(scope).copied()
    }

    fn open(
        &mut self,
        (contact, scope): (&Text, &Text),
        address: &Address,
        direction: Direction,
        class: Text,
        reason: Reason,
    ) -> Number {
        let id = self.make_id(ids::CONVERSATION);
        let number = self.pool.next;
        self.pool.next += 1;
        let about = ConversationRef {
            id: id.clone(),
            contact: contact.clone(),
            scope: scope.clone(),
            address: address.clone(),
        };
        let conversation = Conversation {
            about: Arc::new(about),
            phase: Phase::Unassigned,
            ask: None,
            class: class.clone(),
            priority: 0,
            language: None,
            opened_at: self.now,
            arrived: self.now,
            inactive_at: self.now.after(self.pool.config.inactivity_seconds.max(1)),
            look_at: self.now,
            wait: Wait::default(),
            cool_offs: BTreeMap::new(),
            callback: None,
            consult: None,
            joined: BTreeSet::new(),
        };
        self.pool.conversations.insert(number, conversation);
        self.index.by_id.insert(id, number);
        let due = self.conversation(number).inactive_at;
        self.look_for_silence(number, due);
        let memory = self.pool.contacts.or_default(contact.clone());
        memory.open.insert(scope.clone(), number);
        if let Some(due) = memory.forget_at.take() {
            self.disarm(due, Timer::Forget(contact.clone()));
        }
        self.decide_on(number, Kind::ConversationOpened { direction, class }, vec![reason]);
        number
    }

    /// Puts an unassigned conversation into the queue its message asks for.
    fn enqueue(&mut self, number: Number, inbound: &Inbound) {
        let now = self.now;
        let conversation = self.conversation(number);
        conversation.priority = inbound.priority;
        conversation.language.clone_from(&inbound.language);
        conversation.arrived = now;
        conversation.wait = Wait::default();
        let ask = Ask {
            queue: inbound.queue.clone(),
            class: conversation.class.clone(),
            required: merge_needs(&inbound.required, &[]),
            preferred: merge_skills(&inbound.preferred, &[]),
        };
        self.ask(number, ask);
        let mut reasons = Vec::new();
        if self.enter(number, !inbound.no_sticky, &mut reasons) {
            self.queued(number, reasons);
        }
    }

    /// Says that `number` waits.
    pub(crate) fn queued(&mut self, number: Number, reasons: Vec<Reason>) {
        let place = self.place(number);
        let Some(profile) = self.profile(number) else { return };
        let conversation = self.conversation(number);
        let queued = Kind::ConversationQueued {
            place,
            required: profile.required,
            preferred: profile.preferred,
            priority: conversation.priority,
            language: conversation.language.clone(),
        };
        self.decide_on(number, queued, reasons);
    }
}

/// A message seen before.
pub(crate) fn duplicate(message_id: &Text, command_id: Option<&Text>) -> Kind {
    Kind::Duplicate { message_id: Some(message_id.clone()), command_id: command_id.cloned() }
}
