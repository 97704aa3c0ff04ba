//! Verified identities: a phone number or e-mail address that a channel vouches for, and the contact that had it first.
//!
//! A claim is created once, so of any number of contacts that show up with the same identity at the same moment, on any
//! number of replicas, all but one learn whose it is. It names a contact; when that one is joined into another, the
//! claim stands for the other.

use heliograph_domain::ids;
use serde::{Deserialize, Serialize};

use super::{ContactError, ContactStore, unknown};
use crate::keys;
use crate::kv::KvError;

/// Takeovers of a claim whose contact was erased that may go wrong before the caller is told.
const TRIES: u32 = 8;

/// What was verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Identity {
    /// A phone number, in E.164 with `+`.
    Phone,
    /// An e-mail address, in lower case.
    Email,
}

impl Identity {
    fn as_str(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }

    /// The value itself stands in no key.
    fn token(self, value: &str) -> String {
        ids::derive("idn", &[self.as_str(), value])
    }
}

/// The record of who had an identity first.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    contact: String,
}

pub(super) fn key(tenant: &str, token: &str) -> String {
    keys::kv(&[tenant, "i", token])
}

impl ContactStore {
    /// Says that `contact` has this verified identity, and returns the contact that had it first: itself, or another
    /// one, which is the same customer. Costs nothing when the contact is known to have it. May be repeated.
    ///
    /// `value` must be normalized: two spellings are two identities.
    pub async fn claim_identity(
        &self,
        tenant: &str,
        kind: Identity,
        value: &str,
        contact: &str,
    ) -> Result<String, ContactError> {
        let token = kind.token(value);
        let claimant = self.get(tenant, contact).await?.ok_or_else(|| unknown(tenant, contact))?;
        if claimant.claims.contains(&token) {
            return Ok(claimant.id.clone());
        }
        let (key, claim) = (key(tenant, &token), Claim { contact: claimant.id.clone() });
        let mut failure = None;
        for _ in 0..TRIES {
            let written = match self.bucket.get_latest::<Claim>(&key).await? {
                None => self.bucket.create(&key, &claim).await,
                Some(found) => match self.living(tenant, &found.value.contact).await? {
                    Some(owner) if owner.id != claimant.id => return Ok(owner.id.clone()),
                    Some(_) => Ok(found.revision),
                    // It was erased, or never made.
                    None => self.bucket.update(&key, &claim, found.revision).await,
                },
            };
            match written {
                Ok(_) => {
                    // An erasure finds the claim by this.
                    self.update(tenant, &claimant.id, |contact| {
                        if !contact.claims.contains(&token) {
                            contact.claims.push(token.clone());
                        }
                    })
                    .await?;
                    return Ok(claimant.id.clone());
                }
                Err(error @ (KvError::Exists { .. } | KvError::Conflict { .. })) => failure = Some(error),
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure.map_or_else(|| unknown(tenant, contact), ContactError::Kv))
    }

    /// The contact that has this verified identity.
    pub async fn by_identity(
        &self,
        tenant: &str,
        kind: Identity,
        value: &str,
    ) -> Result<Option<String>, ContactError> {
        let key = key(tenant, &kind.token(value));
        let Some(claim) = self.bucket.get::<Claim>(&key).await? else { return Ok(None) };
        Ok(self.get(tenant, &claim.value.contact).await?.map(|contact| contact.id.clone()))
    }
}
