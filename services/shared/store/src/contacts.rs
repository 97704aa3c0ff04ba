//! Contacts: one customer, with one or more addresses.
//!
//! A contact's id is derived from the address it was first seen with, and an address points to its contact through a
//! record that is only ever created once. So any number of racing first messages of one customer, on any number of
//! replicas, end up with the same contact, and exactly one of them is told that it is new.
//!
//! Reads go through a bounded cache whose entries live for seconds: a link made on another replica is seen that late.

mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use futures::StreamExt;
use moka::future::Cache;
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::kv::{Change, KvBucket, KvError};
pub use model::{Address, Attribute, Contact, Hints};

/// The bucket of contacts and addresses.
pub const BUCKET: &str = "HG_CONTACTS";

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
    /// Address key → contact id.
    addresses: Cache<String, Arc<str>>,
    /// Contact key → contact.
    contacts: Cache<String, Arc<Contact>>,
}

impl ContactStore {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context, options: ContactOptions) -> Result<Self, ContactError> {
        fn cache<V: Clone + Send + Sync + 'static>(options: ContactOptions) -> Cache<String, V> {
            Cache::builder().max_capacity(options.capacity).time_to_live(options.ttl).build()
        }
        Ok(Self {
            bucket: KvBucket::open(context, BUCKET).await?,
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
            .try_get_with(address.key(tenant), self.establish(tenant, address, hints, &created))
            .await
            .map_err(|error| ContactError::clone(&error))?;
        let created = created.into_inner();
        let contact = match self.get(tenant, &contact).await? {
            Some(contact) => contact,
            // The writer of the pointer died before it wrote the contact, or an erasure left the pointer behind.
            None => self.make(tenant, address, hints).await?,
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
        let (pointer_key, own_key) = (address.key(tenant), contact_key(tenant, &own));
        // An address that was never linked elsewhere, which is nearly every one, needs this one round trip only.
        let (pointer, contact) = tokio::try_join!(
            self.bucket.get::<Pointer>(&pointer_key),
            self.bucket.get::<Contact>(&own_key),
        )?;
        if let Some(contact) = contact {
            self.contacts.insert(own_key, Arc::new(contact.value)).await;
        }
        if let Some(pointer) = pointer {
            let again = !hints.cause.is_empty() && pointer.value.cause == hints.cause;
            created.store(again, Ordering::Relaxed);
            return Ok(Arc::from(pointer.value.contact));
        }
        let pointer = Pointer { contact: own.clone(), address: address.clone(), cause: hints.cause.clone() };
        let (_, pointed) =
            tokio::join!(self.make(tenant, address, hints), self.bucket.create(&pointer_key, &pointer));
        match pointed {
            Ok(_) => {
                created.store(true, Ordering::Relaxed);
                Ok(Arc::from(own))
            }
            // A racer was faster. It has the same id, unless somebody linked the address in between.
            Err(KvError::Exists { .. }) => {
                let pointer = self.bucket.get_latest::<Pointer>(&pointer_key).await?;
                Ok(Arc::from(pointer.map_or(own, |pointer| pointer.value.contact)))
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
        self.contacts.insert(key, Arc::clone(&contact)).await;
        Ok(contact)
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

    /// The contact of this id.
    pub async fn get(&self, tenant: &str, contact: &str) -> Result<Option<Arc<Contact>>, ContactError> {
        let key = contact_key(tenant, contact);
        if let Some(cached) = self.contacts.get(&key).await {
            return Ok(Some(cached));
        }
        let Some(found) = self.bucket.get::<Contact>(&key).await? else { return Ok(None) };
        let found = Arc::new(found.value);
        self.contacts.insert(key, Arc::clone(&found)).await;
        Ok(Some(found))
    }

    /// The contact behind an address, if there is one.
    pub async fn find(&self, tenant: &str, address: &Address) -> Result<Option<Arc<Contact>>, ContactError> {
        let key = address.key(tenant);
        let contact = match self.addresses.get(&key).await {
            Some(contact) => contact,
            None => match self.bucket.get::<Pointer>(&key).await? {
                Some(pointer) => Arc::from(pointer.value.contact),
                None => return Ok(None),
            },
        };
        self.get(tenant, &contact).await
    }

    /// Changes a contact. `change` may run several times, each time on what is stored.
    pub async fn update(
        &self,
        tenant: &str,
        contact: &str,
        mut change: impl FnMut(&mut Contact) + Send,
    ) -> Result<Arc<Contact>, ContactError> {
        let key = contact_key(tenant, contact);
        let updated = self
            .bucket
            .modify(&key, |stored: Option<Contact>| {
                let Some(stored) = stored else { return Change::Keep(None) };
                let mut changed = stored.clone();
                change(&mut changed);
                if changed == stored {
                    Change::Keep(Some(stored))
                } else {
                    Change::Write(changed.clone(), Some(changed))
                }
            })
            .await?;
        let updated = Arc::new(updated.ok_or_else(|| unknown(tenant, contact))?);
        self.contacts.insert(key, Arc::clone(&updated)).await;
        Ok(updated)
    }

    /// Makes an address belong to `contact`, taking it away from the contact it belonged to.
    ///
    /// For identities that were verified: the caller answers for that. May be repeated after a failure.
    pub async fn link(
        &self,
        tenant: &str,
        address: &Address,
        contact: &str,
    ) -> Result<Arc<Contact>, ContactError> {
        let linked = self
            .update(tenant, contact, |contact| {
                if !contact.addresses.contains(address) {
                    contact.addresses.push(address.clone());
                }
            })
            .await?;
        let key = address.key(tenant);
        let pointer = Pointer { contact: contact.to_owned(), address: address.clone(), cause: String::new() };
        let before: Option<String> = self
            .bucket
            .modify(&key, |stored: Option<Pointer>| {
                let before = stored.map(|stored| stored.contact);
                if before.as_deref() == Some(contact) {
                    Change::Keep(before)
                } else {
                    Change::Write(pointer.clone(), before)
                }
            })
            .await?;
        self.addresses.insert(key, Arc::from(contact)).await;
        // Also the address's own contact: a call that died halfway may have left it there.
        let own = address.own_contact(tenant);
        for former in before.into_iter().chain([own]) {
            if former != contact {
                self.drop_address(tenant, address, &former).await?;
            }
        }
        Ok(linked)
    }

    /// Gives an address back to the contact it came with. Returns that contact.
    pub async fn unlink(&self, tenant: &str, address: &Address) -> Result<Arc<Contact>, ContactError> {
        let own = address.own_contact(tenant);
        let hints = Hints { seen_at_ms: crate::now_ms(), ..Hints::default() };
        self.make(tenant, address, &hints).await?;
        self.link(tenant, address, &own).await
    }

    async fn drop_address(&self, tenant: &str, address: &Address, contact: &str) -> Result<(), ContactError> {
        match self.update(tenant, contact, |contact| contact.addresses.retain(|known| known != address)).await
        {
            Ok(_) | Err(ContactError::Unknown { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Erases a contact with all its addresses and their history. Says whether it was there.
    pub async fn erase(&self, tenant: &str, contact: &str) -> Result<bool, ContactError> {
        let key = contact_key(tenant, contact);
        let Some(found) = self.bucket.get_latest::<Contact>(&key).await? else { return Ok(false) };
        for address in &found.value.addresses {
            let address_key = address.key(tenant);
            self.bucket.purge(&address_key).await?;
            self.addresses.invalidate(&address_key).await;
        }
        // Last, so that an erasure that died halfway finds the addresses again.
        self.bucket.purge(&key).await?;
        self.contacts.invalidate(&key).await;
        Ok(true)
    }
}

fn contact_key(tenant: &str, contact: &str) -> String {
    keys::kv(&[tenant, "c", contact])
}

fn unknown(tenant: &str, contact: &str) -> ContactError {
    ContactError::Unknown { tenant: tenant.to_owned(), contact: contact.to_owned() }
}
