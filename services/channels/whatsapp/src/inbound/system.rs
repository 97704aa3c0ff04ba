//! What customers do besides writing: change their number, stop advertising, call.

use heliograph_channel::json::text;
use heliograph_proto::v1::{Address, AddressChange, ConsentSignal, InboundEvent, inbound_event::Kind};
use serde_json::Value;

use super::{
    item::Item,
    people::{self, or},
};

/// A message of type `system`: whoever was reached by one id is reached by another from now on. A new number means a
/// new user id as well.
pub(super) fn read(item: &Item<'_>) -> InboundEvent {
    let text = |name: &str| text(&item.source["system"], name);
    let kind = text("type");
    let (old_phone, new_phone) = match kind {
        "user_changed_number" | "customer_changed_number" => {
            (or(text("customer"), item.text("from")), or(text("wa_id"), text("new_wa_id")))
        }
        "user_changed_user_id" => (item.text("from"), text("wa_id")),
        _ => return item.unknown(&format!("system.{kind}")),
    };
    // Before the provider said which user id it was, the sender's was the old one.
    let old_id = or(text("previous_user_id"), item.text("from_user_id"));
    let previous = people::named(if old_id == text("user_id") { "" } else { old_id }, old_phone);
    let address = people::named(text("user_id"), new_phone);
    if previous.user_id.is_empty() || address.user_id.is_empty() || previous.user_id == address.user_id {
        return item.unknown(&format!("system.{kind}"));
    }
    let previous =
        Address { channel: item.account.channel.clone(), account: item.account.name.clone(), ..previous };
    item.event(item.text("id"), address, Kind::AddressChange(AddressChange { previous: Some(previous) }))
}

/// The customer's own setting: no more advertising, or advertising again.
pub(super) fn preference(item: &Item<'_>) -> InboundEvent {
    let (category, value) = (item.text("category"), item.text("value"));
    let address = people::address(item);
    let granted = match (category, value) {
        ("marketing_messages", "stop") => false,
        ("marketing_messages", "resume" | "signup") => true,
        _ => return item.unknown("user_preferences"),
    };
    if address.user_id.is_empty() {
        return item.unknown("user_preferences");
    }
    let time = match &item.source["timestamp"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let key = format!("user_preferences:{}:{time}:{value}", address.user_id);
    let consent = ConsentSignal {
        granted,
        purpose: "marketing".to_owned(),
        source: format!("whatsapp: {category} {value}"),
        confirmed_by_provider: true,
    };
    item.event(&key, address, Kind::Consent(consent))
}

/// A call of the customer's opens the window as a message does. Its media are elsewhere.
pub(super) fn call(item: &Item<'_>) -> InboundEvent {
    let mut unknown = item.unknown(&format!("call.{}", item.text("event")));
    if item.text("direction") == "USER_INITIATED" {
        "message".clone_into(&mut unknown.opens_window);
    }
    unknown
}
