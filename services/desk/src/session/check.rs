//! What a command must look like before it may enter the routing log. Pure.

use heliograph_fabric::subjects::is_token;
use heliograph_proto::{
    Message as _,
    v1::{Command, Content, Reason, Reply, command::Action, content::Kind, transfer_conversation::To},
};

/// Largest content of a reply, in bytes as encoded.
const CONTENT_BYTES: usize = 64 * 1024;
/// Longest note or reason, in bytes.
const NOTE_BYTES: usize = 4 * 1024;
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
        None => "none",
    }
}

/// Why a command cannot be taken as it is.
pub(super) fn check(command: &Command) -> Result<(), Reason> {
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
    match action {
        Action::SetPresence(set) if set.presence == 0 => {
            refuse("command.bad_presence", "presence: online, away or offline".to_owned())
        }
        Action::SetPresence(_) | Action::Heartbeat(_) | Action::Disconnected(_) => Ok(()),
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
        Action::Transfer(it) => token("conversation", &it.conversation).and_then(|()| match &it.to {
            Some(To::Agent(name)) => token("agent", name),
            Some(To::Queue(name)) => token("queue", name),
            None => refuse("command.no_target", "transfer: name an agent or a queue".to_owned()),
        }),
    }
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
    use heliograph_proto::v1::{AcceptReservation, Text};

    use super::*;

    fn answer(body: &str) -> Command {
        let text = Text { body: body.to_owned(), ..Text::default() };
        let content = Content { kind: Some(Kind::Text(text)) };
        let reply = Reply { conversation: "cnv_1".to_owned(), content: Some(content), ..Reply::default() };
        Command { command_id: "1".to_owned(), action: Some(Action::Reply(reply)), ..Command::default() }
    }

    fn code(command: &Command) -> String {
        check(command).err().map(|reason| reason.code).unwrap_or_default()
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
}
