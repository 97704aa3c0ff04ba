//! What kind of event it is decides what becomes of it.

use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};

use super::{Case, consent, message, read, receipt, signals};
use crate::error::Failure;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Handled {
    /// Everything it causes is stored.
    Done,
    /// It belongs to something that is not known yet: ask again.
    Wait,
}

/// The kind, for metrics.
pub(super) fn kind_name(event: Option<&InboundEvent>) -> &'static str {
    match event.and_then(|event| event.kind.as_ref()) {
        Some(Kind::Message(_)) => "message",
        Some(Kind::Receipt(_)) => "receipt",
        Some(Kind::Typing(_)) => "typing",
        Some(Kind::ReadMark(_)) => "read_mark",
        Some(Kind::Consent(_)) => "consent",
        Some(Kind::ConversationStart(_)) => "conversation_start",
        Some(Kind::AddressChange(_)) => "address_change",
        Some(Kind::Unknown(_)) => "unknown",
        None => "none",
    }
}

/// Handles one event.
pub(super) async fn handle(case: Case<'_>, may_wait: bool) -> Result<Handled, Failure> {
    match &case.event.kind {
        // Boxed: it is by far the largest, and every other kind would have to make room for it.
        Some(Kind::Message(message)) => Box::pin(message::propose(case, message)).await,
        Some(Kind::Receipt(receipt)) => receipt::receipt(case, receipt, may_wait).await,
        Some(Kind::ReadMark(mark)) => read::read_mark(case, mark, may_wait).await,
        Some(Kind::Typing(typing)) => signals::typing(case, typing).await,
        Some(Kind::Consent(signal)) => consent::signal(case, signal).await,
        Some(Kind::ConversationStart(_)) => signals::start(case).await,
        Some(Kind::AddressChange(change)) => signals::address_change(case, change).await,
        Some(Kind::Unknown(unknown)) => signals::unknown(case, &unknown.kind).await,
        // A kind that a newer ingress knows: kept, as what we do not understand.
        None => signals::unknown(case, "").await,
    }
}
