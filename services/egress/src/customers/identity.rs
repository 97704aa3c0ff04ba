//! One customer on several channels: what an integrator joins and splits.

use heliograph_domain::ids;
use heliograph_fabric::subjects::NONE;
use heliograph_proto::{
    Timestamp,
    v1::{
        ContactJoined, ContactSplit, Event, JoinContactsRequest, JoinContactsResponse, SplitContactRequest,
        SplitContactResponse, event::Payload, join_contacts_request::Other,
    },
};
use heliograph_store::{
    contacts::{Address, Contact, Join, Joining, Link, LinkedBy, Whom},
    now_ms,
};
use tonic::Status;

use super::{Customers, refused, wire};
use crate::{api::status, config::ApiToken, error::chain};

/// A join that is asked for again within this time is said again, in case nobody came to say it; milliseconds.
const REPEAT_MS: i64 = 10 * 60 * 1_000;

impl Customers {
    /// Makes an address, or all of another contact's, this contact's; with what the customer agreed to there.
    pub(super) async fn join(
        &self,
        client: &ApiToken,
        request: &JoinContactsRequest,
    ) -> Result<JoinContactsResponse, Status> {
        let (tenant, contacts) = (&client.tenant, &self.shared.contacts);
        let keep = self.contact(tenant, &request.contact).await?;
        let address;
        let (other, whom, named) = match request.other.as_ref() {
            None => return Err(Status::invalid_argument("`address` or `other_contact` is needed")),
            Some(Other::OtherContact(other)) => {
                let other = self.contact(tenant, other).await?;
                let named = other.addresses.clone();
                (Some(other.id.clone()), None, named)
            }
            Some(Other::Address(given)) => {
                address = self.address(tenant, given)?;
                let other = contacts.find(tenant, &address).await.map_err(status)?;
                (other.map(|other| other.id.clone()), Some(&address), vec![address.clone()])
            }
        };
        let now = now_ms();
        let parts =
            [tenant.as_str(), "join", &keep.id, other.as_deref().unwrap_or_default(), &now.to_string()];
        let cause = ids::derive("req", &parts);
        if let Some(other) = other.as_deref().filter(|other| *other != keep.id) {
            // Before the contacts are one: no moment sees the joined contact without what was sent to either.
            if let Err(error) = self.shared.sent.join(tenant, &keep.id, other).await {
                tracing::debug!(
                    error = chain(&error),
                    "what was sent to a contact is read again when it is needed"
                );
            }
        }
        let whom = match (whom, &other) {
            (Some(address), _) => Whom::Address(address),
            (None, Some(other)) => Whom::Contact(other),
            (None, None) => return Err(Status::invalid_argument("`other_contact` is missing")),
        };
        let joining = Joining { by: LinkedBy::Asserted, actor: &client.client, cause: &cause, at_ms: now };
        let joined = contacts.join(tenant, &keep.id, whom, &joining).await.map_err(refused)?;
        let Join::Joined { contact, .. } = joined else {
            return Err(Status::aborted("somebody split them meanwhile; ask again"));
        };
        let fresh = |link: &&Link| {
            named.contains(&link.address) && link.by == LinkedBy::Asserted && link.at_ms > now - REPEAT_MS
        };
        let told: Vec<Event> =
            contact.links.iter().filter(fresh).map(|link| joined_event(&contact, link)).collect();
        for event in &told {
            self.publish(event).await?;
        }
        Ok(JoinContactsResponse { contact: Some(wire::contact(&contact)) })
    }

    /// Makes an address its own contact again.
    pub(super) async fn split(
        &self,
        client: &ApiToken,
        request: &SplitContactRequest,
    ) -> Result<SplitContactResponse, Status> {
        let tenant = &client.tenant;
        let contact = self.contact(tenant, &request.contact).await?;
        let given = request.address.as_ref();
        let given = given.ok_or_else(|| Status::invalid_argument("`address` is missing"))?;
        // Also one of an account that is not in use any more.
        let address = Address::new(&given.channel, &given.account, &given.user_id);
        let now = now_ms();
        let split = self.shared.contacts.split(tenant, &contact.id, &address, now).await.map_err(refused)?;
        if split.split.id == split.left.id {
            return Err(Status::failed_precondition("the contact has no other address"));
        }
        let step = split.split.step.to_string();
        let cause = ids::derive("req", &[tenant, "split", &split.left.id, &split.split.id, &step]);
        let payload = ContactSplit {
            address: Some(wire::address(&address)),
            new_contact: split.split.id.clone(),
            actor: client.client.clone(),
        };
        let event = Event {
            id: ids::derive(ids::EVENT, &[&cause, "split"]),
            contact: split.left.id.clone(),
            ..about(tenant, &address, "contact.split", Payload::ContactSplit(payload), cause, now)
        };
        self.publish(&event).await?;
        Ok(SplitContactResponse {
            contact: Some(wire::contact(&split.left)),
            split: Some(wire::contact(&split.split)),
        })
    }
}

/// That an address is this contact's. Its id follows from what joined it, whoever says so.
fn joined_event(contact: &Contact, link: &Link) -> Event {
    let Address { channel, account, user_id } = &link.address;
    let payload = ContactJoined {
        address: Some(wire::address(&link.address)),
        previous_contact: link.previous.clone().unwrap_or_default(),
        by: link.by.as_str().to_owned(),
        actor: link.actor.clone(),
    };
    let payload = Payload::ContactJoined(payload);
    Event {
        id: ids::derive(ids::EVENT, &[&link.cause, "joined", channel, account, user_id]),
        contact: contact.id.clone(),
        ..about(&contact.tenant, &link.address, "contact.joined", payload, link.cause.clone(), link.at_ms)
    }
}

fn about(tenant: &str, address: &Address, kind: &str, payload: Payload, cause: String, at_ms: i64) -> Event {
    Event {
        r#type: kind.to_owned(),
        tenant: tenant.to_owned(),
        region: NONE.to_owned(),
        channel: address.channel.clone(),
        account: address.account.clone(),
        time: Some(Timestamp::from_millis(at_ms)),
        cause,
        payload: Some(payload),
        ..Event::default()
    }
}
