//! What a command must look like before it may enter the routing log. Pure.

use heliograph_fabric::subjects::is_token;
use heliograph_proto::{
    Message as _,
    v1::{
        Command, Content, Reason, Reply, SkillWanted, SkillsWanted, assign_conversation, command::Action,
        consult_colleague, content::Kind, transfer_conversation,
    },
};

/// Largest content of a reply, in bytes as encoded.
const CONTENT_BYTES: usize = 64 * 1024;
/// Longest note or reason, in bytes.
const NOTE_BYTES: usize = 4 * 1024;
/// Largest context that goes with a conversation that is handed on, in bytes as encoded.
const CONTEXT_BYTES: usize = 16 * 1024;
/// Most skills asked for at a time, combined ones counted each.
const SKILLS: usize = 50;
/// A conversation's own priority lies within this.
const PRIORITIES: std::ops::RangeInclusive<i32> = -1_000..=1_000;
/// Longest id or name, in bytes.
const ID_BYTES: usize = 128;

/// The action's name, for metrics.
pub(super) fn action_name(command: &Command) -> &'static str {
    match &command.action {
        Some(Action::SetPresence(_)) => "set_presence",
        Some(Action::Heartbeat(_)) => "heartbeat",
        Some(Action::Disconnected(_)) => "disconnected",
        Some(Action::Accept(_)) => "accept",
        Some(Action::Reject(_)) => "reject",
        Some(Action::Reply(_)) => "reply",
        Some(Action::Close(_)) => "close",
        Some(Action::FinishWrapUp(_)) => "finish_wrap_up",
        Some(Action::Transfer(_)) => "transfer",
        Some(Action::Release(_)) => "release",
        Some(Action::Consult(_)) => "consult",
        Some(Action::EndConsult(_)) => "end_consult",
        Some(Action::Assign(_)) => "assign",
        Some(Action::Pull(_)) => "pull",
        Some(Action::Join(_)) => "join",
        Some(Action::Leave(_)) => "leave",
        Some(Action::Prioritize(_)) => "prioritize",
        Some(Action::SetAgentPresence(_)) => "set_agent_presence",
        None => "none",
    }
}

/// Whether only supervisors may.
fn is_supervisors(action: &Action) -> bool {
    matches!(
        action,
        Action::Assign(_)
            | Action::Pull(_)
            | Action::Join(_)
            | Action::Leave(_)
            | Action::Prioritize(_)
            | Action::SetAgentPresence(_)
    )
}

/// Why a command cannot be taken as it is from whoever sends it.
pub(super) fn check(command: &Command, supervisor: bool) -> Result<(), Reason> {
    let id = &command.command_id;
    if id.is_empty() || id.len() > ID_BYTES || id.chars().any(char::is_control) {
        return refuse(
            "command.bad_id",
            format!("command_id: 1 to {ID_BYTES} bytes without control characters"),
        );
    }
    let Some(action) = &command.action else {
        return refuse("command.no_action", "the command names no action".to_owned());
    };
    if is_supervisors(action) && !supervisor {
        return refuse("command.not_supervisor", "only supervisors may do that".to_owned());
    }
    match action {
        Action::SetPresence(set) => presence(set.presence),
        Action::Heartbeat(_) | Action::Disconnected(_) => Ok(()),
        Action::Accept(it) => token("reservation_id", &it.reservation_id),
        Action::Reject(it) => {
            token("reservation_id", &it.reservation_id).and_then(|()| note("reason", &it.reason))
        }
        Action::Reply(it) => reply(it),
        Action::Close(it) => token("conversation", &it.conversation)
            .and_then(|()| short("wrap_up_code", &it.wrap_up_code))
            .and_then(|()| note("note", &it.note)),
        Action::FinishWrapUp(it) => token("conversation", &it.conversation),
        Action::Release(it) => token("conversation", &it.conversation),
        Action::Transfer(it) => {
            use transfer_conversation::To;
            token("conversation", &it.conversation)?;
            match &it.to {
                Some(To::Agent(name)) => token("agent", name)?,
                Some(To::Queue(name)) => token("queue", name)?,
                Some(To::Skills(wanted)) => skills(wanted)?,
                None => return no_target("transfer"),
            }
            let bytes = it.context.as_ref().map_or(0, heliograph_proto::Message::encoded_len);
            if bytes > CONTEXT_BYTES {
                let text = format!("context: at most {CONTEXT_BYTES} bytes; this one has {bytes}");
                return refuse("command.bad_field", text);
            }
            note("note", &it.note)
        }
        Action::Consult(it) => {
            use consult_colleague::To;
            token("conversation", &it.conversation)?;
            match &it.to {
                Some(To::Agent(name)) => token("agent", name)?,
                Some(To::Queue(name)) => token("queue", name)?,
                Some(To::Skills(wanted)) => skills(wanted)?,
                None => return no_target("consult"),
            }
            note("note", &it.note)
        }
        Action::Assign(it) => {
            use assign_conversation::To;
            token("conversation", &it.conversation)?;
            match &it.to {
                Some(To::Agent(name)) => token("agent", name)?,
                Some(To::Queue(name)) => token("queue", name)?,
                Some(To::Skills(wanted)) => skills(wanted)?,
                None => return no_target("assign"),
            }
            note("note", &it.note)
        }
        Action::EndConsult(it) => {
            token("conversation", &it.conversation).and_then(|()| note("note", &it.note))
        }
        Action::Pull(it) => token("conversation", &it.conversation),
        Action::Join(it) => token("conversation", &it.conversation),
        Action::Leave(it) => token("conversation", &it.conversation),
        Action::Prioritize(it) => {
            token("conversation", &it.conversation)?;
            if PRIORITIES.contains(&it.priority) {
                return Ok(());
            }
            let (least, most) = (PRIORITIES.start(), PRIORITIES.end());
            refuse("command.bad_field", format!("priority: {least} to {most}"))
        }
        Action::SetAgentPresence(it) => token("agent", &it.agent).and_then(|()| presence(it.presence)),
    }
}

