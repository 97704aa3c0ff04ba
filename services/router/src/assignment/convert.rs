//! From the wire to the machine: a routing entry without its content.

use heliograph_assignment as machine;
use heliograph_assignment::{Action, Entry, Position, Target, Text, Timestamp};
use heliograph_proto::v1::{
    self, Command, Message, Presence, Proposal, RoutingEntry, SendRequested, Verdict, command, inbound_event,
    routing_entry::Kind, transfer_conversation, verdict::Outcome,
};

use crate::{
    naming::{SCOPE, reply_message_id},
    needs::{leaf_on_wire, need_on_wire},
};

/// Why an entry cannot be applied. It never will be, on any replica.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    /// A kind this release does not know, or none.
    #[error("the entry has no kind this release knows")]
    Kind,
    /// A field the kind needs is missing.
    #[error("the entry lacks {0}")]
    Lacks(&'static str),
    /// The configuration cannot be read.
    #[error("the configuration cannot be read: {0}")]
    Configuration(String),
}

/// The kind, for metrics.
pub(crate) fn kind_name(entry: &RoutingEntry) -> &'static str {
    match &entry.kind {
        Some(Kind::Proposal(_)) => "proposal",
        Some(Kind::Command(_)) => "command",
        Some(Kind::Send(_)) => "send",
        Some(Kind::Timer(_)) => "timer",
        Some(Kind::Configuration(_)) => "configuration",
        None => "none",
    }
}

/// The customer's message of a proposal.
pub(crate) fn proposed(proposal: &Proposal) -> Option<&Message> {
    match proposal.event.as_ref()?.kind.as_ref()? {
        inbound_event::Kind::Message(message) => Some(message),
        _ => None,
    }
}

/// Whether policy leaves a way to answer: the customer's channel, or another one that their region has. What was said
/// on a channel that policy denies is offered to agents as anything else is, because the answer may take another way;
/// where there is none, it is recorded and nobody is asked. Without a verdict nothing is known to be forbidden.
fn answerable(verdict: Option<&Verdict>) -> bool {
    verdict.is_none_or(|verdict| verdict.outcome() != Outcome::Deny || !verdict.channels.is_empty())
}

/// The entry as the machine takes it.
pub(crate) fn entry(entry: &RoutingEntry) -> Result<Entry, Unfit> {
    let tenant: Text = entry.tenant.as_str().into();
    match entry.kind.as_ref().ok_or(Unfit::Kind)? {
        Kind::Proposal(proposal) => inbound(tenant, proposal).map(Entry::Inbound),
        Kind::Command(command) => self::command(tenant, command).map(Entry::Command),
        Kind::Send(send) => self::send(tenant, send).map(Entry::Send),
        Kind::Timer(timer) => {
            let due = timer.due.as_ref().ok_or(Unfit::Lacks("the time that is due"))?;
            Ok(Entry::TimerDue(machine::TimerDue { due: Timestamp(due.millis()) }))
        }
        Kind::Configuration(configuration) => {
            let config = serde_json::from_str(&configuration.json)
                .map_err(|error| Unfit::Configuration(error.to_string()))?;
            Ok(Entry::Configure(machine::Configure { tenant, config }))
        }
    }
}

fn scope(scope: &str) -> Text {
    if scope.is_empty() { SCOPE.into() } else { scope.into() }
}

fn text(value: &str, what: &'static str) -> Result<Text, Unfit> {
    if value.is_empty() { Err(Unfit::Lacks(what)) } else { Ok(value.into()) }
}

fn some(value: &str) -> Option<Text> {
    (!value.is_empty()).then(|| value.into())
}

fn address(address: Option<&v1::Address>, verdict: Option<&Verdict>) -> Result<machine::Address, Unfit> {
    let address = address.ok_or(Unfit::Lacks("an address"))?;
    let region = verdict.and_then(|verdict| verdict.region.as_ref()).and_then(|region| some(&region.name));
    Ok(machine::Address {
        channel: text(&address.channel, "a channel")?,
        account: address.account.as_str().into(),
        user: address.user_id.as_str().into(),
        region,
    })
}

