//! Who customers are: their contact, its addresses, what was said before, and how they may continue elsewhere.

use std::{sync::Arc, time::Duration};

use heliograph_domain::{event::type_of, ids};
use heliograph_fabric::{
    Envelope, Fabric,
    async_nats::jetstream::Context,
    publish::within,
    subjects::{self, NONE},
};
use heliograph_policy::CompiledPolicy;
use heliograph_proto::{
    Timestamp,
    v1::{
        self, ChannelOffer, ContactJoined, ContactSplit, ContactView, ConversationSummary, ConversationView,
        Event, OfferChannel, event::Payload,
    },
};
use heliograph_store::{
    KvError, Redis,
    codes::Codes,
    consent::ConsentStore,
    contacts::{Address, Contact, ContactError, ContactOptions, ContactStore, Join, Joining, LinkedBy, Whom},
    now_ms,
    sent::{SentAt, SentLog},
    trail::{Trail, TrailEntry},
};

use crate::{
    auth::Identity,
    explain::place,
    offer::{self, Told},
    policies::Policies,
    reach,
    routing::{QueryError, SOURCE},
};

/// How long a link code is good for.
const CODE_TTL: Duration = Duration::from_mins(15);
/// Messages that a frequency cap counts at most.
const MOST_SENT: usize = 50;
/// How long publishing what was done may take.
const PUBLISH_WITHIN: Duration = Duration::from_secs(5);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Not this agent's to ask.
    #[error("this is not yours to see or to change")]
    Forbidden,
    /// No such contact, or no such open conversation.
    #[error("there is no such thing")]
    NotKnown,
    /// It cannot be done.
    #[error("{text}")]
    Refused {
        /// For programs.
        code: &'static str,
        /// For people.
        text: String,
    },
    /// Somebody who knows is away.
    #[error("that cannot be told now; try again")]
    Away(String),
}

impl AskError {
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::NotKnown => "not_known",
            Self::Refused { code, .. } => code,
            Self::Away(_) => "broker_away",
        }
    }

    fn refused(code: &'static str, text: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into() }
    }
}

impl From<KvError> for AskError {
    fn from(error: KvError) -> Self {
        Self::Away(error.to_string())
    }
}

impl From<ContactError> for AskError {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Unknown { .. } => Self::NotKnown,
            ContactError::NotTheirs { .. } => {
                Self::refused("not_their_address", "the customer has no such address")
            }
            other @ ContactError::Kv(_) => Self::Away(other.to_string()),
        }
    }
}

impl From<QueryError> for AskError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::NotKnown => Self::NotKnown,
            other => Self::Away(other.to_string()),
        }
    }
}

/// Contacts and what goes with them. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct People {
    fabric: Fabric,
    contacts: ContactStore,
    trail: Trail,
    codes: Codes,
    sent: SentLog,
    pub(crate) consent: ConsentStore,
}

impl People {
    pub(crate) async fn open(fabric: &Fabric, redis: Redis) -> Result<Self, ContactError> {
        let context: &Context = fabric.jetstream();
        // Pages ask again as soon as the stream says that a contact changed, mostly on another replica.
        let options = ContactOptions { capacity: 10_000, ttl: Duration::from_millis(50) };
        Ok(Self {
            fabric: fabric.clone(),
            contacts: ContactStore::open(context, options).await?,
            trail: Trail::open(context).await?,
            codes: Codes::open(context, redis.clone()).await?,
            sent: SentLog::new(redis),
            consent: ConsentStore::open(context).await?,
        })
    }

    /// The contact of this id, or the one it was joined into.
    pub(crate) async fn contact(
        &self,
        tenant: &str,
        contact: &str,
    ) -> Result<Option<Arc<Contact>>, AskError> {
        Ok(self.contacts.get(tenant, contact).await?)
    }

    /// What was sent to a contact lately, the newest first, as far as Redis tells: a countdown is not worth more.
    pub(crate) async fn sent_since(&self, tenant: &str, contact: &str, since_ms: i64) -> Vec<SentAt> {
        self.sent.recent(tenant, contact, since_ms, MOST_SENT).await.unwrap_or_default()
    }

