//! Contacts: one customer, with one or more addresses.
//!
//! A contact's id is derived from the address it was first seen with, and an address points to its contact through a
//! record that is only ever created once. So any number of racing first messages of one customer, on any number of
//! replicas, end up with the same contact, and exactly one of them is told that it is new.
//!
//! Addresses of one customer are joined into one contact and split again: see [`join`]. An id of a contact that was
//! joined into another one stands for that one from then on.
//!
//! Reads go through a bounded cache whose entries live for seconds: what another replica changed is seen that late; a
//! join or split made through this store is seen at once.

mod identity;
pub mod join;
mod moving;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use futures::StreamExt;
use moka::future::Cache;
use serde::{Deserialize, Serialize};

use crate::consent::ConsentStore;
use crate::keys;
use crate::kv::{Change, KvBucket, KvError};
pub use heliograph_domain::contact::{Address, Apart, Attribute, Contact, Hints, Link, LinkedBy};
pub use identity::Identity;
pub use join::{Join, Joining, Moved, Split, Whom};

/// The bucket of contacts and addresses.
pub const BUCKET: &str = "HG_CONTACTS";

/// A contact that was joined is looked for through at most so many others.
const HOPS: usize = 16;

/// Lookups of one batch that are under way at the same time.
const BATCH: usize = 64;

/// A contact, and whether this call brought it into being.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The contact.
    pub contact: Arc<Contact>,
    /// True for exactly one of all calls that resolve an address for the first time, and again when the call is made
    /// again for the same [`Hints::cause`]: whoever crashed after it still has to say so.
    pub created: bool,
}

/// Why an operation on contacts failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ContactError {
    /// There is no such contact.
    #[error("tenant {tenant} has no contact {contact}")]
    Unknown {
        /// The tenant.
        tenant: String,
        /// The contact's id.
        contact: String,
    },
    /// The address is not this contact's.
    #[error("the address is not one of contact {contact} of tenant {tenant}")]
    NotTheirs {
        /// The tenant.
        tenant: String,
        /// The contact's id.
        contact: String,
    },
    /// The bucket failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

/// The record behind an address.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Pointer {
    contact: String,
    address: Address,
    /// What brought it into being, see [`Hints::cause`].
    #[serde(default)]
    cause: String,
    /// Number of the latest join or split that moved it.
    #[serde(default)]
    step: u64,
}

/// How much of the contacts is kept in memory, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct ContactOptions {
    /// Contacts and addresses kept at most, each.
    pub capacity: u64,
    /// How long a cached contact may be out of date.
    pub ttl: Duration,
}

impl Default for ContactOptions {
    fn default() -> Self {
        Self { capacity: 100_000, ttl: Duration::from_secs(10) }
    }
}

/// The contacts of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ContactStore {
    bucket: KvBucket,
    /// Joined and split with the contacts.
    consent: ConsentStore,
    /// Address key → contact id.
    addresses: Cache<String, Arc<str>>,
    /// Contact key → contact.
    contacts: Cache<String, Arc<Contact>>,
}

