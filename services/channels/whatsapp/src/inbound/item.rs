//! One item of a batch, with what stands around it.

use heliograph_channel::{Account, Inbound, inbound, json};
use heliograph_domain::ids;
use heliograph_proto::{
    Timestamp,
    v1::{Address, InboundEvent, Raw, UnknownEvent, inbound_event::Kind},
};
use serde_json::{Map, Value, json};

use super::people;
use crate::WhatsAppSettings;

/// The histories of chats that come with a number are larger than what the stream takes.
const LARGEST: usize = 256 * 1024;

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    pub(super) account: &'a Account<WhatsAppSettings>,
    pub(super) now_ms: i64,
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
        let seconds = json::integer(&self.source["timestamp"])?;
        // What no calendar holds is no time.
        (0..=253_402_300_799).contains(&seconds).then_some(Timestamp { seconds, nanos: 0 })
    }

    pub(super) fn inbound(&self) -> Inbound<'a> {
        Inbound::new(self.account, self.now_ms)
    }

    pub(super) fn event(&self, id: &str, address: Address, kind: Kind) -> InboundEvent {
        self.inbound().event(id, address, self.time(), kind)
    }

    /// The item as it came.
    pub(super) fn unknown(&self, kind: &str) -> InboundEvent {
        let unknown = Kind::Unknown(UnknownEvent { kind: kind.to_owned() });
        let event = self.event(&self.fallback_id(), people::address(self), unknown);
        InboundEvent { raw: Some(self.raw()), ..event }
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
        let value = if self.list.is_empty() { self.value.clone() } else { self.alone() };
        let change = json!({ "field": self.field, "value": value });
        let entry = json!({ "id": self.business_account, "changes": [change] });
        let alone = raw(&json!({ "object": "whatsapp_business_account", "entry": [entry] }));
        if alone.body.len() <= LARGEST {
            return alone;
        }
        raw(&json!({ "field": self.field, "omitted_bytes": alone.body.len() }))
    }

    /// What the item is in, without its siblings.
    fn alone(&self) -> Value {
        let mut alone = Map::from_iter([(self.list.to_owned(), json!([self.source]))]);
        for name in ["messaging_product", "metadata"] {
            alone.extend(self.value.get(name).map(|around| (name.to_owned(), around.clone())));
        }
        alone.extend(people::contact(self).map(|contact| ("contacts".to_owned(), json!([contact]))));
        Value::Object(alone)
    }
}

/// Fields around the batch that nobody knows, kept with `event`.
pub(super) fn keep_beside(event: &mut InboundEvent, beyond: Map<String, Value>) {
    let kept = event.raw.as_ref().and_then(|raw| serde_json::from_slice(&raw.body).ok());
    let mut kept: Map<String, Value> = kept.unwrap_or_default();
    kept.extend(beyond);
    event.raw = Some(raw(&Value::Object(kept)));
}

fn raw(body: &Value) -> Raw {
    inbound::raw("application/json", &body.to_string().into())
}
