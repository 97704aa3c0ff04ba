//! What is posted: entries of accounts, each with events of customers.

use heliograph_channel::{Account, Inbound, Received, Refusal, WebhookRequest, events::kept};
use heliograph_proto::v1::{InboundEvent, Raw};
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
    profile.app.receive(request, |body| {
        let inbound = Inbound::new(account, request.now_ms);
        Ok(Received { events: events(&inbound, profile, body)?, ..Received::default() })
    })
}

fn events(inbound: &Inbound<'_>, profile: &Profile, body: Value) -> Result<Vec<InboundEvent>, Refusal> {
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
    let (mut entry, odd) = match entry {
        Value::Object(entry) => (entry, None),
        odd => (Map::new(), Some(odd)),
    };
    let account = entry.get("id").map(id).unwrap_or_default();
    let object = batch.get("object").and_then(Value::as_str);
    let ours = object == Some(profile.product.object) && account == profile.id;
    let mut items: Vec<_> = odd.into_iter().map(|odd| (Place::Ours, odd)).collect();
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
    for (at, (place, item)) in items.into_iter().enumerate() {
        // What is around the items is kept once.
        let first = at == 0;
        let frame =
            Frame { batch: (first && events.is_empty()).then_some(batch), entry: first.then_some(&entry) };
        events.extend(Item::new(inbound, profile, frame, place, &item).read());
    }
}

/// What an item came in, without its siblings; for the first of them only.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    batch: Option<&'a Map<String, Value>>,
    entry: Option<&'a Map<String, Value>>,
}

impl Frame<'_> {
    /// Whether it holds nothing but what it always does.
    pub(super) fn is_known(&self) -> bool {
        let beyond = |fields: Option<&Map<String, Value>>, known: &[&str]| {
            fields.is_some_and(|fields| fields.keys().any(|name| !known.contains(&name.as_str())))
        };
        !beyond(self.batch, &["object"]) && !beyond(self.entry, &["id", "time"])
    }

    /// The item as it came; in its frame where that says more than it always does.
    pub(super) fn keep(&self, item: &Value) -> Raw {
        if self.is_known() {
            kept(item)
        } else {
            let mut entry = self.entry.cloned().unwrap_or_default();
            entry.insert("item".to_owned(), item.clone());
            let mut batch = self.batch.cloned().unwrap_or_default();
            batch.insert("entry".to_owned(), json!([entry]));
            kept(&Value::Object(batch))
        }
    }
}

/// Longer than any id of the provider's. An id goes into everything that is made of its event.
const LONGEST_ID: usize = 512;

/// An id as text, however it came; empty where there is none.
pub(super) fn id(value: &Value) -> String {
    match value {
        Value::String(id) if id.len() <= LONGEST_ID => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => String::new(),
    }
}

/// The same for the same item on every retry.
pub(super) fn fingerprint(item: &Value) -> String {
    hex::encode(&Sha256::digest(item.to_string())[..16])
}
