//! Joining contacts, and splitting them again.
//!
//! A join or split changes several records: two contacts and the pointers of the addresses that move. It is written
//! down as a whole before the first of them is touched, in one record for each tenant; whoever comes next finishes what
//! a crashed process left there. The revision of that record numbers the change, every record carries the number of
//! the last one applied to it, and an older one is not applied again. So changes of one tenant happen one after the
//! other, each exactly once, however many processes work on them: two contacts that are joined into each other at the
//! same moment end up as one.
//!
//! What one contact learnt from the other is noted on the [`Link`], so that a split takes it back. A split is
//! remembered on both sides ([`Apart`]): a join that nobody asked for does not undo it, one that somebody asks for does.
//!
//! Consent is joined with the contacts, before they are, so that no moment sees a joined contact without it; after a
//! split a refusal holds for both ([`ConsentStore::join`](crate::consent::ConsentStore::join)). What frequency caps
//! count is for the caller to join ([`crate::sent`]); what the caller cannot join is rebuilt, because a contact's step
//! tells that its history is not whole any more.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use heliograph_domain::ids;

use super::moving::{Moving, Why, Work};
use super::{
    Address, Apart, Contact, ContactError, ContactStore, Link, LinkedBy, Pointer, address_key, contact_key,
    unknown,
};
use crate::kv::{Change, KvError};
use crate::{Millis, keys};

/// How often a change starts over because others of the same tenant were faster.
const TRIES: u32 = 64;

/// Who is joined.
#[derive(Debug, Clone, Copy)]
pub enum Whom<'a> {
    /// All addresses of this contact.
    Contact(&'a str),
    /// One address, known or not.
    Address(&'a Address),
}

/// Why, and on whose word.
#[derive(Debug, Clone, Copy)]
pub struct Joining<'a> {
    /// Why.
    pub by: LinkedBy,
    /// Who said so; empty when nobody did.
    pub actor: &'a str,
    /// The event or request: asked again with the same cause, a join gives the same answer.
    pub cause: &'a str,
    /// When it was said.
    pub at_ms: Millis,
}

/// An address that came to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The address.
    pub address: Address,
    /// Whose it was; none if it was nobody's.
    pub previous: Option<String>,
}

/// The answer to a join.
#[derive(Debug, Clone)]
pub enum Join {
    /// They are one contact.
    Joined {
        /// The contact.
        contact: Arc<Contact>,
        /// What this cause moved; empty when they were one contact before.
        moved: Vec<Moved>,
    },
    /// Somebody split them, and this join may not undo that. Nothing was changed.
    Apart,
}

/// The answer to a split.
#[derive(Debug, Clone)]
pub struct Split {
    /// What is left.
    pub left: Arc<Contact>,
    /// The address's own contact; the same when the contact has no other address.
    pub split: Arc<Contact>,
}

/// What is to be done, decided on what is stored.
enum Plan<T> {
    Done(T),
    Change(Box<Moving>),
}

impl ContactStore {
    /// Makes the addresses of `whom` addresses of `keep`. What `keep` does not know about the customer it learns.
    ///
    /// Ids of contacts that were joined before stand for those they were joined into. May be repeated after a failure.
    pub async fn join(
        &self,
        tenant: &str,
        keep: &str,
        whom: Whom<'_>,
        joining: &Joining<'_>,
    ) -> Result<Join, ContactError> {
        self.change(tenant, || self.plan_join(tenant, keep, whom, joining)).await
    }

    /// Gives an address of `contact` a contact of its own again: the one it began with, or a new one where that is
    /// `contact` itself or has other addresses. May be repeated after a failure.
    pub async fn split(
        &self,
        tenant: &str,
        contact: &str,
        address: &Address,
        at_ms: Millis,
    ) -> Result<Split, ContactError> {
        self.change(tenant, || self.plan_split(tenant, contact, address, at_ms)).await
    }