    /// Who a contact is, with every conversation of theirs that is known.
    pub(crate) async fn view(&self, tenant: &str, contact: &str) -> Result<ContactView, AskError> {
        let found = self.contact(tenant, contact).await?.ok_or(AskError::NotKnown)?;
        let entries = self.conversations(tenant, &found).await?;
        let conversations = entries.into_iter().map(|entry| ConversationSummary {
            id: entry.conversation,
            address: Some(on_wire(&entry.address)),
            opened_at: Some(Timestamp::from_millis(entry.opened_at_ms)),
        });
        // The asker knows it by this id, also when it was joined into another one.
        let shown = v1::Contact { id: contact.to_owned(), ..shown(&found) };
        Ok(ContactView { contact: Some(shown), conversations: conversations.collect() })
    }

    async fn conversations(&self, tenant: &str, contact: &Contact) -> Result<Vec<TrailEntry>, KvError> {
        self.trail.of_addresses(tenant, &contact.addresses).await
    }

    /// Whether a conversation was held with one of these contacts. What cannot be told is no.
    pub(crate) async fn held_with(&self, tenant: &str, contacts: &[String], conversation: &str) -> bool {
        for contact in contacts {
            let told = async {
                let Some(contact) = self.contact(tenant, contact).await? else { return Ok(false) };
                let entries = self.conversations(tenant, &contact).await?;
                Ok::<bool, AskError>(entries.iter().any(|entry| entry.conversation == conversation))
            };
            match told.await {
                Ok(true) => return true,
                Ok(false) => {}
                Err(error) => tracing::warn!(tenant, %error, "a customer's conversations cannot be told"),
            }
        }
        false
    }

    /// The customer's own address that a reply names, with nothing of what else the client says of it.
    pub(crate) async fn own_address(
        &self,
        tenant: &str,
        view: &ConversationView,
        named: &v1::Address,
    ) -> Result<v1::Address, AskError> {
        let wanted = Address::new(&named.channel, &named.account, &named.user_id);
        if let Some(here) = &view.address
            && Address::new(&here.channel, &here.account, &here.user_id) == wanted
        {
            return Ok(here.clone());
        }
        let contact = self.contact(tenant, &view.contact).await?.ok_or(AskError::Forbidden)?;
        if contact.addresses.contains(&wanted) { Ok(on_wire(&wanted)) } else { Err(AskError::Forbidden) }
    }

    /// Makes a code with which the customer of a conversation may continue on another channel.
    pub(crate) async fn offer(
        &self,
        policies: &Policies,
        tenant: &str,
        view: &ConversationView,
        wanted: &OfferChannel,
    ) -> Result<ChannelOffer, AskError> {
        let policy: Arc<CompiledPolicy> = policies.of(tenant);
        let region = place(&policy, view.region.as_ref());
        let channel = wanted.channel.as_str();
        if !reach::may_be_offered(&policy, &region, channel) {
            let text = format!("region {} does not have {channel}", region.region);
            return Err(AskError::refused("channel_not_in_region", text));
        }
        let accounts = policies.accounts(tenant);
        let account = accounts.iter().find(|(name, account)| {
            account.channel == channel && (wanted.account.is_empty() || *name == wanted.account)
        });
        let Some((name, account)) = account else {
            return Err(AskError::refused("no_account", format!("there is no account in use on {channel}")));
        };
        let contact = self.contact(tenant, &view.contact).await?.ok_or(AskError::NotKnown)?;
        let code = self.codes.create(tenant, &contact.id, CODE_TTL).await?;
        let (company, language) = policies.company(tenant);
        let spoken = view.address.as_ref().map(|address| address.locale.clone()).unwrap_or_default();
        let locale = contact.locale.clone().filter(|locale| !locale.is_empty());
        let locale = locale.or(Some(spoken).filter(|locale| !locale.is_empty())).unwrap_or(language);
        let told = Told {
            channel,
            code: &code.text,
            to: offer::public_sender(channel, &account.settings),
            company: &company,
            locale: &locale,
        };
        Ok(ChannelOffer {
            conversation: view.id.clone(),
            channel: channel.to_owned(),
            account: name.clone(),
            text: offer::text(&told),
            uri: offer::uri(&told),
            expires_at: Some(Timestamp::from_millis(code.expires_at_ms)),
            code: code.text,
        })
    }

