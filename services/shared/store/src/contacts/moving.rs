//! Addresses that move between contacts, as it is written down, and what that does to each contact.

use serde::{Deserialize, Serialize};

use super::{Address, Apart, Contact, Link};
use crate::Millis;

/// The record of the change that a tenant's contacts are undergoing.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Work {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) change: Option<Moving>,
}

/// Addresses move from a contact to another one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Moving {
    pub(super) to: String,
    pub(super) from: Option<String>,
    pub(super) addresses: Vec<Address>,
    pub(super) cause: String,
    pub(super) at_ms: Millis,
    pub(super) why: Why,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Why {
    Join {
        links: Vec<Link>,
        /// The contact they come from, as it was.
        from: Option<Box<Contact>>,
    },
    Split {
        /// What undoes the link: what was learnt by it, and the contact as it is known there.
        gained: Vec<String>,
        lent: Option<Box<Contact>>,
        /// The cause of the link that is undone.
        undone: String,
    },
}

impl Moving {
    /// What it does to the contact that gets the addresses.
    pub(super) fn arrive(&self, contact: &mut Contact) {
        contact.joined_into = None;
        for address in &self.addresses {
            if !contact.addresses.contains(address) {
                contact.addresses.push(address.clone());
            }
        }
        match &self.why {
            Why::Join { links, from } => {
                if let Some(from) = from {
                    contact.fill(from);
                    contact.apart.retain(|apart| apart.contact != from.id);
                    let carried = from.apart.iter().filter(|apart| apart.contact != contact.id);
                    let fresh: Vec<Apart> =
                        carried.filter(|apart| !contact.apart.contains(apart)).cloned().collect();
                    contact.apart.extend(fresh);
                    // How they came to the other contact stays known.
                    let theirs = from.links.iter().filter(|link| self.addresses.contains(&link.address));
                    contact.links.extend(theirs.cloned());
                    if from.addresses.iter().all(|address| self.addresses.contains(address)) {
                        let claims =
                            from.claims.iter().filter(|claim| !contact.claims.contains(claim)).cloned();
                        let claims: Vec<String> = claims.collect();
                        contact.claims.extend(claims);
                    }
                }
                contact.links.extend(links.iter().cloned());
            }
            Why::Split { undone, .. } => {
                // Its own contact may have been joined before: what it had then belongs to the others now.
                contact.links.retain(|link| self.addresses.contains(&link.address));
                if let Some(from) = &self.from {
                    part(contact, from, undone);
                }
            }
        }
    }

    /// What it does to a contact that had the addresses.
    pub(super) fn leave(&self, contact: &mut Contact) {
        let had = contact.addresses.len();
        contact.addresses.retain(|address| !self.addresses.contains(address));
        let is_from = self.from.as_deref() == Some(contact.id.as_str());
        match &self.why {
            Why::Join { .. } => {
                contact.links.retain(|link| !self.addresses.contains(&link.address));
                if is_from {
                    contact.apart.retain(|apart| apart.contact != self.to);
                }
                if contact.addresses.is_empty() && (is_from || had > 0) {
                    contact.joined_into = Some(self.to.clone());
                }
            }
            Why::Split { gained, lent, undone } if is_from => {
                contact.links.retain(|link| !self.addresses.contains(&link.address));
                if let Some(lent) = lent {
                    contact.unlearn(gained, lent);
                    if lent.id == self.to {
                        contact.claims.retain(|claim| !lent.claims.contains(claim));
                    }
                }
                part(contact, &self.to, undone);
            }
            Why::Split { .. } => {}
        }
    }
}

/// Remembers on a contact that `other` is somebody else.
fn part(contact: &mut Contact, other: &str, undone: &str) {
    contact.apart.retain(|apart| apart.contact != other);
    contact.apart.push(Apart { contact: other.to_owned(), undone: undone.to_owned() });
}
