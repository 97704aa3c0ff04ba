//! What became of a message of ours.

use heliograph_graph::GraphError;
use heliograph_proto::v1::{InboundEvent, Receipt, ReceiptState, inbound_event::Kind};

use super::{
    item::Item,
    people::{self, or},
};
use crate::codes;

/// Statuses come in any order, and not all of them come: what is read was delivered.
pub(super) fn read(item: &Item<'_>) -> InboundEvent {
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
