//! How far a customer has read, by a message or by a time: everything sent to them until then is read.

use heliograph_domain::event::read_id;
use heliograph_proto::v1::{Event, MessageRead, MessageReference, ReadMark, event::Payload};
use heliograph_store::{Millis, deliveries::Reference};

use super::{
    Case,
    handle::Handled,
    receipt::{about, unknown},
    signals, stored_address,
};
use crate::error::Failure;

/// How far the provider's clock may be behind ours. A message that we sent so shortly after the customer looked counts as
/// read: they have the conversation before them.
const SKEW_MS: Millis = 1_000;

/// The customer has read what we sent.
pub(super) async fn read_mark(case: Case<'_>, mark: &ReadMark, may_wait: bool) -> Result<Handled, Failure> {
    let named =
        |up_to: &&MessageReference| !(up_to.message_id.is_empty() && up_to.provider_message_id.is_empty());
    match (mark.up_to.as_ref().filter(named), &mark.until) {
        (Some(up_to), _) => up_to_message(case, up_to, may_wait).await,
        (None, Some(until)) => {
            // Nobody has read what is yet to be sent, whatever the provider's clock says.
            let until = until.millis().min(case.received_ms());
            read_until(case, until.saturating_add(SKEW_MS)).await
        }
        (None, None) => unknown(case, "read_mark", None).await,
    }
}

async fn up_to_message(case: Case<'_>, up_to: &MessageReference, may_wait: bool) -> Result<Handled, Failure> {
    let mut found = case.delivery(&[&up_to.provider_message_id, &up_to.message_id]).await?;
    if found.is_none() && !up_to.message_id.is_empty() {
        // A channel that knows our own ids: the message is of the conversation that is open.
        found = signals::open_conversation(case).await?.map(|open| Reference {
            message_id: up_to.message_id.clone(),
            conversation_id: open.conversation,
            region: open.region,
            contact: open.contact,
        });
    }
    let Some(found) = found else {
        return if may_wait { Ok(Handled::Wait) } else { unknown(case, "read_mark", None).await };
    };
    let address = stored_address(case.address);
    let unread = case.intake.deliveries.unread(&case.event.tenant, &address).await?;
    if let Some(sent) = unread.iter().find(|sent| sent.reference.message_id == found.message_id) {
        return read_until(case, sent.sent_at_ms).await;
    }
    // It was not written down, or is known to be read.
    case.publish(read(case, &found)).await?;
    Ok(Handled::Done)
}

/// Says of each message sent until then that it is read, and writes down how far they are.
async fn read_until(case: Case<'_>, until_ms: Millis) -> Result<Handled, Failure> {
    let (deliveries, tenant) = (&case.intake.deliveries, &case.event.tenant);
    let address = stored_address(case.address);
    let mut told: Vec<String> = Vec::new();
    loop {
        for sent in deliveries.unread(tenant, &address).await? {
            let id = &sent.reference.message_id;
            if sent.sent_at_ms <= until_ms && !told.contains(id) {
                case.publish(read(case, &sent.reference)).await?;
                told.push(id.clone());
            }
        }
        if deliveries.put_read(tenant, &address, until_ms, &told).await? {
            return Ok(Handled::Done);
        }
    }
}

/// The same event whichever mark says so.
fn read(case: Case<'_>, found: &Reference) -> Event {
    let message_id = found.message_id.clone();
    let id = read_id(&case.event.tenant, &message_id);
    Event { id, ..about(case, found, "read", Payload::MessageRead(MessageRead { message_id })) }
}