fn inbound(tenant: Text, proposal: &Proposal) -> Result<machine::Inbound, Unfit> {
    let event = proposal.event.as_ref().ok_or(Unfit::Lacks("an event"))?;
    let message = proposed(proposal).ok_or(Unfit::Lacks("a message"))?;
    let verdict = proposal.verdict.as_ref();
    let wanted = proposal.wanted.clone().unwrap_or_default();
    // A combination that is only preferred means nothing to the machine.
    let preferred = wanted.skills.iter().filter(|skill| !skill.required && !skill.name.is_empty());
    let fired = verdict.map(|verdict| verdict.fired.as_slice()).unwrap_or_default();
    Ok(machine::Inbound {
        tenant,
        contact: text(&proposal.contact, "a contact")?,
        scope: scope(&proposal.scope),
        message_id: text(&message.id, "a message id")?,
        address: address(event.address.as_ref(), verdict)?,
        queue: if wanted.queue.is_empty() { "default".into() } else { wanted.queue.as_str().into() },
        required: wanted.skills.iter().filter(|skill| skill.required).map(need_on_wire).collect(),
        preferred: preferred.map(leaf_on_wire).collect(),
        priority: wanted.priority,
        no_sticky: wanted.no_sticky,
        language: some(&wanted.language),
        policy_allowed: answerable(verdict),
        unattended: proposal.unattended,
        policy_reasons: fired
            .iter()
            .map(|reason| machine::Reason {
                code: reason.code.clone().into(),
                detail: reason.text.clone().into(),
            })
            .collect(),
        at_provider: message.time.as_ref().map(|time| Timestamp(time.millis())),
    })
}

fn send(tenant: Text, send: &SendRequested) -> Result<machine::SendMessage, Unfit> {
    let message = send.message.as_ref().ok_or(Unfit::Lacks("a message"))?;
    if message.content.is_none() {
        return Err(Unfit::Lacks("content"));
    }
    Ok(machine::SendMessage {
        tenant,
        contact: text(&send.contact, "a contact")?,
        scope: scope(&send.scope),
        message_id: text(&message.id, "a message id")?,
        address: address(message.address.as_ref(), send.verdict.as_ref())?,
        class: None,
        command_id: text(&send.command_id, "a command id")?,
    })
}

fn command(tenant: Text, command: &Command) -> Result<machine::Command, Unfit> {
    use command::Action as Asked;
    let agent = text(&command.agent, "an agent")?;
    let command_id = text(&command.command_id, "a command id")?;
    let action = match command.action.as_ref().ok_or(Unfit::Kind)? {
        Asked::SetPresence(asked) => {
            Action::SetPresence { presence: presence(asked.presence())?, when_done: false }
        }
        Asked::Heartbeat(_) => Action::Heartbeat,
        Asked::Disconnected(_) => Action::Disconnected,
        Asked::Accept(asked) => Action::Accept { reservation: text(&asked.reservation_id, "a reservation")? },
        Asked::Reject(asked) => Action::Reject {
            reservation: text(&asked.reservation_id, "a reservation")?,
            reason: some(&asked.reason),
        },
        Asked::Reply(reply) => {
            if reply.content.as_ref().is_none_or(|content| content.kind.is_none()) {
                return Err(Unfit::Lacks("content"));
            }
            Action::Reply {
                conversation: text(&reply.conversation, "a conversation")?,
                message_id: reply_message_id(&tenant, &agent, &command_id).into(),
                address: match &reply.address {
                    Some(asked) => Some(address(Some(asked), None)?),
                    None => None,
                },
            }
        }
        Asked::Close(asked) => Action::Close {
            conversation: text(&asked.conversation, "a conversation")?,
            wrap_up: some(&asked.wrap_up_code),
        },
        Asked::FinishWrapUp(asked) => {
            Action::FinishWrapUp { conversation: text(&asked.conversation, "a conversation")?, wrap_up: None }
        }
        Asked::Transfer(asked) => Action::Transfer {
            conversation: text(&asked.conversation, "a conversation")?,
            to: match asked.to.as_ref().ok_or(Unfit::Lacks("a target"))? {
                transfer_conversation::To::Agent(agent) => Target::Agent(text(agent, "an agent")?),
                transfer_conversation::To::Queue(queue) => Target::Queue(text(queue, "a queue")?),
            },
        },
        Asked::Release(asked) => {
            Action::Release { conversation: text(&asked.conversation, "a conversation")? }
        }
    };
    Ok(machine::Command { tenant, agent, command_id, action })
}

fn presence(presence: Presence) -> Result<machine::Presence, Unfit> {
    match presence {
        Presence::Online => Ok(machine::Presence::Online),
        Presence::Away => Ok(machine::Presence::Away),
        Presence::Offline => Ok(machine::Presence::Offline),
        Presence::Unspecified => Err(Unfit::Lacks("a presence")),
    }
}

/// The machine's presence on the wire.
pub(crate) fn presence_on_wire(presence: machine::Presence) -> Presence {
    match presence {
        machine::Presence::Online => Presence::Online,
        machine::Presence::Away => Presence::Away,
        machine::Presence::Offline => Presence::Offline,
    }
}

/// The position of an entry.
pub(crate) fn position(partition: u16, sequence: u64) -> Position {
    Position { partition, sequence }
}
