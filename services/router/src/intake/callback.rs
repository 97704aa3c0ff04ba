//! A customer chooses to be called back instead of waiting, or to wait after all.

use heliograph_domain::{
    content::{CALL_BACK, WAIT},
    ids,
};
use heliograph_proto::{
    Timestamp,
    v1::{CallbackRequested, Message, RoutingEntry, Selection, content::Kind, routing_entry},
};
use heliograph_store::contacts::Contact;

use super::Case;
use crate::{error::Failure, naming::SCOPE};

/// What a customer chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To be called back: not before a time in milliseconds since 1970, if there is one.
    CallBack { not_before: Option<i64> },
    /// To wait.
    Wait,
}

/// The wish that a message is, if it is one.
pub(super) fn wish(message: &Message) -> Option<Wish> {
    let Some(Kind::Selection(Selection { option_id, payload, .. })) = &message.content.as_ref()?.kind else {
        return None;
    };
    match option_id.as_str() {
        CALL_BACK => {
            let at: Option<jiff::Timestamp> = payload.parse().ok();
            Some(Wish::CallBack { not_before: at.map(jiff::Timestamp::as_millisecond) })
        }
        WAIT => Some(Wish::Wait),
        _ => None,
    }
}

/// Puts the wish behind the message that says it, so that the conversation it is about is there. Its ids are the event's:
/// a repeat is the same wish.
pub(super) async fn ask(case: Case<'_>, contact: &Contact, wish: Wish) -> Result<(), Failure> {
    let derived = |prefix: &str| ids::derive(prefix, &[&case.event.id, "callback"]);
    let not_before = match wish {
        Wish::CallBack { not_before } => not_before.map(Timestamp::from_millis),
        Wish::Wait => None,
    };
    let asked = CallbackRequested {
        command_id: derived(ids::COMMAND),
        contact: contact.id.clone(),
        scope: SCOPE.to_owned(),
        address: Some(case.address.clone()),
        not_before,
        cancel: wish == Wish::Wait,
    };
    let entry = RoutingEntry {
        id: derived("ent"),
        tenant: case.event.tenant.clone(),
        kind: Some(routing_entry::Kind::Callback(asked)),
    };
    case.append(&entry, "routing.callback").await
}

#[cfg(test)]
mod tests {
    use heliograph_domain::content;
    use heliograph_proto::v1::Content;

    use super::*;

    fn chosen(option_id: &str, payload: &str) -> Message {
        let selection = Selection {
            option_id: option_id.to_owned(),
            payload: payload.to_owned(),
            ..Selection::default()
        };
        let content = Some(Content { kind: Some(Kind::Selection(selection)) });
        Message { content, ..Message::default() }
    }

    #[test]
    fn only_the_two_options_are_wishes() {
        let called = |not_before| Some(Wish::CallBack { not_before });
        assert_eq!(wish(&chosen("hg.callback", "")), called(None));
        assert_eq!(
            wish(&chosen("hg.callback", "2026-03-02T09:00:00+01:00")),
            called(Some(1_772_438_400_000))
        );
        assert_eq!(wish(&chosen("hg.callback", "tomorrow")), called(None), "as soon as it is their turn");
        assert_eq!(wish(&chosen("hg.wait", "")), Some(Wish::Wait));
        assert_eq!(wish(&chosen("yes", "")), None);
        let said = Message { content: Some(content::text("hg.callback")), ..Message::default() };
        assert_eq!(wish(&said), None);
    }
}
