//! One item of a batch, with what stands around it.

use heliograph_channel::{
    Inbound,
    events::{kept, seconds},
    json,
};
use heliograph_domain::ids;
use heliograph_proto::{
    Timestamp,
    v1::{Address, InboundEvent, Raw, inbound_event::Kind},
};
use serde_json::{Map, Value, json};

use super::people;

/// The histories of chats that come with a number are larger than what the stream takes.
const LARGEST: usize = 256 * 1024;

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) inbound: &'a Inbound<'a>,
    /// Id of the business account.
    pub(super) business_account: &'a str,
    /// What the item is in: `metadata`, `contacts` and lists.
    pub(super) value: &'a Value,
    /// What the app subscribed to: `messages`.
    pub(super) field: &'a str,
    /// The list it stands in; empty: none, and the item is all of `value`.
    pub(super) list: &'a str,
    pub(super) index: usize,
    pub(super) source: &'a Value,
}

impl<'a> Item<'a> {
    /// A text of the item's; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &'a str {
        json::text(self.source, name)
    }

    /// Seconds since 1970, as text or as a number.
    pub(super) fn time(&self) -> Option<Timestamp> {
        seconds(&self.source["timestamp"])
    }

    pub(super) fn event(&self, id: &str, address: Address, kind: Kind) -> InboundEvent {
        self.inbound.event(id, address, self.time(), kind)
    }

    /// The item as it came.
    pub(super) fn unknown(&self, kind: &str) -> InboundEvent {
        let address = people::address(self);
        self.inbound.unknown(&self.fallback_id(), address, self.time(), kind, self.raw())
    }

    /// What a retry repeats, for items without an id, or with one that others have too.
    fn fallback_id(&self) -> String {
        let id = self.text("id");
        if id.is_empty() || matches!(self.list, "statuses" | "calls") {
            let source = self.source.to_string();
            let digest = ids::derive(ids::EVENT, &[self.business_account, self.list, &source]);
            return format!("{}:{digest}", self.field);
        }
        format!("{}:{id}", self.list)
    }

    /// The request as it would be with this item alone; of what no event can hold, how much it was.
    pub(super) fn raw(&self) -> Raw {
        let whole = || self.value.as_object().cloned().unwrap_or_default();
        let value = if self.list.is_empty() { whole() } else { self.alone() };
        let change = json!({ "field": self.field, "value": value });
        let entry = json!({ "id": self.business_account, "changes": [change] });
        let alone = kept(&json!({ "object": "whatsapp_business_account", "entry": [entry] }));
        if alone.body.len() <= LARGEST {
            return alone;
        }
        kept(&json!({ "field": self.field, "omitted_bytes": alone.body.len() }))
    }

    /// What the item is in, without its siblings.
    fn alone(&self) -> Map<String, Value> {
        let mut alone = Map::from_iter([(self.list.to_owned(), json!([self.source]))]);
        for name in ["messaging_product", "metadata"] {
            alone.extend(self.value.get(name).map(|around| (name.to_owned(), around.clone())));
        }
        alone.extend(people::contact(self).map(|contact| ("contacts".to_owned(), json!([contact]))));
        alone
    }
}

/// Fields around the batch that nobody knows, kept with `event`.
pub(super) fn keep_beside(event: &mut InboundEvent, beyond: Map<String, Value>) {
    let known = event.raw.as_ref().and_then(|raw| serde_json::from_slice(&raw.body).ok());
    let mut all: Map<String, Value> = known.unwrap_or_default();
    all.extend(beyond);
    event.raw = Some(kept(&all.into()));
}
