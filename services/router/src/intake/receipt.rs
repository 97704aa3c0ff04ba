//! What became of a message of ours, said by the provider.

use heliograph_domain::ids;
use heliograph_proto::v1::{
    Event, MessageDelivered, MessageFailed, MessageRead, Receipt, ReceiptState, UnknownReceived,
    event::Payload,
};
use heliograph_store::deliveries::Reference;

use super::{Case, handle::Handled};
use crate::error::Failure;

/// Receipts of one message stay in order.
pub(super) fn lane(receipt: &Receipt) -> String {
    let Receipt { correlation, message_id, provider_message_id, .. } = receipt;
    format!("receipt\u{1f}{correlation}\u{1f}{message_id}\u{1f}{provider_message_id}")
}

/// Publishes what a receipt says of its message. States that tell integrators nothing new are dropped: egress has
/// said `message.sent` itself.
pub(super) async fn receipt(case: Case<'_>, receipt: &Receipt, may_wait: bool) -> Result<Handled, Failure> {
    if matches!(receipt.state(), ReceiptState::Accepted | ReceiptState::Sent) {
        return Ok(Handled::Done);
    }
    let found = match correlated(&receipt.correlation) {
        Some(found) => Some(found),
        None => case.delivery(&[&receipt.provider_message_id, &receipt.message_id]).await?,
    };
    let Some(found) = found else {
        if may_wait {
            return Ok(Handled::Wait);
        }
        return unknown(case, "receipt", Some(receipt.clone())).await;
    };
    let message_id = found.message_id.clone();
    let (effect, payload) = match receipt.state() {
        ReceiptState::Delivered => ("delivered", Payload::MessageDelivered(MessageDelivered { message_id })),
        ReceiptState::Read => ("read", Payload::MessageRead(MessageRead { message_id })),
        ReceiptState::Failed => {
            let error = receipt.error.clone();
            ("failed", Payload::MessageFailed(MessageFailed { message_id, error, attempt: 0 }))
        }
        ReceiptState::Unspecified | ReceiptState::Accepted | ReceiptState::Sent => {
            return unknown(case, "receipt", Some(receipt.clone())).await;
        }
    };
    case.publish(about(case, &found, effect, payload)).await?;
    Ok(Handled::Done)
}

impl Case<'_> {
    /// The delivery that one of these ids of the provider's stands for.
    pub(super) async fn delivery(&self, ids: &[&str]) -> Result<Option<Reference>, Failure> {
        let event = self.event;
        for id in ids.iter().filter(|id| !id.is_empty()) {
            let found =
                self.intake.deliveries.reference(&event.tenant, &event.channel, &event.account, id).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

/// `<message id>.<conversation id>.<region>`, as egress hands it to the channel.
fn correlated(correlation: &str) -> Option<Reference> {
    let mut parts = correlation.split('.');
    let (message, conversation, region) = (parts.next()?, parts.next()?, parts.next()?);
    let is = |id: &str, prefix: &str| id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'));
    let whole = parts.next().is_none()
        && is(message, ids::MESSAGE)
        && is(conversation, ids::CONVERSATION)
        && ids::is_name(region)
        && [message, conversation].iter().all(|id| heliograph_fabric::subjects::is_token(id));
    whole.then(|| Reference {
        message_id: message.to_owned(),
        conversation_id: conversation.to_owned(),
        region: region.to_owned(),
        contact: String::new(),
    })
}

/// An event about the message, in its conversation.
pub(super) fn about(case: Case<'_>, found: &Reference, effect: &str, payload: Payload) -> Event {
    let mut event = case.event_of(effect, payload, None);
    event.conversation.clone_from(&found.conversation_id);
    event.region.clone_from(&found.region);
    event.contact.clone_from(&found.contact);
    event
}

/// Kept: nobody knows what it is about.
pub(super) async fn unknown(
    case: Case<'_>,
    kind: &str,
    receipt: Option<Receipt>,
) -> Result<Handled, Failure> {
    let payload =
        UnknownReceived { kind: kind.to_owned(), raw: case.event.raw.clone(), receipt, content: None };
    case.publish(case.event_of("unknown", Payload::UnknownReceived(payload), None)).await?;
    Ok(Handled::Done)
}

#[cfg(test)]
mod tests {
    use super::correlated;

    #[test]
    fn correlations_are_read_and_foreign_strings_are_not() {
        let found = correlated("msg_1a.cnv_2b.north-america").expect("ours");
        assert_eq!((found.message_id.as_str(), found.conversation_id.as_str()), ("msg_1a", "cnv_2b"));
        assert_eq!(found.region, "north-america");
        for foreign in [
            "",
            "msg_1",
            "msg_1.cnv_2",
            "msg_1.cnv_2.x.y",
            "evt_1.cnv_2.x",
            "msg_1.cnv_*.x",
            "msg_1.cnv_2.A b",
        ] {
            assert!(correlated(foreign).is_none(), "{foreign}");
        }
    }
}
