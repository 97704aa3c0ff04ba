//! Addresses of one customer become one contact: by what a channel vouches for, by a code the customer sends, by an
//! address that takes another one's place.
//!
//! A message that joins is already the kept contact's, and so is everything after it. The conversation that is open
//! with the kept contact goes on at the new address. Where the contact that was left has an open conversation too, both
//! run on, each to its own end; nothing new comes to the one that was left.

use std::sync::Arc;

use heliograph_domain::resources::JoinBy;
use heliograph_proto::v1::{ContactJoined, event::Payload};
use heliograph_store::{
    codes::{Codes, Redeemed},
    contacts::{Contact, Identity, Join, Joining, LinkedBy, Whom},
};

use super::{Case, REDIS_PATIENCE, stored_address};
use crate::error::Failure;

/// Joins the address to the contact that had the same verified number or e-mail address first, where policy does so.
/// Somebody's split stands. Returns the contact whose address it is.
pub(super) async fn by_identity(case: Case<'_>, contact: Arc<Contact>) -> Result<Arc<Contact>, Failure> {
    let Case { intake, event, address, .. } = case;
    let book = case.book();
    let mut contact = contact;
    if let Some(tenant) = book.tenant(&event.tenant).filter(|_| address.verified) {
        let email = address.email.trim().to_lowercase();
        let identities = [
            (JoinBy::VerifiedPhone, Identity::Phone, address.phone.as_str(), LinkedBy::VerifiedPhone),
            (JoinBy::VerifiedEmail, Identity::Email, email.as_str(), LinkedBy::VerifiedEmail),
        ];
        for (by, identity, value, why) in identities {
            if value.is_empty() || !tenant.policy().joins(by) {
                continue;
            }
            let owner = intake.contacts.claim_identity(&event.tenant, identity, value, &contact.id).await?;
            if owner != contact.id {
                contact = join(case, &contact, &owner, why).await?.unwrap_or(contact);
            }
        }
    }
    announce(case, &contact).await?;
    Ok(contact)
}

/// Joins the address to the contact whose code the customer sent. None where the text is no code, or one of no use: then
/// it is a message as any other.
pub(super) async fn by_code(
    case: Case<'_>,
    contact: &Arc<Contact>,
    text: &str,
) -> Result<Option<Arc<Contact>>, Failure> {
    let Case { intake, event, address, .. } = case;
    let Some(code) = Codes::parse(text) else { return Ok(None) };
    let sender = stored_address(address);
    let redeemed = intake.codes.redeem(&event.tenant, &sender, &code, &event.id, case.stored_ms).await?;
    let Redeemed::Contact(kept) = redeemed else { return Ok(None) };
    let joined = join(case, contact, &kept, LinkedBy::LinkCode).await?;
    if let Some(joined) = &joined {
        announce(case, joined).await?;
    }
    Ok(joined)
}

/// The provider says that the address takes the place of one of `contact`'s.
pub(super) async fn by_change(case: Case<'_>, contact: &Arc<Contact>) -> Result<Arc<Contact>, Failure> {
    let known = case.intake.contacts.find(&case.event.tenant, &stored_address(case.address)).await?;
    let from = known.unwrap_or_else(|| Arc::clone(contact));
    let joined = join(case, &from, &contact.id, LinkedBy::AddressChange).await?;
    let contact = joined.unwrap_or_else(|| Arc::clone(contact));
    announce(case, &contact).await?;
    Ok(contact)
}

/// Makes the event's address, which is `from`'s, one of `kept`'s. None where somebody said that they are two.
async fn join(
    case: Case<'_>,
    from: &Contact,
    kept: &str,
    by: LinkedBy,
) -> Result<Option<Arc<Contact>>, Failure> {
    let Case { intake, event, address, .. } = case;
    let (tenant, at_ms) = (event.tenant.as_str(), case.stored_ms);
    let address = stored_address(address);
    let Some(kept) = intake.contacts.get(tenant, kept).await? else { return Ok(None) };
    if by.is_automatic() && kept.is_apart_from(from) {
        return Ok(None);
    }
    if from.id != kept.id {
        // Before the contacts are one: no moment sees the joined contact without what was sent to either.
        let sent = intake.sent.join(tenant, &kept.id, &from.id);
        if !matches!(tokio::time::timeout(REDIS_PATIENCE, sent).await, Ok(Ok(()))) {
            tracing::debug!(tenant, "what was sent to a contact was not joined; it will be rebuilt");
        }
    }
    let joining = Joining { by, actor: "", cause: &event.id, at_ms };
    let joined = intake.contacts.join(tenant, &kept.id, Whom::Address(&address), &joining).await?;
    Ok(match joined {
        Join::Joined { contact, .. } => Some(contact),
        Join::Apart => None,
    })
}

/// Says which addresses came to the contact by this event. The contact remembers it, so an event that is handled again
/// after a crash says it again, under the same id.
async fn announce(case: Case<'_>, contact: &Contact) -> Result<(), Failure> {
    let here = stored_address(case.address);
    for link in contact.links.iter().filter(|link| link.cause == case.event.id && link.address == here) {
        let joined = ContactJoined {
            address: Some(case.address.clone()),
            previous_contact: link.previous.clone().unwrap_or_default(),
            by: link.by.as_str().to_owned(),
            actor: link.actor.clone(),
        };
        case.publish(case.event_of("joined", Payload::ContactJoined(joined), Some(contact))).await?;
    }
    Ok(())
}
