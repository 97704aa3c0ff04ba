//! What is posted: entries of accounts, each with events of customers.

use heliograph_channel::{Account, Inbound, Received, Refusal, WebhookRequest, inbound::raw};
use heliograph_proto::v1::{InboundEvent, Raw};
use http::Method;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Profile, event::Item};

/// Verifies and reads one request: the handshake by GET, events by POST.
///
/// # Errors
/// [`Refusal`] where it is not from the provider, or not what the provider's protocol says at all. Anything genuine
/// is kept, at least as it came: a refusal would make the provider send it again and again.
pub fn receive<S>(
    account: &Account<S>,
    profile: &Profile,
    request: &WebhookRequest,
) -> Result<Received, Refusal> {
    match request.method {
        Method::GET => crate::handshake(request, &profile.verify_tokens),
        Method::POST => {
            crate::verify(request, &profile.app_secrets)?;
            let inbound = Inbound::new(account, request.now_ms);
            Ok(Received { events: events(&inbound, profile, &request.body)?, ..Received::default() })
        }
        _ => Err(Refusal::Method("GET or POST")),
    }
}

fn events(inbound: &Inbound<'_>, profile: &Profile, body: &[u8]) -> Result<Vec<InboundEvent>, Refusal> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::Malformed(format!("the body is not JSON: {error}")))?;
    // Some documents show the batch within an array.
    let batches = match body {
        Value::Array(batches) => batches,
        batch => vec![batch],
    };
    let mut events = Vec::new();
    for batch in batches {
        let Value::Object(mut batch) = batch else {
            return Err(Refusal::Malformed("the body is not an object or an array of objects".to_owned()));
        };
        if !batch.get("object").is_some_and(Value::is_string) {
            return Err(Refusal::Malformed("`object` is missing".to_owned()));
        }
        let Some(Value::Array(entries)) = batch.remove("entry") else {
            return Err(Refusal::Malformed("`entry` is missing or not an array".to_owned()));
        };
        for entry in entries {
            read_entry(inbound, profile, &batch, entry, &mut events);
        }
    }
    Ok(events)
}

/// Where items of an entry stand, and what they are called when they are not understood.
const LISTS: [(&str, Place); 3] =
    [("messaging", Place::Ours), ("standby", Place::Standby), ("changes", Place::Change)];

/// Whose an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The account's to answer.
    Ours,
    /// Another app has the conversation; we only hear of it.
    Standby,
    /// Not of a conversation: something of the account changed.
    Change,
    /// Of another account of the same app.
    Foreign,
}

fn read_entry(
    inbound: &Inbound<'_>,
    profile: &Profile,
    batch: &Map<String, Value>,
    entry: Value,
    events: &mut Vec<InboundEvent>,
) {
    let Value::Object(mut entry) = entry else {
        let frame = Frame { batch, entry: &Map::new() };
        events.push(Item::new(inbound, profile, frame, Place::Ours, &entry).unreadable());
        return;
    };
    let ours = batch.get("object").and_then(Value::as_str) == Some(profile.product.object)
        && id(entry.get("id").unwrap_or(&Value::Null)) == profile.id;
    let mut items = Vec::new();
    for (list, place) in LISTS {
        let place = if ours { place } else { Place::Foreign };
        match entry.remove(list) {
            Some(Value::Array(list)) => items.extend(list.into_iter().map(|item| (place, item))),
            Some(other) => items.push((place, other)),
            None => {}
        }
    }
    if items.is_empty() {
        items.push((if ours { Place::Change } else { Place::Foreign }, Value::Object(entry.clone())));
    }
    for (place, item) in items {
        let frame = Frame { batch, entry: &entry };
        events.extend(Item::new(inbound, profile, frame, place, &item).read());
    }
}

/// What an item came in, without its siblings.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    batch: &'a Map<String, Value>,
    entry: &'a Map<String, Value>,
}

impl Frame<'_> {
    /// Whether it holds fields nobody knows, which are kept with the item.
    pub(super) fn is_known(&self) -> bool {
        self.batch.keys().all(|key| key == "object")
            && self.entry.keys().all(|key| ["id", "time"].contains(&key.as_str()))
    }

    /// The item as it came; in its frame where that says more than it always does.
    pub(super) fn keep(&self, item: &Value) -> Raw {
        let kept = if self.is_known() {
            item.to_string()
        } else {
            let mut entry = self.entry.clone();
            entry.insert("item".to_owned(), item.clone());
            let mut batch = self.batch.clone();
            batch.insert("entry".to_owned(), json!([entry]));
            Value::Object(batch).to_string()
        };
        raw("application/json", &kept.into())
    }

    /// Whose entry it stood in.
    pub(super) fn account(&self) -> String {
        self.entry.get("id").map(id).unwrap_or_default()
    }
}

/// An id as text, however it came.
pub(super) fn id(value: &Value) -> String {
    match value {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => String::new(),
    }
}

/// The same for the same item on every retry.
pub(super) fn fingerprint(item: &Value) -> String {
    hex::encode(&Sha256::digest(item.to_string())[..16])
}