    async fn plan_join(
        &self,
        tenant: &str,
        keep: &str,
        whom: Whom<'_>,
        joining: &Joining<'_>,
    ) -> Result<Plan<Join>, ContactError> {
        let contact = self.living(tenant, keep).await?.ok_or_else(|| unknown(tenant, keep))?;
        let (from, addresses) = match whom {
            Whom::Contact(other) => {
                let other = self.living(tenant, other).await?.ok_or_else(|| unknown(tenant, other))?;
                let addresses = other.addresses.clone();
                (Some(other), addresses)
            }
            Whom::Address(address) => {
                let pointer = self.bucket.get_latest::<Pointer>(&address_key(tenant, address)).await?;
                let from = match pointer {
                    Some(pointer) => self.living(tenant, &pointer.value.contact).await?,
                    None => None,
                };
                (from, vec![address.clone()])
            }
        };
        if from.as_ref().is_some_and(|from| from.id == contact.id) {
            let links = contact.links.iter().filter(|link| link.cause == joining.cause);
            let moved = links
                .map(|link| Moved { address: link.address.clone(), previous: link.previous.clone() })
                .collect();
            return Ok(Plan::Done(Join::Joined { contact, moved }));
        }
        if let Some(from) = &from {
            let stands = |apart: &Apart| joining.by.is_automatic() || apart.undone == joining.cause;
            if contact.partings(from).any(stands) {
                return Ok(Plan::Done(Join::Apart));
            }
        }
        let previous = from.as_ref().map(|from| from.id.clone());
        let gained = from.as_ref().map(|from| contact.gaps(from)).unwrap_or_default();
        let links = addresses.iter().map(|address| Link {
            address: address.clone(),
            by: joining.by,
            actor: joining.actor.to_owned(),
            cause: joining.cause.to_owned(),
            at_ms: joining.at_ms,
            previous: previous.clone(),
            gained: gained.clone(),
        });
        let why = Why::Join { links: links.collect(), from: from.as_deref().cloned().map(Box::new) };
        Ok(Plan::Change(Box::new(Moving {
            to: contact.id.clone(),
            from: previous,
            addresses,
            cause: joining.cause.to_owned(),
            at_ms: joining.at_ms,
            why,
        })))
    }

    async fn plan_split(
        &self,
        tenant: &str,
        contact: &str,
        address: &Address,
        at_ms: Millis,
    ) -> Result<Plan<Split>, ContactError> {
        let left = self.living(tenant, contact).await?.ok_or_else(|| unknown(tenant, contact))?;
        let not_theirs =
            || ContactError::NotTheirs { tenant: tenant.to_owned(), contact: contact.to_owned() };
        let pointer =
            self.bucket.get_latest::<Pointer>(&address_key(tenant, address)).await?.ok_or_else(not_theirs)?;
        let owner = self.living(tenant, &pointer.value.contact).await?.ok_or_else(not_theirs)?;
        if owner.id != left.id {
            let done = owner.is_apart_from(&left);
            return if done { Ok(Plan::Done(Split { left, split: owner })) } else { Err(not_theirs()) };
        }
        if left.addresses.len() < 2 {
            return Ok(Plan::Done(Split { split: Arc::clone(&left), left }));
        }
        let own = address.own_contact(tenant);
        let first = self.bucket.get_latest::<Contact>(&contact_key(tenant, &own)).await?;
        let free = own != left.id && first.is_none_or(|found| found.value.addresses.is_empty());
        let to = if free {
            own
        } else {
            // Its first contact is somebody else's by now. The place in that contact's history makes the id new.
            let place = left.step.to_string();
            let parts = [tenant, &address.channel, &address.account, &address.user_id, &left.id, &place];
            ids::derive(ids::CONTACT, &parts)
        };
        let link = left.links.iter().rfind(|link| link.address == *address);
        // What was learnt stays while another address of the same join does.
        let last = |link: &&Link| {
            !left.links.iter().any(|other| {
                other.address != *address && other.cause == link.cause && other.previous == link.previous
            })
        };
        let (mut gained, mut lent) = (Vec::new(), None);
        if let Some(link) = link.filter(last)
            && let Some(previous) = &link.previous
            && let Some(found) = self.bucket.get_latest::<Contact>(&contact_key(tenant, previous)).await?
        {
            gained.clone_from(&link.gained);
            lent = Some(Box::new(found.value));
        }
        let undone = link.map(|link| link.cause.clone()).unwrap_or_default();
        Ok(Plan::Change(Box::new(Moving {
            cause: format!("split of {to} from {}", left.id),
            to,
            from: Some(left.id.clone()),
            addresses: vec![address.clone()],
            at_ms,
            why: Why::Split { gained, lent, undone },
        })))
    }