fn presence(presence: i32) -> Result<(), Reason> {
    if presence == 0 {
        return refuse("command.bad_presence", "presence: online, away or offline".to_owned());
    }
    Ok(())
}

fn no_target(command: &str) -> Result<(), Reason> {
    refuse("command.no_target", format!("{command}: name an agent, a queue or skills"))
}

/// Skills are few, and each says what it is.
fn skills(wanted: &SkillsWanted) -> Result<(), Reason> {
    let mut left: Vec<&SkillWanted> = wanted.skills.iter().collect();
    if left.is_empty() {
        return refuse("command.no_target", "skills: name at least one".to_owned());
    }
    let mut seen = 0;
    while let Some(SkillWanted { name, any, all, none, .. }) = left.pop() {
        seen += 1;
        let kinds = [!name.is_empty(), !any.is_empty(), !all.is_empty(), none.is_some()];
        if seen > SKILLS || kinds.iter().filter(|is| **is).count() != 1 {
            let text = format!("skills: at most {SKILLS}, each one of name, any, all and none");
            return refuse("command.bad_field", text);
        }
        if !name.is_empty() {
            token("skill", name)?;
        }
        left.extend(any.iter().chain(all).chain(none.as_deref()));
    }
    Ok(())
}

fn reply(reply: &Reply) -> Result<(), Reason> {
    token("conversation", &reply.conversation)?;
    short("display_name", &reply.display_name)?;
    let Some(content) = &reply.content else { return empty() };
    if is_empty(content) {
        return empty();
    }
    let bytes = content.encoded_len();
    if bytes > CONTENT_BYTES {
        return refuse(
            "reply.too_large",
            format!("a reply may have {CONTENT_BYTES} bytes; this one has {bytes}"),
        );
    }
    Ok(())
}

/// Whether there is nothing in it to send.
fn is_empty(content: &Content) -> bool {
    match &content.kind {
        None => true,
        Some(Kind::Text(text)) => text.body.trim().is_empty(),
        Some(Kind::Media(media)) => {
            media.object_id.is_empty() && media.url.is_empty() && media.provider_media_id.is_empty()
        }
        Some(_) => false,
    }
}

fn empty() -> Result<(), Reason> {
    refuse("reply.empty", "there is nothing in this reply".to_owned())
}

fn token(field: &str, value: &str) -> Result<(), Reason> {
    if is_token(value) {
        Ok(())
    } else {
        refuse("command.bad_field", format!("{field}: 1 to 128 letters, digits, `_` and `-`"))
    }
}

