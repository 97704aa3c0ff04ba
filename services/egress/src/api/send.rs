//! Sending once per idempotency key.

use heliograph_domain::{content::kind_name, ids};
use heliograph_fabric::publish::within;
use heliograph_policy::wire;
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{
        Address, Content, Direction, Message, Notice, RoutingEntry, SendRequest, SendRequested, SendResponse,
        Sender, SenderKind, Verdict, routing_entry, send_request::To,
    },
};
use heliograph_store::{KvError, keys, now_ms};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tonic::Status;

use super::{
    Api,
    ask::{contact_of, goes},
    status,
};
use crate::{
    config::ApiToken,
    judge::Asked,
    routing::{self, SCOPE},
};

/// Characters of an idempotency key.
const LONGEST_KEY: usize = 128;
/// How long the broker may take. The caller tries again with the same key.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is remembered of a key.
#[derive(Debug, Serialize, Deserialize)]
struct Accepted {
    message_id: String,
    /// `Verdict`, encoded.
    verdict: Vec<u8>,
}

impl Api {
    /// Answers a request of `client`, whose tenant it is for.
    pub(super) async fn send_once(
        &self,
        client: &ApiToken,
        request: SendRequest,
    ) -> Result<SendResponse, Status> {
        let tenant = &client.tenant;
        let content = checked(&request)?;
        let key = keys::kv(&[tenant, "k", &ids::derive("key", &[&request.idempotency_key])]);
        if !request.dry_run
            && let Some(before) = self.keys.get_latest::<Accepted>(&key).await.map_err(status)?
        {
            let Accepted { message_id, verdict } = before.value;
            let verdict = Verdict::decode(verdict.as_slice()).ok();
            return Ok(SendResponse { message_id, verdict, duplicate: true });
        }
        let (address, contact, verdict, goes) = self.resolve(tenant, &request, &content).await?;
        let (Some(address), true, false) = (address, goes, request.dry_run) else {
            return Ok(SendResponse { message_id: String::new(), verdict: Some(verdict), duplicate: false });
        };
        let now = now_ms();
        let derived = |prefix| ids::derive(prefix, &[tenant, "send", &request.idempotency_key]);
        let message = Message {
            id: derived(ids::MESSAGE),
            direction: Direction::Outbound.into(),
            content: Some(content),
            sender: Some(Sender {
                kind: SenderKind::Api.into(),
                id: client.client.clone(),
                ..Sender::default()
            }),
            address: Some(address),
            message_class: request.message_class,
            time: Some(Timestamp::from_millis(now)),
            ..Message::default()
        };
        let message_id = message.id.clone();
        let entry = RoutingEntry {
            id: derived("ent"),
            tenant: tenant.clone(),
            kind: Some(routing_entry::Kind::Send(SendRequested {
                command_id: derived(ids::COMMAND),
                contact,
                scope: if request.scope.is_empty() { SCOPE.to_owned() } else { request.scope },
                message: Some(message),
                verdict: Some(verdict.clone()),
                expires_at: request.expires_at,
                ..SendRequested::default()
            })),
        };
        let duplicate = self.append(&entry, now).await?;
        let accepted = Accepted { message_id: message_id.clone(), verdict: verdict.encode_to_vec() };
        match self.keys.create(&key, &accepted).await {
            Ok(_) | Err(KvError::Exists { .. }) => {}
            // The message is on its way; the broker's window and the log's own ids absorb a repeat.
            Err(error) => tracing::warn!(%error, "an idempotency key was not remembered"),
        }
        Ok(SendResponse { message_id, verdict: Some(verdict), duplicate })
    }

    /// Whom it goes to, the contact, what policy says, and whether it may go.
    async fn resolve(
        &self,
        tenant: &str,
        request: &SendRequest,
        content: &Content,
    ) -> Result<(Option<Address>, String, Verdict, bool), Status> {
        let mut asked = Asked {
            tenant: tenant.to_owned(),
            book: self.shared.book.tenant(tenant),
            contact_id: String::new(),
            contact: None,
            class: request.message_class().into(),
            kind: content.kind.as_ref().map_or("", kind_name),
            notice: Notice::Unspecified,
            last_inbound_ms: None,
            counted: false,
        };
        let contacts = &self.shared.contacts;
        let (address, verdict) = match request.to.as_ref() {
            None => return Err(Status::invalid_argument("`address` or `contact` is needed")),
            Some(To::Contact(id)) => {
                let found = contacts.get(tenant, id).await.map_err(status)?;
                asked.about(Some(found.ok_or_else(|| Status::not_found("there is no such contact"))?));
                self.best(&asked).await?
            }
            Some(To::Address(address)) => {
                let mut address = address.clone();
                let account = asked.book.account(&address.account);
                let account = account.ok_or_else(|| Status::not_found("there is no such account in use"))?;
                if address.channel.is_empty() {
                    address.channel.clone_from(&account.channel);
                }
                if address.channel != account.channel || address.user_id.is_empty() {
                    let text = "`address` needs `user_id`, and the channel of its account";
                    return Err(Status::invalid_argument(text));
                }
                asked.about(contact_of(contacts, tenant, &address, !request.dry_run).await?);
                let verdict = self.judge(&asked, &address).await?;
                (Some(address), verdict)
            }
        };
        let may = address.as_ref().is_some_and(|address| goes(&asked, &verdict, address));
        Ok((address, asked.contact_id, wire::verdict(&verdict), may))
    }

    /// Appends an entry to the tenant's routing log; whether the broker had it already.
    async fn append(&self, entry: &RoutingEntry, now: i64) -> Result<bool, Status> {
        let published = routing::append(&self.shared.log, entry, now, within(PATIENCE)).await;
        published.map(|published| published.duplicate).map_err(|error| {
            if error.is_away() {
                Status::unavailable("the broker is away; try again with the same idempotency key")
            } else {
                tracing::error!(%error, "an entry could not be appended");
                Status::internal("the message could not be accepted")
            }
        })
    }
}

/// What is said, of a request that is whole.
fn checked(request: &SendRequest) -> Result<Content, Status> {
    let key = request.idempotency_key.chars().count();
    if key == 0 || key > LONGEST_KEY {
        return Err(Status::invalid_argument(format!(
            "`idempotency_key` needs 1 to {LONGEST_KEY} characters"
        )));
    }
    match &request.content {
        Some(content) if content.kind.is_some() => Ok(content.clone()),
        _ => Err(Status::invalid_argument("`content` is missing")),
    }
}
