//! Commands of agents and supervisors.

use heliograph_assignment::{self as machine, Action, Target, Text};
use heliograph_proto::v1::{
    self, Command, Presence, assign_conversation, command, consult_colleague, transfer_conversation,
};

use super::{Unfit, address, need::needs, some, text};
use crate::naming::reply_message_id;

/// A command as the machine takes it.
pub(super) fn command(tenant: Text, command: &Command) -> Result<machine::Command, Unfit> {
    let agent = text(&command.agent, "an agent")?;
    let command_id = text(&command.command_id, "a command id")?;
    let asked = command.action.as_ref().ok_or(Unfit::Kind)?;
    let action = match action(asked)? {
        Some(action) => action,
        None => reply(&tenant, &agent, &command_id, asked)?,
    };
    Ok(machine::Command { tenant, agent, command_id, action })
}

/// The action, but for a reply, whose message id follows from the command.
fn action(asked: &command::Action) -> Result<Option<Action>, Unfit> {
    use command::Action as Asked;
    let conversation = |id: &str| text(id, "a conversation");
    let reservation = |id: &str| text(id, "a reservation");
    let action = match asked {
        Asked::Reply(_) => return Ok(None),
        Asked::SetPresence(asked) => {
            Action::SetPresence { presence: presence(asked.presence())?, when_done: asked.when_done }
        }
        Asked::Heartbeat(_) => Action::Heartbeat,
        Asked::Disconnected(_) => Action::Disconnected,
        Asked::Accept(asked) => Action::Accept { reservation: reservation(&asked.reservation_id)? },
        Asked::Reject(asked) => {
            Action::Reject { reservation: reservation(&asked.reservation_id)?, reason: some(&asked.reason) }
        }
        Asked::Close(asked) => Action::Close {
            conversation: conversation(&asked.conversation)?,
            wrap_up: some(&asked.wrap_up_code),
        },
        Asked::FinishWrapUp(asked) => {
            Action::FinishWrapUp { conversation: conversation(&asked.conversation)?, wrap_up: None }
        }
        Asked::Release(asked) => Action::Release { conversation: conversation(&asked.conversation)? },
        Asked::Transfer(asked) => Action::Transfer {
            conversation: conversation(&asked.conversation)?,
            to: match asked.to.as_ref().ok_or(Unfit::Lacks("a target"))? {
                transfer_conversation::To::Agent(name) => to_agent(name)?,
                transfer_conversation::To::Queue(name) => to_queue(name)?,
                transfer_conversation::To::Skills(wanted) => Target::Skills(needs(&wanted.skills)?),
            },
        },
        Asked::Consult(asked) => Action::Consult {
            conversation: conversation(&asked.conversation)?,
            to: match asked.to.as_ref().ok_or(Unfit::Lacks("a target"))? {
                consult_colleague::To::Agent(name) => to_agent(name)?,
                consult_colleague::To::Queue(name) => to_queue(name)?,
                consult_colleague::To::Skills(wanted) => Target::Skills(needs(&wanted.skills)?),
            },
        },
        Asked::EndConsult(asked) => Action::EndConsult { conversation: conversation(&asked.conversation)? },
        Asked::Assign(asked) => Action::Assign {
            conversation: conversation(&asked.conversation)?,
            to: match asked.to.as_ref().ok_or(Unfit::Lacks("a target"))? {
                assign_conversation::To::Agent(name) => to_agent(name)?,
                assign_conversation::To::Queue(name) => to_queue(name)?,
                assign_conversation::To::Skills(wanted) => Target::Skills(needs(&wanted.skills)?),
            },
        },
        Asked::Pull(asked) => Action::Pull { conversation: conversation(&asked.conversation)? },
        Asked::Join(asked) => Action::Join { conversation: conversation(&asked.conversation)? },
        Asked::Leave(asked) => Action::Leave { conversation: conversation(&asked.conversation)? },
        Asked::Prioritize(asked) => {
            Action::Prioritize { conversation: conversation(&asked.conversation)?, priority: asked.priority }
        }
        Asked::SetAgentPresence(asked) => Action::SetAgentPresence {
            agent: text(&asked.agent, "an agent")?,
            presence: presence(asked.presence())?,
        },
    };
    Ok(Some(action))
}

fn reply(tenant: &str, agent: &str, command_id: &str, asked: &command::Action) -> Result<Action, Unfit> {
    let command::Action::Reply(reply) = asked else { return Err(Unfit::Kind) };
    if reply.content.as_ref().is_none_or(|content| content.kind.is_none()) {
        return Err(Unfit::Lacks("content"));
    }
    Ok(Action::Reply {
        conversation: text(&reply.conversation, "a conversation")?,
        message_id: reply_message_id(tenant, agent, command_id).into(),
        address: reply.address.as_ref().map(|asked| address(Some(asked), None)).transpose()?,
    })
}

fn to_agent(name: &str) -> Result<Target, Unfit> {
    text(name, "an agent").map(Target::Agent)
}

fn to_queue(name: &str) -> Result<Target, Unfit> {
    text(name, "a queue").map(Target::Queue)
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
pub(crate) fn presence_on_wire(presence: machine::Presence) -> v1::Presence {
    match presence {
        machine::Presence::Online => Presence::Online,
        machine::Presence::Away => Presence::Away,
        machine::Presence::Offline => Presence::Offline,
    }
}