fn short(field: &str, value: &str) -> Result<(), Reason> {
    if value.len() <= ID_BYTES {
        Ok(())
    } else {
        refuse("command.bad_field", format!("{field}: at most {ID_BYTES} bytes"))
    }
}

fn note(field: &str, value: &str) -> Result<(), Reason> {
    if value.len() <= NOTE_BYTES {
        Ok(())
    } else {
        refuse("command.bad_field", format!("{field}: at most {NOTE_BYTES} bytes"))
    }
}

fn refuse(code: &str, text: String) -> Result<(), Reason> {
    Err(Reason { code: code.to_owned(), text, detail: None })
}

#[cfg(test)]
mod tests {
    use heliograph_proto::{
        Struct, Value,
        v1::{AcceptReservation, PrioritizeConversation, PullConversation, Text, TransferConversation},
    };

    use super::*;

    fn answer(body: &str) -> Command {
        let text = Text { body: body.to_owned(), ..Text::default() };
        let content = Content { kind: Some(Kind::Text(text)) };
        let reply = Reply { conversation: "cnv_1".to_owned(), content: Some(content), ..Reply::default() };
        Command { command_id: "1".to_owned(), action: Some(Action::Reply(reply)), ..Command::default() }
    }

    fn code(command: &Command) -> String {
        check(command, false).err().map(|reason| reason.code).unwrap_or_default()
    }

    #[test]
    fn replies_have_something_in_them_and_not_too_much() {
        assert_eq!(code(&answer("hello")), "");
        assert_eq!(code(&answer(" \n")), "reply.empty");
        assert_eq!(code(&answer(&"x".repeat(60 * 1024))), "");
        assert_eq!(code(&answer(&"x".repeat(64 * 1024 + 1))), "reply.too_large");
    }

    #[test]
    fn commands_need_an_id_and_an_action_that_can_be_addressed() {
        assert_eq!(code(&Command { command_id: String::new(), ..answer("a") }), "command.bad_id");
        assert_eq!(code(&Command { command_id: "a\n".to_owned(), ..answer("a") }), "command.bad_id");
        assert_eq!(code(&Command { command_id: "1".to_owned(), ..Command::default() }), "command.no_action");
        let wild = AcceptReservation { reservation_id: "rsv_1.>".to_owned() };
        let wild = Command { action: Some(Action::Accept(wild)), ..answer("a") };
        assert_eq!(code(&wild), "command.bad_field");
    }
    fn asked(action: Action) -> Command {
        Command { command_id: "1".to_owned(), action: Some(action), ..Command::default() }
    }

    #[test]
    fn a_supervisors_commands_are_taken_from_supervisors_alone() {
        let pull = asked(Action::Pull(PullConversation { conversation: "cnv_1".to_owned() }));
        assert_eq!(code(&pull), "command.not_supervisor");
        assert!(check(&pull, true).is_ok());
        let far = PrioritizeConversation { conversation: "cnv_1".to_owned(), priority: 1_001 };
        let refused = check(&asked(Action::Prioritize(far)), true).expect_err("beyond the bounds");
        assert_eq!(refused.code, "command.bad_field");
    }

    #[test]
    fn a_conversation_is_handed_on_to_somebody_with_a_context_of_a_size() {
        let to = |to| TransferConversation { conversation: "cnv_1".to_owned(), to, ..Default::default() };
        let transfer = |it| code(&asked(Action::Transfer(it)));
        assert_eq!(transfer(to(None)), "command.no_target");
        let skill = SkillWanted { name: "billing".to_owned(), level: 3, ..SkillWanted::default() };
        let skills = |skills| Some(transfer_conversation::To::Skills(SkillsWanted { skills }));
        assert_eq!(transfer(to(skills(vec![]))), "command.no_target");
        assert_eq!(transfer(to(skills(vec![SkillWanted::default()]))), "command.bad_field");
        assert_eq!(transfer(to(skills(vec![skill.clone()]))), "");
        let context = |text: String| {
            let fields = std::collections::HashMap::from([("said".to_owned(), Value::from(text))]);
            Some(Struct::from(fields))
        };
        let large =
            TransferConversation { context: context("x".repeat(16 * 1024)), ..to(skills(vec![skill])) };
        assert_eq!(transfer(large.clone()), "command.bad_field");
        assert_eq!(transfer(TransferConversation { context: context("x".repeat(1024)), ..large }), "");
    }
}