    /// Finishes what stands in the tenant's record, lets `plan` decide on what is stored then, and carries that out,
    /// until there is nothing left to do.
    async fn change<T, Fut>(&self, tenant: &str, plan: impl Fn() -> Fut) -> Result<T, ContactError>
    where
        Fut: Future<Output = Result<Plan<T>, ContactError>>,
    {
        let key = keys::kv(&[tenant, "w"]);
        for attempt in 0..TRIES {
            if attempt > 0 {
                // Racers that lost together should not come back together.
                tokio::time::sleep(Duration::from_millis(rand::random_range(0..=u64::from(attempt)))).await;
            }
            let current = self.bucket.get_latest::<Work>(&key).await?;
            let revision = current.as_ref().map(|current| current.revision);
            if let Some(current) = current
                && let Some(moving) = current.value.change
            {
                self.carry_out(tenant, &key, &moving, current.revision).await?;
                continue;
            }
            let moving = match plan().await? {
                Plan::Done(answer) => return Ok(answer),
                Plan::Change(moving) => moving,
            };
            let work = Work { change: Some(*moving) };
            let written = match revision {
                // What was read is still so if nobody changed anything meanwhile.
                Some(revision) => self.bucket.update(&key, &work, revision).await,
                None => self.bucket.create(&key, &work).await,
            };
            match written {
                Ok(number) => {
                    let moving = work.change.expect("it was put there");
                    self.carry_out(tenant, &key, &moving, number).await?;
                }
                Err(KvError::Conflict { .. } | KvError::Exists { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(KvError::Conflict { key }.into())
    }

    /// Does what is written down, which somebody else may have done in part, and takes it off the record.
    async fn carry_out(
        &self,
        tenant: &str,
        key: &str,
        moving: &Moving,
        number: u64,
    ) -> Result<(), ContactError> {
        let done = self.move_addresses(tenant, moving, number).await;
        if let Err(ContactError::Kv(error)) = &done
            && error.is_retryable()
        {
            return done;
        }
        // What can never be done must not stand in the way of everything else.
        match self.bucket.update(key, &Work { change: None }, number).await {
            Ok(_) | Err(KvError::Conflict { .. }) => done,
            Err(error) => done.and(Err(error.into())),
        }
    }

    /// Consent first; then the new contact, the pointers, and the old contact: an address always points to a contact
    /// that has it.
    async fn move_addresses(&self, tenant: &str, moving: &Moving, number: u64) -> Result<(), ContactError> {
        let new = match &moving.why {
            Why::Join { .. } => None,
            Why::Split { .. } => {
                let address = moving.addresses.first();
                address.map(|address| Contact::bare(tenant, &moving.to, address, moving.at_ms))
            }
        };
        if let Some(from) = &moving.from {
            self.consent.join(tenant, &moving.to, from, &moving.cause, moving.at_ms).await?;
        }
        if !self.step(tenant, &moving.to, number, new, |contact| moving.arrive(contact)).await? {
            return Err(unknown(tenant, &moving.to));
        }
        for address in &moving.addresses {
            let key = address_key(tenant, address);
            self.bucket
                .modify(&key, |stored: Option<Pointer>| {
                    let (step, cause) =
                        stored.map_or((0, String::new()), |stored| (stored.step, stored.cause));
                    if step >= number {
                        return Change::Keep(());
                    }
                    let (contact, address) = (moving.to.clone(), address.clone());
                    Change::Write(Pointer { contact, address, cause, step: number }, ())
                })
                .await?;
            self.addresses.insert(key, Arc::from(moving.to.as_str())).await;
        }
        let mut former: Vec<String> = moving.from.iter().cloned().collect();
        // An address that was seen for the first time meanwhile has made its own contact.
        former.extend(moving.addresses.iter().map(|address| address.own_contact(tenant)));
        former.sort();
        former.dedup();
        for former in former.iter().filter(|former| **former != moving.to) {
            self.step(tenant, former, number, None, |contact| moving.leave(contact)).await?;
        }
        Ok(())
    }

    /// Applies a change to one contact unless it has it already; says whether there is such a contact, or was `new`.
    async fn step(
        &self,
        tenant: &str,
        contact: &str,
        number: u64,
        new: Option<Contact>,
        apply: impl Fn(&mut Contact),
    ) -> Result<bool, ContactError> {
        let key = contact_key(tenant, contact);
        let stepped = self
            .bucket
            .modify(&key, |stored: Option<Contact>| {
                let Some(before) = stored.clone().or_else(|| new.clone()) else { return Change::Keep(None) };
                if before.step >= number {
                    return Change::Keep(Some(before));
                }
                let mut after = before;
                apply(&mut after);
                if stored.as_ref() == Some(&after) {
                    return Change::Keep(stored);
                }
                after.step = number;
                Change::Write(after.clone(), Some(after))
            })
            .await?;
        let found = stepped.is_some();
        if let Some(contact) = stepped {
            self.cache(key, Arc::new(contact)).await;
        }
        Ok(found)
    }
}