    /// Makes an address of a contact its own contact again, and says so. `cause` names the request: again is the same.
    pub(crate) async fn split(
        &self,
        identity: &Identity,
        contact: &str,
        address: &Address,
        cause: &str,
    ) -> Result<String, AskError> {
        let (tenant, now) = (identity.tenant.as_str(), now_ms());
        let split = self.contacts.split(tenant, contact, address, now).await?;
        let (left, new) = (split.left.id.clone(), split.split.id.clone());
        if left == new {
            let text = "it is the customer's only address";
            return Err(AskError::refused("only_address", text));
        }
        let cause = ids::derive("req", &[tenant, "split", &identity.agent, cause]);
        let payload = Payload::ContactSplit(ContactSplit {
            address: Some(on_wire(address)),
            new_contact: new.clone(),
            actor: identity.agent.clone(),
        });
        self.say(identity, &left, address, &[&cause, "split"], payload).await?;
        Ok(new)
    }

    /// Makes an address the contact's, and says so.
    pub(crate) async fn join(
        &self,
        identity: &Identity,
        contact: &str,
        address: &Address,
        cause: &str,
    ) -> Result<String, AskError> {
        let (tenant, now) = (identity.tenant.as_str(), now_ms());
        let cause = ids::derive("req", &[tenant, "join", &identity.agent, cause]);
        let keep = self.contact(tenant, contact).await?.ok_or(AskError::NotKnown)?;
        let other = self.contacts.find(tenant, address).await?;
        if let Some(other) = other.filter(|other| other.id != keep.id) {
            // Before the contacts are one: no moment sees the joined contact without what was sent to either.
            if let Err(error) = self.sent.join(tenant, &keep.id, &other.id).await {
                tracing::debug!(tenant, %error, "what was sent to a contact is read again when it is needed");
            }
        }
        let joining = Joining { by: LinkedBy::Asserted, actor: &identity.agent, cause: &cause, at_ms: now };
        let joined = self.contacts.join(tenant, contact, Whom::Address(address), &joining).await?;
        let Join::Joined { contact, moved } = joined else {
            return Err(AskError::refused("apart", "somebody said that these are two customers"));
        };
        for moved in moved {
            let payload = Payload::ContactJoined(ContactJoined {
                address: Some(on_wire(&moved.address)),
                previous_contact: moved.previous.unwrap_or_default(),
                by: LinkedBy::Asserted.as_str().to_owned(),
                actor: identity.agent.clone(),
            });
            let Address { channel, account, user_id } = &moved.address;
            let told = [cause.as_str(), "joined", channel, account, user_id];
            self.say(identity, &contact.id, &moved.address, &told, payload).await?;
        }
        Ok(contact.id.clone())
    }

    /// Publishes what was done; the first of `told` is its cause, all of them are its id.
    async fn say(
        &self,
        identity: &Identity,
        contact: &str,
        address: &Address,
        told: &[&str],
        payload: Payload,
    ) -> Result<(), AskError> {
        let (tenant, kind) = (identity.tenant.as_str(), type_of(&payload));
        let id = ids::derive(ids::EVENT, told);
        let subject = subjects::event(tenant, NONE, &address.channel, NONE, kind)
            .map_err(|error| AskError::Away(error.to_string()))?;
        let now = now_ms();
        let event = Event {
            id: id.clone(),
            r#type: kind.to_owned(),
            tenant: tenant.to_owned(),
            region: NONE.to_owned(),
            channel: address.channel.clone(),
            account: address.account.clone(),
            contact: contact.to_owned(),
            time: Some(Timestamp::from_millis(now)),
            cause: told.first().copied().unwrap_or_default().to_owned(),
            payload: Some(payload),
            ..Event::default()
        };
        let envelope = Envelope::of(id, kind, SOURCE, now, &event);
        let published = self.fabric.publish(&subject, &envelope, within(PUBLISH_WITHIN)).await;
        published.map(|_| ()).map_err(|error| AskError::Away(error.to_string()))
    }
}

fn shown(contact: &Contact) -> v1::Contact {
    let attributes = contact.attributes.iter();
    v1::Contact {
        id: contact.id.clone(),
        addresses: contact.addresses.iter().map(on_wire).collect(),
        display_name: contact.display_name.clone().unwrap_or_default(),
        locale: contact.locale.clone().unwrap_or_default(),
        country: contact.country.clone().unwrap_or_default(),
        attributes: attributes.map(|(name, attribute)| (name.clone(), attribute.value.clone())).collect(),
    }
}

fn on_wire(address: &Address) -> v1::Address {
    v1::Address {
        channel: address.channel.clone(),
        account: address.account.clone(),
        user_id: address.user_id.clone(),
        ..v1::Address::default()
    }
}
