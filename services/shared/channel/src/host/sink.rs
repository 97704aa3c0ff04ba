//! Where inbound events become durable.

use async_trait::async_trait;
use heliograph_domain::ids;
use heliograph_fabric::{Envelope, Fabric, PublishError, subjects};
use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};
use tokio::time::Instant;

/// Stores events. The host's is the broker; tests have their own.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Returns when `event` is durable, or the deadline has passed.
    ///
    /// # Errors
    /// See [`SinkError`].
    async fn store(&self, event: &InboundEvent, deadline: Instant) -> Result<Stored, SinkError>;
}

/// What storing did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is there now.
    New,
    /// It was there already.
    Before,
}

/// Why an event is not known to be durable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// The broker is away or has no room. Trying again later with the same id is right.
    #[error("the broker is away: {0}")]
    Away(String),
    /// It is larger than the broker takes. Trying again changes nothing.
    #[error("the event is too large for the broker: {0}")]
    TooLarge(String),
    /// A fault of our own.
    #[error("the event cannot be stored: {0}")]
    Refused(String),
}

/// HG_INBOUND.
pub(super) struct InboundStream {
    pub fabric: Fabric,
    /// How many partitions the stream has.
    pub partitions: u16,
    /// `ce-source`.
    pub source: String,
}

#[async_trait]
impl Sink for InboundStream {
    async fn store(&self, event: &InboundEvent, deadline: Instant) -> Result<Stored, SinkError> {
        let InboundEvent { tenant, channel, account, .. } = event;
        let user = event.address.as_ref().map_or("", |address| address.user_id.as_str());
        // A receipt often names no customer: its own id spreads it over the partitions instead.
        let user = if user.is_empty() { event.id.as_str() } else { user };
        let partition = subjects::partition_of_address(tenant, channel, account, user, self.partitions);
        let subject = subjects::inbound(partition, tenant, channel)
            .map_err(|error| SinkError::Refused(error.to_string()))?;
        let received_ms =
            event.received_at.as_ref().map_or(0, |at| at.seconds * 1000 + i64::from(at.nanos / 1_000_000));
        let envelope = Envelope::of(&event.id, kind(event), &self.source, received_ms, event);
        match self.fabric.publish(&subject, &envelope, Some(deadline)).await {
            Ok(published) if published.duplicate => Ok(Stored::Before),
            Ok(_) => Ok(Stored::New),
            Err(error @ PublishError::TooLarge { .. }) => Err(SinkError::TooLarge(error.to_string())),
            Err(error) if error.is_away() => Err(SinkError::Away(error.to_string())),
            Err(error) => Err(SinkError::Refused(error.to_string())),
        }
    }
}

/// `ce-type` of an event, also its label in metrics.
pub(super) fn kind(event: &InboundEvent) -> &'static str {
    match &event.kind {
        Some(Kind::Message(_)) => "inbound.message",
        Some(Kind::Receipt(_)) => "inbound.receipt",
        Some(Kind::Typing(_)) => "inbound.typing",
        Some(Kind::ReadMark(_)) => "inbound.read_mark",
        Some(Kind::Consent(_)) => "inbound.consent",
        Some(Kind::ConversationStart(_)) => "inbound.conversation_start",
        Some(Kind::AddressChange(_)) => "inbound.address_change",
        Some(Kind::Unknown(_)) | None => "inbound.unknown",
    }
}

/// The id under which a body is remembered beside the event it brought.
pub(super) fn body_id(event_id: &str, body: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    let hash = hex::encode(Sha256::digest(body));
    ids::derive("bod", &[event_id, &hash])
}
