//! Consent: what a contact agreed to, on which channel, for which purpose, since when and according to whom.
//!
//! Every statement is kept (a regulator asks for them); beside them stands the newest one, which is what a send asks
//! for. Statements may arrive twice and out of order: the same one is kept once, and the newest counts.

use async_nats::jetstream::Context;
use heliograph_domain::ids;
use serde::{Deserialize, Serialize};

use crate::kv::{Change, KvBucket, KvError};
use crate::{Millis, keys};

/// The bucket of consent.
pub const BUCKET: &str = "HG_CONSENT";

/// Stands for all channels. Not a channel's name: those have no underscore.
const EVERY_CHANNEL: &str = "_every";

/// Whether a contact agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// They did.
    OptedIn,
    /// They refused.
    OptedOut,
}

/// What consent is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// The tenant.
    pub tenant: String,
    /// The contact's id.
    pub contact: String,
    /// The channel; none means every channel.
    pub channel: Option<String>,
    /// The purpose, such as `service` or `marketing`.
    pub purpose: String,
}

impl Subject {
    /// Consent of `contact` for `purpose`, on `channel` or on every channel.
    pub fn new(tenant: &str, contact: &str, channel: Option<&str>, purpose: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
            contact: contact.to_owned(),
            channel: channel.map(str::to_owned),
            purpose: purpose.to_owned(),
        }
    }

    fn key(&self) -> String {
        let channel = self.channel.as_deref().unwrap_or(EVERY_CHANNEL);
        keys::kv(&[&self.tenant, &self.contact, channel, &self.purpose])
    }
}

/// One statement about consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// What was said.
    pub choice: Choice,
    /// Where it comes from: `keyword STOP`, `api`, `agent ada`, …
    pub source: String,
    /// The event or request that carried it; the same cause is recorded once.
    pub cause: String,
    /// When it was said.
    pub at_ms: Millis,
}

/// The consent of all tenants' contacts. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ConsentStore {
    bucket: KvBucket,
}

impl ConsentStore {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context) -> Result<Self, KvError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await? })
    }

    /// Records a statement. Returns the newest one, which is another one if this one came late.
    pub async fn record(&self, subject: &Subject, statement: &Statement) -> Result<Statement, KvError> {
        let key = subject.key();
        // The history first: a crash in between is mended when the cause is processed again.
        match self.bucket.create(&format!("{key}.{}", entry_token(statement)), statement).await {
            Ok(_) | Err(KvError::Exists { .. }) => {}
            Err(error) => return Err(error),
        }
        self.bucket
            .modify(&key, |stored: Option<Statement>| match stored {
                Some(stored) if stored.at_ms > statement.at_ms || stored == *statement => {
                    Change::Keep(stored)
                }
                _ => Change::Write(statement.clone(), statement.clone()),
            })
            .await
    }

    /// The newest statement about exactly this subject.
    pub async fn get(&self, subject: &Subject) -> Result<Option<Statement>, KvError> {
        Ok(self.bucket.get::<Statement>(&subject.key()).await?.map(|found| found.value))
    }

    /// The statement that counts on a channel: the newer of the one for it and the one for every channel.
    pub async fn effective(
        &self,
        tenant: &str,
        contact: &str,
        channel: &str,
        purpose: &str,
    ) -> Result<Option<Statement>, KvError> {
        let here = Subject::new(tenant, contact, Some(channel), purpose);
        let everywhere = Subject::new(tenant, contact, None, purpose);
        let (here, everywhere) = tokio::try_join!(self.get(&here), self.get(&everywhere))?;
        Ok(match (here, everywhere) {
            // At the same moment the refusal counts.
            (Some(here), Some(everywhere)) => Some(
                if (here.at_ms, here.choice == Choice::OptedOut)
                    >= (everywhere.at_ms, everywhere.choice == Choice::OptedOut)
                {
                    here
                } else {
                    everywhere
                },
            ),
            (here, everywhere) => here.or(everywhere),
        })
    }

    /// Every statement about this subject, oldest first.
    pub async fn history(&self, subject: &Subject) -> Result<Vec<Statement>, KvError> {
        let entries = self.bucket.list::<Statement>(&format!("{}.", subject.key())).await?;
        let mut statements: Vec<Statement> = entries.into_iter().map(|(_, found)| found.value).collect();
        statements.sort_by_key(|statement| statement.at_ms);
        Ok(statements)
    }
}

/// The same cause, said again, has the same token.
fn entry_token(statement: &Statement) -> String {
    let choice = match statement.choice {
        Choice::OptedIn => "in",
        Choice::OptedOut => "out",
    };
    ids::derive("cst", &[&statement.cause, &statement.at_ms.to_string(), choice])
}
