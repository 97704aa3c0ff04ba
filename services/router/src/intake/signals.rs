//! What customers and providers say beside messages: typing, first steps, new addresses, the unknown.

use heliograph_proto::v1::{
    AddressChange, ContactUpdated, CustomerTyping, Typing, UnknownReceived, event::Payload,
};

use super::{Case, REDIS_PATIENCE, handle::Handled, join, message::open_windows, stored_address};
use crate::error::Failure;

/// A conversation that is open, as the read model knows it.
pub(super) struct Open {
    pub(super) conversation: String,
    pub(super) region: String,
    pub(super) contact: String,
}

/// The open conversation of whoever has this address, if Redis knows it.
pub(super) async fn open_conversation(case: Case<'_>) -> Result<Option<Open>, Failure> {
    let Case { intake, event, address, .. } = case;
    if !intake.redis.is_up() {
        return Ok(None);
    }
    let Some(contact) = intake.contacts.find(&event.tenant, &stored_address(address)).await? else {
        return Ok(None);
    };
    let looked_up = tokio::time::timeout(REDIS_PATIENCE, intake.open.get(&event.tenant, &contact.id)).await;
    let Ok(Ok(Some(mut fields))) = looked_up else { return Ok(None) };
    let (Some(conversation), Some(region)) = (fields.remove("conversation"), fields.remove("region")) else {
        return Ok(None);
    };
    Ok(Some(Open { conversation, region, contact: contact.id.clone() }))
}

/// Typing is worth something for a moment: without an open conversation at hand it is dropped.
pub(super) async fn typing(case: Case<'_>, typing: &Typing) -> Result<Handled, Failure> {
    if let Some(open) = open_conversation(case).await? {
        let mut event =
            case.event_of("typing", Payload::CustomerTyping(CustomerTyping { on: typing.on }), None);
        event.conversation = open.conversation;
        event.region = open.region;
        event.contact = open.contact;
        case.publish(event).await?;
    }
    Ok(Handled::Done)
}

/// The customer is here and has said nothing yet: the contact exists from now on, and a window may open.
pub(super) async fn start(case: Case<'_>) -> Result<Handled, Failure> {
    let resolved = case.contact().await?;
    open_windows(case, None).await;
    if !resolved.created {
        updated(case, "started", &resolved.contact).await?;
    }
    Ok(Handled::Done)
}

/// The new address is the old contact's, unless it already is somebody's.
pub(super) async fn address_change(case: Case<'_>, change: &AddressChange) -> Result<Handled, Failure> {
    let Case { intake, event, .. } = case;
    let Some(previous) = &change.previous else { return unknown(case, "address_change").await };
    let tenant = &event.tenant;
    let Some(contact) = intake.contacts.find(tenant, &stored_address(previous)).await? else {
        case.contact().await?;
        return Ok(Handled::Done);
    };
    let contact = join::by_change(case, &contact).await?;
    updated(case, "address", &contact).await?;
    Ok(Handled::Done)
}

async fn updated(
    case: Case<'_>,
    effect: &str,
    contact: &heliograph_store::contacts::Contact,
) -> Result<(), Failure> {
    let payload = ContactUpdated { address: Some(case.address.clone()), created: false };
    case.publish(case.event_of(effect, Payload::ContactUpdated(payload), Some(contact))).await
}

/// Kept, counted, not understood.
pub(super) async fn unknown(case: Case<'_>, kind: &str) -> Result<Handled, Failure> {
    let payload =
        UnknownReceived { kind: kind.to_owned(), raw: case.event.raw.clone(), receipt: None, content: None };
    case.publish(case.event_of("unknown", Payload::UnknownReceived(payload), None)).await?;
    // An unknown event may still be one that lets the business write.
    open_windows(case, None).await;
    Ok(Handled::Done)
}
