//! What the provider posts: a handshake by GET, batches of messages, statuses and the rest by POST.
//!
//! Everything is read item by item. What cannot be read is kept as it came and never costs its siblings their place.

mod content;
mod item;
mod message;
mod people;
mod status;
mod system;

use std::time::Duration;

use heliograph_channel::{
    Account, Received, Refusal, Reply, WebhookRequest,
    json::{list, text},
};
use heliograph_proto::v1::{InboundEvent, content::Kind as ContentKind, inbound_event::Kind};
use serde_json::Value;

use crate::WhatsAppSettings;
use item::Item;

/// How long somebody may be seen typing upon a message: the window in which they may answer it.
const TYPED_UPON: Duration = Duration::from_hours(24);

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<WhatsAppSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    if !matches!(request.path.as_str(), "" | "/") {
        return Err(Refusal::NoSuchPath(request.path.clone()));
    }
    account.settings.app.receive(request, |body| {
        let events = events(account, request.now_ms, body)?;
        Ok(Received { replies: said_last(&events), events, ..Received::default() })
    })
}

/// What each customer wrote last: typing is shown upon it.
fn said_last(events: &[InboundEvent]) -> Vec<Reply> {
    let reply = |event: &InboundEvent| {
        let Some(Kind::Message(message)) = &event.kind else { return None };
        let kind = message.content.as_ref()?.kind.as_ref()?;
        let written =
            !matches!(kind, ContentKind::Reaction(_) | ContentKind::Edit(_) | ContentKind::Deletion(_));
        written.then(|| Reply {
            user_id: event.address.as_ref().map(|address| address.user_id.clone()).unwrap_or_default(),
            value: message.provider_message_id.as_str().into(),
            valid_for: TYPED_UPON,
        })
    };
    events.iter().filter_map(reply).collect()
}

fn events(
    account: &Account<WhatsAppSettings>,
    now_ms: i64,
    body: Value,
) -> Result<Vec<InboundEvent>, Refusal> {
    let malformed = |problem: &str| Refusal::Malformed(problem.to_owned());
    let Value::Object(mut beyond) = body else { return Err(malformed("the body is not a JSON object")) };
    let Some(Value::Array(entries)) = beyond.remove("entry") else {
        return Err(malformed("`entry` is not a list"));
    };
    beyond.remove("object");
    let mut events = Vec::new();
    for entry in &entries {
        for change in list(entry, "changes") {
            let (business_account, field) = (text(entry, "id"), text(change, "field"));
            let value = &change["value"];
            let whole =
                Item { account, now_ms, business_account, value, field, list: "", index: 0, source: value };
            read(&whole, &mut events);
        }
    }
    if let Some(first) = events.first_mut().filter(|_| !beyond.is_empty()) {
        item::keep_beside(first, beyond);
    }
    Ok(events)
}

/// One change: several items of one field, for one number.
fn read(change: &Item<'_>, events: &mut Vec<InboundEvent>) {
    let before = events.len();
    let number = change.value["metadata"]["phone_number_id"].as_str();
    let ours = number.is_none_or(|number| number == change.account.settings.spec.phone_number_id);
    for name in ["messages", "statuses", "user_preferences", "message_echoes", "calls", "errors"] {
        for (index, source) in list(change.value, name).enumerate() {
            let item = Item { list: name, index, source, ..*change };
            events.extend(match (ours, item.field, name) {
                // A number of somebody else's, whose events come here because the app has one URL.
                (false, ..) => vec![item.unknown("other_number")],
                // Another app has the conversation: it is not ours to answer.
                (_, "standby", _) => vec![item.unknown(&format!("standby.{name}"))],
                (.., "messages") => message::read(&item),
                (.., "statuses") => vec![status::read(&item)],
                (.., "user_preferences") => vec![system::preference(&item)],
                (.., "message_echoes") => vec![item.unknown("echo")],
                (.., "calls") => vec![system::call(&item)],
                // What went wrong with no message in particular.
                _ => vec![item.unknown(&format!("error.{}", source["code"]))],
            });
        }
    }
    if events.len() == before {
        events.push(change.unknown(if change.field.is_empty() { "change" } else { change.field }));
    }
}
