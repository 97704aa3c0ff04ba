//! What customers do besides writing, and what became of messages of ours.

use heliograph_channel::json::{or, text};
use heliograph_graph::GraphError;
use heliograph_proto::v1::{
    AddressChange, ConsentSignal, InboundEvent, Receipt, ReceiptState, inbound_event::Kind,
};

use super::{item::Item, people};
use crate::codes;

/// Statuses come in any order, and not all of them come: what is read was delivered.
pub(super) fn status(item: &Item<'_>) -> InboundEvent {
    let (id, status) = (item.text("id"), item.text("status"));
    let state = match status {
        "sent" => ReceiptState::Sent,
        "delivered" => ReceiptState::Delivered,
        // A voice message that was played was read.
        "read" | "played" => ReceiptState::Read,
        "failed" => ReceiptState::Failed,
        _ => return item.unknown(&format!("status.{status}")),
    };
    if id.is_empty() {
        return item.unknown("status");
    }
    let (mut address, mut key) = (people::address(item), format!("status:{id}:{status}"));
    // In a group each participant has a status of their own.
    let participant = or(item.text("recipient_participant_user_id"), item.text("recipient_participant_id"));
    if !participant.is_empty() || item.text("recipient_type") == "group" {
        item.text("recipient_id").clone_into(&mut address.thread);
    }
    if !participant.is_empty() {
        key = format!("{key}:{participant}");
    }
    let error = (state == ReceiptState::Failed)
        .then(|| codes::delivery_error(GraphError::of(&item.source["errors"][0]).as_ref()));
    let receipt = Receipt {
        state: state.into(),
        provider_message_id: id.to_owned(),
        correlation: item.text("biz_opaque_callback_data").to_owned(),
        error,
        ..Receipt::default()
    };
    item.event(&key, address, Kind::Receipt(receipt))
}

/// A message of type `system`: whoever was reached by one id is reached by another from now on. A new number means a
/// new user id as well.
pub(super) fn system(item: &Item<'_>) -> InboundEvent {
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
    let time = &item.source["timestamp"];
    let time = time.as_str().map_or_else(|| time.to_string(), str::to_owned);
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
