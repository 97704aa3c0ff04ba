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

use heliograph_channel::{Account, Received, Refusal, Reply, WebhookRequest};
use heliograph_proto::v1::{InboundEvent, content::Kind as ContentKind, inbound_event::Kind};
use http::Method;
use serde_json::{Map, Value};

use crate::WhatsAppSettings;
use item::Item;

/// How long somebody may be seen typing upon a message: the window in which they may answer it.
const TYPED_UPON: Duration = Duration::from_hours(24);

/// Fields around every batch; what is beyond them is kept with the first event.
const ENVELOPE: [&str; 2] = ["object", "entry"];

/// Verifies and parses one request.
pub(crate) fn receive(
    account: &Account<WhatsAppSettings>,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    if !matches!(request.path.as_str(), "" | "/") {
        return Err(Refusal::NoSuchPath(request.path.clone()));
    }
    match request.method {
        Method::GET => heliograph_graph::handshake(request, &account.settings.verify_tokens),
        Method::POST => {
            heliograph_graph::verify(request, &account.settings.app_secrets)?;
            let events = events(account, request)?;
            Ok(Received { replies: said_last(&events), events, ..Received::default() })
        }
        _ => Err(Refusal::Method("GET or POST")),
    }
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
    request: &WebhookRequest,
) -> Result<Vec<InboundEvent>, Refusal> {
    let malformed = |problem: &str| Refusal::Malformed(problem.to_owned());
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|error| Refusal::Malformed(format!("not JSON: {error}")))?;
    let envelope = body.as_object().ok_or_else(|| malformed("the body is not a JSON object"))?;
    let entries = body["entry"].as_array().ok_or_else(|| malformed("`entry` is not a list"))?;
    let mut events = Vec::new();
    for entry in entries {
        let id = entry["id"].as_str().unwrap_or_default();
        for change in entry["changes"].as_array().into_iter().flatten() {
            let change = Change { account, now_ms: request.now_ms, business_account: id, change };
            change.read(&mut events);
        }
    }
    let beyond: Map<String, Value> = envelope
        .iter()
        .filter(|(name, _)| !ENVELOPE.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if let Some(first) = events.first_mut().filter(|_| !beyond.is_empty()) {
        item::keep_beside(first, beyond);
    }
    Ok(events)
}

/// One change: several items of one field, for one number.
#[expect(clippy::struct_field_names, reason = "the provider's own word")]
struct Change<'a> {
    account: &'a Account<WhatsAppSettings>,
    now_ms: i64,
    business_account: &'a str,
    change: &'a Value,
}

impl<'a> Change<'a> {
    fn read(&self, events: &mut Vec<InboundEvent>) {
        let before = events.len();
        let value = &self.change["value"];
        let field = self.change["field"].as_str().unwrap_or_default();
        let number = value["metadata"]["phone_number_id"].as_str();
        let ours = number.is_none_or(|number| number == self.account.settings.spec.phone_number_id);
        for list in ["messages", "statuses", "user_preferences", "message_echoes", "calls", "errors"] {
            for (index, source) in value[list].as_array().into_iter().flatten().enumerate() {
                let item = self.item(field, list, index, source);
                match (ours, field, list) {
                    // A number of somebody else's, whose events come here because the app has one URL.
                    (false, ..) => events.push(item.unknown("other_number")),
                    // Another app has the conversation: it is not ours to answer.
                    (_, "standby", _) => events.push(item.unknown(&format!("standby.{list}"))),
                    (.., "messages") => message::read(&item, events),
                    (.., "statuses") => events.push(status::read(&item)),
                    (.., "user_preferences") => events.push(system::preference(&item)),
                    (.., "message_echoes") => events.push(item.unknown("echo")),
                    (.., "calls") => events.push(system::call(&item)),
                    _ => events.push(item.unknown(&error_name(source))),
                }
            }
        }
        if events.len() == before {
            let name = if field.is_empty() { "change" } else { field };
            events.push(self.item(field, "", 0, value).unknown(name));
        }
    }

    fn item(&self, field: &'a str, list: &'a str, index: usize, source: &'a Value) -> Item<'a> {
        Item {
            account: self.account,
            now_ms: self.now_ms,
            business_account: self.business_account,
            value: &self.change["value"],
            field,
            list,
            index,
            source,
        }
    }
}

/// What went wrong with no message in particular.
fn error_name(error: &Value) -> String {
    format!("error.{}", error["code"])
}
