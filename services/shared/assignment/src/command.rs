//! Agents' commands: each is carried out whole or refused with a reason.

use std::{borrow::Cow, sync::Arc};

use crate::{
    config::QueueSpec,
    decision::{Decision, Kind, Reason, Refusal, Sender},
    entry::{Action, Address, Command, Presence, Target},
    inbound::duplicate,
    state::{Number, Phase, Profile},
    step::Step,
    text::Text,
};

/// Command ids remembered per agent. A repeated command comes within seconds of the first.
const COMMANDS_REMEMBERED: usize = 200;

impl Step<'_> {
    /// An agent's command.
    pub(crate) fn command(&mut self, command: &Command) {
        let Command { agent, command_id, action, .. } = command;
        let Some(state) = self.pool.agents.get_mut(agent) else {
            return self.refuse(command, Refusal::UnknownAgent);
        };
        // Heartbeats change nothing when repeated, and would push the others out.
        if *action != Action::Heartbeat && !state.commands.insert(command_id, COMMANDS_REMEMBERED) {
            let seen = Kind::Duplicate { message_id: None, command_id: Some(command_id.clone()) };
            return self.decide(seen, Vec::new());
        }
        let from = self.decisions.len();
        match self.act(agent, command) {
            Ok(()) if *action == Action::Heartbeat => {}
            Ok(()) => {
                let kind =
                    Kind::CommandAccepted { command_id: command_id.clone(), agent: Some(agent.clone()) };
                let tenant = self.tenant.clone();
                let accepted = Decision { index: 0, tenant, conversation: None, kind, reasons: Vec::new() };
                self.decisions.insert(from, accepted);
            }
            Err(refusal) => self.refuse(command, refusal),
        }
    }

    fn refuse(&mut self, command: &Command, refusal: Refusal) {
        let refused = Kind::CommandRefused {
            command_id: command.command_id.clone(),
            agent: command.agent.clone(),
            code: Cow::Borrowed(refusal.code()),
            message: refusal.to_string(),
        };
        self.decide(refused, vec![Reason::new(refusal.code(), refusal.to_string())]);
    }

    fn act(&mut self, agent: &Text, command: &Command) -> Result<(), Refusal> {
        let offline = self.pool.agents.get(agent).is_none_or(|state| state.presence == Presence::Offline);
        match &command.action {
            Action::SetPresence { presence, .. } => {
                if *presence != Presence::Offline {
                    self.heard(agent);
                }
                self.set_presence(agent, *presence, &Reason::new("agent_request", ""));
                return Ok(());
            }
            Action::Disconnected => {
                self.disconnected(agent);
                return Ok(());
            }
            _ if offline => return Err(Refusal::AgentOffline),
            _ => self.heard(agent),
        }
        match &command.action {
            Action::SetPresence { .. } | Action::Disconnected | Action::Heartbeat => Ok(()),
            Action::Accept { reservation } => self.accept(agent, reservation),
            Action::Reject { reservation, reason } => self.reject(agent, reservation, reason.as_ref()),
            Action::Reply { conversation, message_id, address } => {
                self.reply(agent, conversation, message_id, address.as_ref(), &command.command_id)
            }
            Action::Close { conversation, wrap_up } => self.wrap_up(agent, conversation, wrap_up.as_ref()),
            Action::FinishWrapUp { conversation, wrap_up } => {
                self.finish_wrap_up(agent, conversation, wrap_up.as_ref())
            }
            Action::Transfer { conversation, to } => self.transfer(agent, conversation, to),
            Action::Release { conversation } => {
                let number = self.assigned_to(agent, conversation)?;
                self.cool_off(number, agent);
                self.requeue(number, Reason::new("agent_released", ""));
                Ok(())
            }
            _ => Err(Refusal::NotSupervisor),
        }
    }

    fn accept(&mut self, agent: &Text, reservation: &Text) -> Result<(), Refusal> {
        let number = self.reserved_for(agent, reservation)?;
        self.set_phase(number, Phase::Assigned { agent: agent.clone() });
        let accepted = Kind::ReservationAccepted { reservation: reservation.clone(), agent: agent.clone() };
        self.decide_on(number, accepted, Vec::new());
        let queue = self.conversation(number).profile.queue.clone();
        let reason = Reason::new("reservation_accepted", "");
        self.decide_on(number, Kind::ConversationAssigned { agent: agent.clone(), queue }, vec![reason]);
        Ok(())
    }

    fn reject(&mut self, agent: &Text, reservation: &Text, reason: Option<&Text>) -> Result<(), Refusal> {
        let number = self.reserved_for(agent, reservation)?;
        let rejected = Kind::ReservationRejected {
            reservation: reservation.clone(),
            agent: agent.clone(),
            reason: reason.cloned(),
        };
        self.decide_on(number, rejected, Vec::new());
        self.cool_off(number, agent);
        self.requeue(
            number,
            Reason::new("reservation_rejected", reason.map_or(String::new(), ToString::to_string)),
        );
        Ok(())
    }

    fn reply(
        &mut self,
        agent: &Text,
        conversation: &str,
        message: &Text,
        address: Option<&Address>,
        command: &Text,
    ) -> Result<(), Refusal> {
        let number = self.assigned_to(agent, conversation)?;
        let about = self.conversation(number).about.clone();
        if !self.first_time(&about.contact, message) {
            self.decide_on(number, duplicate(message, Some(command)), Vec::new());
            return Ok(());
        }
        self.said_something(number);
        let accepted = Kind::MessageAccepted {
            message_id: message.clone(),
            address: address.unwrap_or(&about.address).clone(),
            sender: Sender::Agent(agent.clone()),
        };
        self.decide_on(number, accepted, Vec::new());
        Ok(())
    }

    fn wrap_up(&mut self, agent: &Text, conversation: &str, wrap_up: Option<&Text>) -> Result<(), Refusal> {
        let number = self.assigned_to(agent, conversation)?;
        let seconds = self.pool.config.wrap_up_seconds(&self.pool.conversations[&number].profile.queue);
        if seconds == 0 {
            self.close(number, wrap_up.cloned(), Reason::new("agent_closed", ""));
            return Ok(());
        }
        let ends_at = self.now.after(seconds);
        self.set_phase(number, Phase::WrapUp { agent: agent.clone(), ends_at, wrap_up: wrap_up.cloned() });
        let started = Kind::WrapUpStarted { agent: agent.clone(), ends_at, wrap_up: wrap_up.cloned() };
        self.decide_on(number, started, vec![Reason::new("agent_closed", "")]);
        Ok(())
    }

    fn finish_wrap_up(
        &mut self,
        agent: &Text,
        conversation: &str,
        code: Option<&Text>,
    ) -> Result<(), Refusal> {
        let number = self.open_id(conversation)?;
        match self.conversation(number).phase.clone() {
            Phase::WrapUp { agent: owner, wrap_up, .. } if owner == *agent => {
                self.close(number, code.cloned().or(wrap_up), Reason::new("wrap_up_finished", ""));
                Ok(())
            }
            Phase::WrapUp { .. } => Err(Refusal::ConversationOfAnother),
            _ => Err(Refusal::ConversationNotInWrapUp),
        }
    }

    fn transfer(&mut self, agent: &Text, conversation: &str, to: &Target) -> Result<(), Refusal> {
        let number = self.assigned_to(agent, conversation)?;
        match to {
            Target::Agent(target) if target == agent => Err(Refusal::TransferToSelf),
            Target::Agent(target) => {
                let class = self.conversation(number).profile.class.clone();
                if !self.pool.agents.contains_key(target) {
                    return Err(Refusal::UnknownAgent);
                }
                if !self.pool.is_free(target, &class) {
                    return Err(Refusal::TargetUnavailable);
                }
                self.cool_off(number, agent);
                self.transferred(number, agent, to);
                self.reserve(number, target, None, vec![Reason::new("transfer", format!("by {agent}"))]);
                Ok(())
            }
            Target::Skills(_) => Err(Refusal::TargetUnavailable),
            Target::Queue(queue) => {
                let Some(QueueSpec { required, preferred, .. }) = self.pool.config.queues.get(queue).cloned()
                else {
                    return Err(Refusal::UnknownQueue);
                };
                let class = self.conversation(number).profile.class.clone();
                let profile = Profile {
                    queue: queue.clone(),
                    class,
                    required: crate::need::merge_needs(&required, &[]),
                    preferred: crate::need::merge_skills(&preferred, &[]),
                };
                self.conversation(number).profile = Arc::new(profile);
                self.cool_off(number, agent);
                self.transferred(number, agent, to);
                self.requeue(number, Reason::new("transfer", format!("by {agent}")));
                Ok(())
            }
        }
    }

    fn transferred(&mut self, number: Number, from: &Text, to: &Target) {
        let transferred = Kind::ConversationTransferred { from: from.clone(), to: to.clone() };
        self.decide_on(number, transferred, Vec::new());
    }

    fn reserved_for(&self, agent: &Text, reservation: &str) -> Result<Number, Refusal> {
        let number = *self.index.reservations.get(reservation).ok_or(Refusal::ReservationExpired)?;
        match self.pool.conversations[&number].phase.agent() {
            Some(owner) if owner == agent => Ok(number),
            _ => Err(Refusal::ReservationOfAnother),
        }
    }

    fn assigned_to(&self, agent: &Text, conversation: &str) -> Result<Number, Refusal> {
        let number = self.open_id(conversation)?;
        match &self.pool.conversations[&number].phase {
            Phase::Assigned { agent: owner } if owner == agent => Ok(number),
            Phase::WrapUp { agent: owner, .. } if owner == agent => Err(Refusal::ConversationInWrapUp),
            Phase::Assigned { .. } | Phase::WrapUp { .. } => Err(Refusal::ConversationOfAnother),
            Phase::Unassigned | Phase::Waiting | Phase::Reserved { .. } => {
                Err(Refusal::ConversationNotAssigned)
            }
        }
    }

    fn open_id(&self, conversation: &str) -> Result<Number, Refusal> {
        self.index.by_id.get(conversation).copied().ok_or(Refusal::ConversationNotOpen)
    }
}
