//! From the wire to the machine: a routing entry without its content.

mod commands;
mod need;

use heliograph_assignment::{self as machine, Entry, Need, Position, Skill, Text, Timestamp};
use heliograph_proto::{
    Timestamp as Moment,
    v1::{
        self, CallbackRequested, ConsultAsked, Handover, Message, Proposal, RoutingEntry, SendRequested,
        Verdict, command, inbound_event, routing_entry::Kind, verdict::Outcome,
    },
};

pub(crate) use commands::presence_on_wire;
pub(crate) use need::{need_on_wire, skill_on_wire};

use crate::naming::SCOPE;

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
    /// What a tenant brings along cannot be used.
    #[error("what the tenant brings along cannot be used: {0}")]
    Luggage(String),
    /// The tenant is not in this partition, and never was.
    #[error("the tenant is not in this partition, and never was")]
    Stranger,
}

impl Unfit {
    /// The reason that the dead letter says.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Stranger => "wrong_partition",
            _ => "unfit",
        }
    }
}

/// The kind, for metrics.
pub(crate) fn kind_name(entry: &RoutingEntry) -> &'static str {
    match &entry.kind {
        Some(Kind::Proposal(_)) => "proposal",
        Some(Kind::Command(_)) => "command",
        Some(Kind::Send(_)) => "send",
        Some(Kind::Timer(_)) => "timer",
        Some(Kind::Configuration(_)) => "configuration",
        Some(Kind::Callback(_)) => "callback",
        Some(Kind::Abandon(_)) => "abandon",
        Some(Kind::Move(_)) => "move",
        Some(Kind::Arriving(_)) => "arriving",
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
        Kind::Command(command) => commands::command(tenant, command).map(Entry::Command),
        Kind::Send(send) => self::send(tenant, send).map(Entry::Send),
        Kind::Callback(asked) => callback(tenant, asked).map(Entry::Callback),
        Kind::Abandon(left) => Ok(Entry::Abandon(machine::Abandon {
            tenant,
            contact: text(&left.contact, "a contact")?,
            scope: scope(&left.scope),
            command_id: text(&left.command_id, "a command id")?,
        })),
        Kind::Timer(timer) => {
            let due = timer.due.as_ref().ok_or(Unfit::Lacks("the time that is due"))?;
            Ok(Entry::TimerDue(machine::TimerDue { due: Timestamp(due.millis()) }))
        }
        // Moves are not for the machine alone: see `State::take`.
        Kind::Move(_) | Kind::Arriving(_) => Err(Unfit::Kind),
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
    let required: Result<Vec<Need>, Unfit> =
        wanted.skills.iter().filter(|wanted| wanted.required).map(need::need).collect();
    // One skill is preferred at a time: a combination has no level by which one agent is better than another.
    let preferred = wanted.skills.iter().filter(|wanted| !wanted.required && !wanted.name.is_empty());
    let fired = verdict.map(|verdict| verdict.fired.as_slice()).unwrap_or_default();
    Ok(machine::Inbound {
        tenant,
        contact: text(&proposal.contact, "a contact")?,
        scope: scope(&proposal.scope),
        message_id: text(&message.id, "a message id")?,
        address: address(event.address.as_ref(), verdict)?,
        queue: if wanted.queue.is_empty() { "default".into() } else { wanted.queue.as_str().into() },
        required: required?,
        preferred: preferred
            .map(|wanted| Skill::new(wanted.name.as_str(), need::level(wanted.level)))
            .collect(),
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

fn callback(tenant: Text, asked: &CallbackRequested) -> Result<machine::Callback, Unfit> {
    Ok(machine::Callback {
        tenant,
        contact: text(&asked.contact, "a contact")?,
        scope: scope(&asked.scope),
        command_id: text(&asked.command_id, "a command id")?,
        address: asked.address.as_ref().map(|asked| address(Some(asked), None)).transpose()?,
        not_before: asked.not_before.as_ref().map(|time| Timestamp(time.millis())),
        cancel: asked.cancel,
    })
}

/// The position of an entry.
pub(crate) fn position(partition: u16, sequence: u64) -> Position {
    Position { partition, sequence }
}

/// What was said when a conversation was handed on: the conversation, and the words for whoever takes it.
pub(crate) fn handed_over(entry: &RoutingEntry, at_ms: i64) -> Option<(&str, Handover)> {
    let Some(Kind::Command(command)) = &entry.kind else { return None };
    let (conversation, note, context) = match command.action.as_ref()? {
        command::Action::Transfer(asked) => (&asked.conversation, &asked.note, asked.context.clone()),
        command::Action::Assign(asked) => (&asked.conversation, &asked.note, None),
        _ => return None,
    };
    if note.is_empty() && context.is_none() {
        return None;
    }
    let at = Some(Moment::from_millis(at_ms));
    Some((conversation, Handover { from_agent: command.agent.clone(), note: note.clone(), context, at }))
}

/// What a colleague is asked: the conversation, by whom and the question.
pub(crate) fn asked_for_advice(entry: &RoutingEntry) -> Option<(&str, ConsultAsked)> {
    let Some(Kind::Command(command)) = &entry.kind else { return None };
    let Some(command::Action::Consult(asked)) = &command.action else { return None };
    let consult = ConsultAsked { by: command.agent.clone(), note: asked.note.clone() };
    Some((&asked.conversation, consult))
}

/// What a colleague advises who ends the consultation.
pub(crate) fn advised(entry: &RoutingEntry) -> Option<&str> {
    let Some(Kind::Command(command)) = &entry.kind else { return None };
    let Some(command::Action::EndConsult(asked)) = &command.action else { return None };
    Some(&asked.note)
}