impl ContactStore {
    /// Opens the provisioned buckets [`BUCKET`] and [`crate::consent::BUCKET`].
    pub async fn open(context: &Context, options: ContactOptions) -> Result<Self, ContactError> {
        fn cache<V: Clone + Send + Sync + 'static>(options: ContactOptions) -> Cache<String, V> {
            Cache::builder().max_capacity(options.capacity).time_to_live(options.ttl).build()
        }
        Ok(Self {
            bucket: KvBucket::open(context, BUCKET).await?,
            consent: ConsentStore::open(context).await?,
            addresses: cache(options),
            contacts: cache(options),
        })
    }

    /// The contact behind an address, made if there is none.
    ///
    /// One read when cached state is missing, two writes more for a new contact, nothing when cached.
    pub async fn resolve(
        &self,
        tenant: &str,
        address: &Address,
        hints: &Hints,
    ) -> Result<Resolved, ContactError> {
        let created = AtomicBool::new(false);
        let contact = self
            .addresses
            .try_get_with(address_key(tenant, address), self.establish(tenant, address, hints, &created))
            .await
            .map_err(|error| ContactError::clone(&error))?;
        let created = created.into_inner();
        let contact = match self.get(tenant, &contact).await? {
            Some(contact) if contact.addresses.contains(address) => contact,
            _ => match self.look_again(tenant, address).await? {
                Some(contact) => contact,
                // The writer of the pointer died before it wrote the contact, or an erasure left the pointer behind.
                None => self.make(tenant, address, hints).await?,
            },
        };
        let contact = self.refresh(contact, hints).await;
        Ok(Resolved { contact, created })
    }

    /// As [`Self::resolve`] for many addresses, many at a time; answers stand in the order of the questions.
    pub async fn resolve_many(
        &self,
        tenant: &str,
        wanted: &[(Address, Hints)],
    ) -> Vec<Result<Resolved, ContactError>> {
        futures::stream::iter(wanted.iter().map(|(address, hints)| self.resolve(tenant, address, hints)))
            .buffered(BATCH)
            .collect()
            .await
    }

    /// Reads the pointer of an address, or makes it together with the contact.
    async fn establish(
        &self,
        tenant: &str,
        address: &Address,
        hints: &Hints,
        created: &AtomicBool,
    ) -> Result<Arc<str>, ContactError> {
        let own = address.own_contact(tenant);
        let (pointer_key, own_key) = (address_key(tenant, address), contact_key(tenant, &own));
        // An address that was never linked elsewhere, which is nearly every one, needs this one round trip only.
        let (pointer, contact) = tokio::try_join!(
            self.bucket.get::<Pointer>(&pointer_key),
            self.bucket.get::<Contact>(&own_key),
        )?;
        if let Some(contact) = contact {
            self.cache(own_key, Arc::new(contact.value)).await;
        }
        if let Some(pointer) = pointer {
            let again = !hints.cause.is_empty() && pointer.value.cause == hints.cause;
            created.store(again, Ordering::Relaxed);
            return Ok(Arc::from(pointer.value.contact));
        }
        let pointer =
            Pointer { contact: own.clone(), address: address.clone(), cause: hints.cause.clone(), step: 0 };
        let (_, pointed) =
            tokio::join!(self.make(tenant, address, hints), self.bucket.create(&pointer_key, &pointer));
        match pointed {
            Ok(_) => {
                created.store(true, Ordering::Relaxed);
                Ok(Arc::from(own))
            }
            // A racer was faster. It has the same id, unless somebody joined the address in between.
            Err(KvError::Exists { .. }) => {
                let pointer = self.bucket.get_latest::<Pointer>(&pointer_key).await?;
                let contact = pointer.map_or_else(|| own.clone(), |pointer| pointer.value.contact);
                if contact != own {
                    // Then what was made beside the pointer is nobody's, unless a split has given it the address back.
                    let orphaned = self.update(tenant, &own, |made| {
                        if made.step == 0 {
                            made.addresses.retain(|known| known != address);
                        }
                    });
                    match orphaned.await {
                        Ok(_) | Err(ContactError::Unknown { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(Arc::from(contact))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the contact of an address that has none; whoever comes second gets what the first one made.
    async fn make(
        &self,
        tenant: &str,
        address: &Address,
        hints: &Hints,
    ) -> Result<Arc<Contact>, ContactError> {
        let contact = Contact::new(tenant, address, hints);
        let key = contact_key(tenant, &contact.id);
        let contact = match self.bucket.create(&key, &contact).await {
            Ok(_) => contact,
            Err(KvError::Exists { .. }) => {
                self.bucket.get_latest::<Contact>(&key).await?.map_or(contact, |found| found.value)
            }
            Err(error) => return Err(error.into()),
        };
        let contact = Arc::new(contact);
        self.cache(key, Arc::clone(&contact)).await;
        Ok(contact)
    }

    /// Keeps a contact at hand, unless what is kept knows of a later join or split.
    async fn cache(&self, key: String, contact: Arc<Contact>) {
        self.contacts
            .entry(key)
            .and_upsert_with(|kept| {
                let kept = kept.map(moka::Entry::into_value).filter(|kept| kept.step > contact.step);
                std::future::ready(kept.unwrap_or(contact))
            })
            .await;
    }

    /// The contact behind an address past the cache: what was cached does not fit together.
    async fn look_again(
        &self,
        tenant: &str,
        address: &Address,
    ) -> Result<Option<Arc<Contact>>, ContactError> {
        let key = address_key(tenant, address);
        let Some(pointer) = self.bucket.get_latest::<Pointer>(&key).await? else {
            self.addresses.invalidate(&key).await;
            return Ok(None);
        };
        self.addresses.insert(key, Arc::from(pointer.value.contact.as_str())).await;
        self.living(tenant, &pointer.value.contact).await
    }

    /// The contact of this id past the cache, or the one it was joined into.
    async fn living(&self, tenant: &str, contact: &str) -> Result<Option<Arc<Contact>>, ContactError> {
        let mut id = contact.to_owned();
        for _ in 0..HOPS {
            let key = contact_key(tenant, &id);
            let Some(found) = self.bucket.get_latest::<Contact>(&key).await? else { return Ok(None) };
            let found = Arc::new(found.value);
            self.cache(key, Arc::clone(&found)).await;
            match &found.joined_into {
                Some(into) => id.clone_from(into),
                None => return Ok(Some(found)),
            }
        }
        Ok(None)
    }

    /// Writes down what the message newly says. What goes wrong here is tried again with the next message.
    async fn refresh(&self, contact: Arc<Contact>, hints: &Hints) -> Arc<Contact> {
        if !contact.as_ref().clone().learn(hints) {
            return contact;
        }
        let (tenant, id) = (contact.tenant.clone(), contact.id.clone());
        match self
            .update(&tenant, &id, |contact| {
                contact.learn(hints);
            })
            .await
        {
            Ok(updated) => updated,
            Err(error) => {
                tracing::debug!(
                    tenant,
                    contact = id,
                    error = &error as &dyn std::error::Error,
                    "hints not stored"
                );
                contact
            }
        }
    }

    /// The contact of this id, or the one it was joined into.
    pub async fn get(&self, tenant: &str, contact: &str) -> Result<Option<Arc<Contact>>, ContactError> {
        let mut id = contact.to_owned();
        for _ in 0..HOPS {
            let key = contact_key(tenant, &id);
            let found = if let Some(cached) = self.contacts.get(&key).await {
                cached
            } else {
                let Some(found) = self.bucket.get::<Contact>(&key).await? else { return Ok(None) };
                let found = Arc::new(found.value);
                self.cache(key, Arc::clone(&found)).await;
                found
            };
            match &found.joined_into {
                Some(into) => id.clone_from(into),
                None => return Ok(Some(found)),
            }
        }
        Ok(None)
    }

    /// The contact behind an address, if there is one.
    pub async fn find(&self, tenant: &str, address: &Address) -> Result<Option<Arc<Contact>>, ContactError> {
        let key = address_key(tenant, address);
        let contact = match self.addresses.get(&key).await {
            Some(contact) => contact,
            None => match self.bucket.get::<Pointer>(&key).await? {
                Some(pointer) => Arc::from(pointer.value.contact),
                None => return Ok(None),
            },
        };
        match self.get(tenant, &contact).await? {
            Some(contact) if contact.addresses.contains(address) => Ok(Some(contact)),
            _ => self.look_again(tenant, address).await,
        }
    }

    /// Changes a contact, or the one it was joined into. `change` may run several times, each time on what is stored.
    pub async fn update(
        &self,
        tenant: &str,
        contact: &str,
        mut change: impl FnMut(&mut Contact) + Send,
    ) -> Result<Arc<Contact>, ContactError> {
        let mut id = contact.to_owned();
        for _ in 0..HOPS {
            let key = contact_key(tenant, &id);
            let updated = self
                .bucket
                .modify(&key, |stored: Option<Contact>| {
                    let Some(stored) = stored else { return Change::Keep(None) };
                    let mut changed = stored.clone();
                    if stored.joined_into.is_none() {
                        change(&mut changed);
                    }
                    if changed == stored {
                        Change::Keep(Some(stored))
                    } else {
                        Change::Write(changed.clone(), Some(changed))
                    }
                })
                .await?;
            let updated = Arc::new(updated.ok_or_else(|| unknown(tenant, contact))?);
            self.cache(key, Arc::clone(&updated)).await;
            match &updated.joined_into {
                Some(into) => id.clone_from(into),
                None => return Ok(updated),
            }
        }
        Err(unknown(tenant, contact))
    }

    /// Erases a contact with all its addresses, with the contacts that were joined into it, and with the history of
    /// all of them. Says whether it was there.
    pub async fn erase(&self, tenant: &str, contact: &str) -> Result<bool, ContactError> {
        // The record that was asked for goes last, and the contact it was joined into before it, so that an erasure
        // that died halfway finds everything again.
        let Some(asked) = self.bucket.get_latest::<Contact>(&contact_key(tenant, contact)).await? else {
            return Ok(false);
        };
        if let Some(found) = self.living(tenant, contact).await? {
            let mut joined: Vec<String> =
                found.links.iter().filter_map(|link| link.previous.clone()).collect();
            for address in &found.addresses {
                joined.push(address.own_contact(tenant));
                let key = address_key(tenant, address);
                self.bucket.purge(&key).await?;
                self.addresses.invalidate(&key).await;
            }
            for other in joined.into_iter().filter(|other| *other != found.id && *other != contact) {
                // Somebody else may have it by now.
                let theirs = self.living(tenant, &other).await?.is_some_and(|living| living.id == found.id);
                if theirs
                    && let Some(other) =
                        self.bucket.get_latest::<Contact>(&contact_key(tenant, &other)).await?
                {
                    self.purge(&other.value).await?;
                }
            }
            self.purge(&found).await?;
        }
        self.purge(&asked.value).await?;
        Ok(true)
    }

    /// Takes the record of a contact and its claims away.
    async fn purge(&self, contact: &Contact) -> Result<(), ContactError> {
        for claim in &contact.claims {
            self.bucket.purge(&identity::key(&contact.tenant, claim)).await?;
        }
        let key = contact_key(&contact.tenant, &contact.id);
        self.bucket.purge(&key).await?;
        self.contacts.invalidate(&key).await;
        Ok(())
    }
}

fn address_key(tenant: &str, address: &Address) -> String {
    keys::kv(&[tenant, "a", &keys::address(&address.channel, &address.account, &address.user_id)])
}

fn contact_key(tenant: &str, contact: &str) -> String {
    keys::kv(&[tenant, "c", contact])
}

fn unknown(tenant: &str, contact: &str) -> ContactError {
    ContactError::Unknown { tenant: tenant.to_owned(), contact: contact.to_owned() }
}
