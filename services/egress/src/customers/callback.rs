//! A customer asks to be called back, as an integrator says.

use std::time::Duration;

use heliograph_domain::{content::CALL_BACK, ids};
use heliograph_fabric::{Envelope, publish::within, subjects};
use heliograph_proto::{
    Timestamp,
    v1::{
        self, Content, Direction, InboundEvent, Message, MessageClass, RequestCallbackRequest,
        RequestCallbackResponse, Selection, Sender, SenderKind, content::Kind, inbound_event,
        request_callback_request::To,
    },
};
use heliograph_store::now_ms;
use tonic::Status;

use super::{Customers, wire};
use crate::{api::status, config::ApiToken, event::SOURCE};

/// Characters of an idempotency key.
const LONGEST_KEY: usize = 128;
/// Characters of what it is about.
const LONGEST_NOTE: usize = 1_000;
/// How long the broker may take. The caller tries again with the same key.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is said where the customer says nothing.
const PLEASE: &str = "Please call me back";
/// No window of any channel: who fills in a form does not write on the channel they are called on.
const NO_WINDOW: &str = "none";
/// Key of the metadata that says who asked for it.
const REQUESTED_BY: &str = "requested_by";

impl Customers {
    /// Has the customer say that they want to be called back, as if they had chosen it on the channel. Intake and the
    /// machine do the rest.
    pub(super) async fn callback(
        &self,
        client: &ApiToken,
        request: &RequestCallbackRequest,
    ) -> Result<RequestCallbackResponse, Status> {
        let RequestCallbackRequest { idempotency_key: key, to, not_before, note } = request;
        let length = key.chars().count();
        if length == 0 || length > LONGEST_KEY {
            let text = format!("`idempotency_key` needs 1 to {LONGEST_KEY} characters");
            return Err(Status::invalid_argument(text));
        }
        if note.chars().count() > LONGEST_NOTE {
            return Err(Status::invalid_argument(format!("`note`: at most {LONGEST_NOTE} characters")));
        }
        let payload = match not_before {
            None => String::new(),
            Some(at) => jiff::Timestamp::from_millisecond(at.millis())
                .map_err(|_| Status::invalid_argument("`not_before` is no time"))?
                .to_string(),
        };
        let address = self.to_call(&client.tenant, to.as_ref()).await?;
        let derived = |prefix| ids::derive(prefix, &[&client.tenant, "callback", key]);
        let now = Timestamp::from_millis(now_ms());
        let selection = Selection {
            option_id: CALL_BACK.to_owned(),
            title: if note.trim().is_empty() { PLEASE.to_owned() } else { note.trim().to_owned() },
            payload,
            ..Selection::default()
        };
        let message = Message {
            id: derived(ids::MESSAGE),
            direction: Direction::Inbound.into(),
            content: Some(Content { kind: Some(Kind::Selection(selection)) }),
            sender: Some(Sender { kind: SenderKind::Customer.into(), ..Sender::default() }),
            address: Some(address.clone()),
            message_class: MessageClass::Service.into(),
            time: Some(now),
            metadata: [(REQUESTED_BY.to_owned(), client.client.clone())].into(),
            ..Message::default()
        };
        let event = InboundEvent {
            id: derived(ids::EVENT),
            tenant: client.tenant.clone(),
            channel: address.channel.clone(),
            account: address.account.clone(),
            address: Some(address),
            occurred_at: Some(now),
            received_at: Some(now),
            opens_window: NO_WINDOW.to_owned(),
            kind: Some(inbound_event::Kind::Message(message)),
            ..InboundEvent::default()
        };
        self.propose(&event, now.millis()).await?;
        Ok(RequestCallbackResponse {
            message_id: derived(ids::MESSAGE),
            command_id: ids::derive(ids::COMMAND, &[&event.id, "callback"]),
        })
    }

    async fn to_call(&self, tenant: &str, to: Option<&To>) -> Result<v1::Address, Status> {
        match to {
            None => Err(Status::invalid_argument("`address` or `contact` is needed")),
            Some(To::Address(address)) => {
                let known = self.address(tenant, address)?;
                Ok(v1::Address { channel: known.channel, ..address.clone() })
            }
            Some(To::Contact(id)) => {
                let contact = self.contact(tenant, id).await?;
                let first = contact.addresses.first();
                let first = first.ok_or_else(|| Status::failed_precondition("the contact has no address"))?;
                // An address on an account that is not in use any more cannot be called.
                self.address(tenant, &wire::address(first))?;
                Ok(wire::address(first))
            }
        }
    }

    /// Puts the event where the channels put theirs.
    async fn propose(&self, event: &InboundEvent, now: i64) -> Result<(), Status> {
        let user = event.address.as_ref().map_or("", |address| &address.user_id);
        let (tenant, channel) = (&event.tenant, &event.channel);
        let partitions = self.shared.layout.inbound;
        let partition = subjects::partition_of_address(tenant, channel, &event.account, user, partitions);
        let subject = subjects::inbound(partition, tenant, channel)
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        let envelope = Envelope::of(&event.id, "inbound.message", SOURCE, now, event);
        self.shared.fabric.publish(&subject, &envelope, within(PATIENCE)).await.map(drop).map_err(status)
    }
}
