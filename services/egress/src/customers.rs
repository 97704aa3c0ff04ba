//! `ContactService`: who a customer is, where they can be reached, what they agreed to.
//!
//! The callers are integrators with the credentials of `EgressService`; what they assert is taken as true and carries their
//! name. What a request causes is published before it is answered, with ids that a repeat derives again.

mod callback;
mod consent;
mod identity;
mod wire;

use std::{sync::Arc, time::Duration};

use heliograph_proto::v1::{
    CreateLinkCodeRequest, CreateLinkCodeResponse, Event, GetContactRequest, GetContactResponse,
    JoinContactsRequest, JoinContactsResponse, ListConsentRequest, ListConsentResponse,
    RequestCallbackRequest, RequestCallbackResponse, SetConsentRequest, SetConsentResponse,
    SplitContactRequest, SplitContactResponse, contact_service_server::ContactService,
    get_contact_request::By,
};
use heliograph_proto::{Timestamp, v1};
use heliograph_store::{
    Redis,
    codes::Codes,
    contacts::{self, Contact, ContactError},
};
use tonic::{Request, Response, Status};

use crate::{api::status, auth, error::EgressError, event, line::Shared};

/// How long a link code is good for.
const CODE_LIVES: Duration = Duration::from_mins(15);

/// The service.
pub(crate) struct Customers {
    shared: Arc<Shared>,
    codes: Codes,
}

impl Customers {
    pub(crate) async fn new(shared: &Arc<Shared>, redis: Redis) -> Result<Self, EgressError> {
        let codes = Codes::open(shared.fabric.jetstream(), redis).await.map_err(EgressError::bucket)?;
        Ok(Self { shared: Arc::clone(shared), codes })
    }

    /// The contact of this id, or the one it was joined into.
    async fn contact(&self, tenant: &str, id: &str) -> Result<Arc<Contact>, Status> {
        if id.is_empty() {
            return Err(Status::invalid_argument("`contact` is missing"));
        }
        let found = self.shared.contacts.get(tenant, id).await.map_err(status)?;
        found.ok_or_else(|| Status::not_found("there is no such contact"))
    }

    /// An address of a request. It has to be on one of the tenant's own accounts.
    fn address(&self, tenant: &str, address: &v1::Address) -> Result<contacts::Address, Status> {
        let v1::Address { channel, account, user_id, .. } = address;
        if user_id.is_empty() {
            return Err(Status::invalid_argument("`address` needs `account` and `user_id`"));
        }
        let book = self.shared.book.tenant(tenant);
        let known = book.account(account);
        let known = known.ok_or_else(|| Status::not_found("there is no such account in use"))?;
        if !channel.is_empty() && *channel != known.channel {
            return Err(Status::invalid_argument("`address` has another channel than its account"));
        }
        Ok(contacts::Address::new(&known.channel, account, user_id))
    }

    /// Publishes a public event; returns when it is stored.
    async fn publish(&self, event: &Event) -> Result<(), Status> {
        let now = event.time.as_ref().map_or(0, Timestamp::millis);
        let (subject, envelope) =
            event::public(event, now).map_err(|error| Status::invalid_argument(error.to_string()))?;
        let within = heliograph_fabric::publish::within(Duration::from_secs(10));
        let published = self.shared.fabric.publish(&subject, &envelope, within).await;
        published.map(drop).map_err(status)
    }
}

/// What a caller is told of a contact that is none, or not theirs.
fn refused(error: ContactError) -> Status {
    match error {
        ContactError::Unknown { .. } => Status::not_found("there is no such contact"),
        ContactError::NotTheirs { .. } => {
            Status::failed_precondition("the address is not one of this contact")
        }
        error @ ContactError::Kv(_) => status(error),
    }
}

#[tonic::async_trait]
impl ContactService for Customers {
    async fn get_contact(
        &self,
        request: Request<GetContactRequest>,
    ) -> Result<Response<GetContactResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        let tenant = &client.tenant;
        let contact = match request.get_ref().by.as_ref() {
            None => return Err(Status::invalid_argument("`contact` or `address` is needed")),
            Some(By::Contact(id)) => self.contact(tenant, id).await?,
            Some(By::Address(address)) => {
                let v1::Address { channel, account, user_id, .. } = address;
                let address = contacts::Address::new(channel, account, user_id);
                let found = self.shared.contacts.find(tenant, &address).await.map_err(status)?;
                found.ok_or_else(|| Status::not_found("nobody is known at this address"))?
            }
        };
        let held = self.shared.trail.of_addresses(tenant, &contact.addresses).await.map_err(status)?;
        let conversations = held.iter().map(wire::conversation).collect();
        Ok(Response::new(GetContactResponse { contact: Some(wire::contact(&contact)), conversations }))
    }

    async fn join_contacts(
        &self,
        request: Request<JoinContactsRequest>,
    ) -> Result<Response<JoinContactsResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        self.join(client, request.get_ref()).await.map(Response::new)
    }

    async fn split_contact(
        &self,
        request: Request<SplitContactRequest>,
    ) -> Result<Response<SplitContactResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        self.split(client, request.get_ref()).await.map(Response::new)
    }

    async fn create_link_code(
        &self,
        request: Request<CreateLinkCodeRequest>,
    ) -> Result<Response<CreateLinkCodeResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        let contact = self.contact(&client.tenant, &request.get_ref().contact).await?;
        let code = self.codes.create(&client.tenant, &contact.id, CODE_LIVES).await.map_err(status)?;
        let expires_at = Some(Timestamp::from_millis(code.expires_at_ms));
        Ok(Response::new(CreateLinkCodeResponse { code: code.text, expires_at }))
    }

    async fn set_consent(
        &self,
        request: Request<SetConsentRequest>,
    ) -> Result<Response<SetConsentResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        self.consent(client, request.get_ref()).await?;
        Ok(Response::new(SetConsentResponse {}))
    }

    async fn list_consent(
        &self,
        request: Request<ListConsentRequest>,
    ) -> Result<Response<ListConsentResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        let contact = self.contact(&client.tenant, &request.get_ref().contact).await?;
        let said = self.shared.consent.list(&client.tenant, &contact.id).await.map_err(status)?;
        let statements =
            said.iter().map(|(subject, statement)| wire::statement(subject, statement)).collect();
        Ok(Response::new(ListConsentResponse { statements }))
    }

    async fn request_callback(
        &self,
        request: Request<RequestCallbackRequest>,
    ) -> Result<Response<RequestCallbackResponse>, Status> {
        let client = auth::client(&self.shared.config.api_tokens, request.metadata())?;
        self.callback(client, request.get_ref()).await.map(Response::new)
    }
}
