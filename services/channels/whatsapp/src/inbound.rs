//! What the provider posts: a handshake by GET, batches of messages, statuses and the rest by POST.
//!
//! Everything is read item by item. What cannot be read is kept as it came and never costs its siblings their place.

mod content;
mod events;
mod item;
mod message;
mod people;

use std::time::Duration;

use heliograph_channel::{
    Inbound, Received, Refusal, Reply, WebhookRequest,
    json::{list, text},
};
use heliograph_proto::v1::{InboundEvent, content::Kind as Content, inbound_event::Kind};
use serde_json::Value;

use crate::settings::Number;
use item::Item;

/// How long somebody may be seen typing upon a message: the window in which they may answer it.
const TYPED_UPON: Duration = Duration::from_hours(24);

/// Verifies and parses one request.
pub(crate) fn receive(account: &Number, request: &WebhookRequest) -> Result<Received, Refusal> {
    request.is_at_its_url()?;
    account.settings.app.receive(request, |body| {
        let events = events(account, request.now_ms, body)?;
        Ok(Received { replies: said_last(&events), events, ..Received::default() })
    })
}

/// What each customer wrote last: typing is shown upon it.
fn said_last(events: &[InboundEvent]) -> Vec<Reply> {
    let reply = |event: &InboundEvent| {
        let Some(Kind::Message(message)) = &event.kind else { return None };
        let (said, user_id) = (message.content.as_ref()?, event.address.as_ref()?.user_id.clone());
        let beside =
            matches!(said.kind, Some(Content::Reaction(_) | Content::Edit(_) | Content::Deletion(_)));
        let value = message.provider_message_id.as_str().into();
        (!beside).then_some(Reply { user_id, value, valid_for: TYPED_UPON })
    };
    events.iter().filter_map(reply).collect()
}

fn events(account: &Number, now_ms: i64, body: Value) -> Result<Vec<InboundEvent>, Refusal> {
    let malformed = |problem: &str| Refusal::Malformed(problem.to_owned());
    let Value::Object(mut beyond) = body else { return Err(malformed("the body is not a JSON object")) };
    let Some(Value::Array(entries)) = beyond.remove("entry") else {
        return Err(malformed("`entry` is not a list"));
    };
    beyond.remove("object");
    let inbound = &Inbound::new(account, now_ms);
    let mut events = Vec::new();
    for entry in &entries {
        for change in list(entry, "changes") {
            let (business_account, field) = (text(entry, "id"), text(change, "field"));
            let value = &change["value"];
            let number = value["metadata"]["phone_number_id"].as_str();
            let ours = number.is_none_or(|number| number == account.settings.spec.phone_number_id);
            let whole = Item { inbound, business_account, value, field, list: "", index: 0, source: value };
            read(&whole, ours, &mut events);
        }
    }
    if let Some(first) = events.first_mut().filter(|_| !beyond.is_empty()) {
        item::keep_beside(first, beyond);
    }
    Ok(events)
}

/// One change: several items of one field, for one number.
fn read(change: &Item<'_>, ours: bool, events: &mut Vec<InboundEvent>) {
    let before = events.len();
    for name in ["messages", "statuses", "user_preferences", "message_echoes", "calls", "errors"] {
        for (index, source) in list(change.value, name).enumerate() {
            let item = Item { list: name, index, source, ..*change };
            events.extend(match (ours, item.field, name) {
                // A number of somebody else's, whose events come here because the app has one URL.
                (false, ..) => vec![item.unknown("other_number")],
                // Another app has the conversation: it is not ours to answer.
                (_, "standby", _) => vec![item.unknown(&format!("standby.{name}"))],
                (.., "messages") => message::read(&item),
                (.., "statuses") => vec![events::status(&item)],
                (.., "user_preferences") => vec![events::preference(&item)],
                (.., "message_echoes") => vec![item.unknown("echo")],
                (.., "calls") => vec![events::call(&item)],
                // What went wrong with no message in particular.
                _ => vec![item.unknown(&format!("error.{}", source["code"]))],
            });
        }
    }
    if events.len() == before {
        events.push(change.unknown(if change.field.is_empty() { "change" } else { change.field }));
    }
}
