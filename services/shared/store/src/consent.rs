//! Consent: what a contact agreed to, on which channel, for which purpose, since when and according to whom.
//!
//! Every statement is kept (a regulator asks for them); beside them stands the newest one, which is what a send asks
//! for. Statements may arrive twice and out of order: the same one is kept once, and the newest counts; of two of the
//! same moment the refusal does.
//!
//! Consent is kept by contact. When contacts are joined, what both said holds, and where they differ the stricter: see
//! [`ConsentStore::join`].

mod join;

use std::cmp::Reverse;

use async_nats::jetstream::Context;
pub use heliograph_domain::contact::Choice;
use heliograph_domain::ids;
use serde::{Deserialize, Serialize};

use crate::kv::{Change, KvBucket, KvError};
use crate::{Millis, keys};

/// The bucket of consent.
pub const BUCKET: &str = "HG_CONSENT";

/// Stands for all channels. Not a channel's name: those have no underscore.
const EVERY_CHANNEL: &str = "_every";

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

impl Statement {
    /// Of two statements about the same subject the greater one counts.
    fn order(&self) -> (Millis, bool) {
        (self.at_ms, self.choice == Choice::OptedOut)
    }
}

/// What recording a statement did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The statement that counts now; another one if this one came late.
    pub newest: Statement,
    /// Whether the contact's choice about this very subject became another one by this statement. The same cause asked
    /// again gets the same answer, so that what follows from a change can be made up for after a crash.
    pub changed: bool,
}

/// A statement as it is stored. Both parts of its subject stand in the key too, but there they may be hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    statement: Statement,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// None in what older releases wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl Entry {
    fn new(subject: &Subject, statement: &Statement) -> Self {
        Self {
            statement: statement.clone(),
            channel: subject.channel.clone(),
            purpose: Some(subject.purpose.clone()),
        }
    }

    /// What it is about, read from the key where it does not say so itself.
    fn subject(&self, tenant: &str, contact: &str, tokens: &[&str]) -> Subject {
        if let Some(purpose) = &self.purpose {
            return Subject::new(tenant, contact, self.channel.as_deref(), purpose);
        }
        let token = |place: usize| tokens.get(place).copied().unwrap_or_default();
        let channel = Some(token(2)).filter(|channel| *channel != EVERY_CHANNEL);
        Subject::new(tenant, contact, channel, token(3))
    }
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

    /// Records a statement.
    pub async fn record(&self, subject: &Subject, statement: &Statement) -> Result<Recorded, KvError> {
        let key = subject.key();
        let token = entry_token(statement);
        // The history first: a crash in between is mended when the cause is processed again.
        self.keep(&key, &token, subject, statement).await?;
        let newest = self.count(&key, subject, statement).await?;
        // Places in the history do not change: whoever asks again finds the same statements before this one.
        let entries = self.bucket.list::<Entry>(&format!("{key}.")).await?;
        let place = |(found, entry): &(String, crate::kv::Versioned<Entry>)| {
            (found[key.len() + 1..] == token).then_some(entry.revision)
        };
        let mine = entries.iter().find_map(place).unwrap_or(u64::MAX);
        let before = entries
            .iter()
            .filter(|(_, entry)| entry.revision < mine)
            .map(|(_, entry)| &entry.value.statement)
            .filter(|before| before.cause != statement.cause)
            .max_by_key(|before| before.order());
        let changed = before
            .is_none_or(|before| before.choice != statement.choice && before.order() <= statement.order());
        Ok(Recorded { newest, changed })
    }

    /// Adds a statement to the history.
    async fn keep(
        &self,
        key: &str,
        token: &str,
        subject: &Subject,
        statement: &Statement,
    ) -> Result<(), KvError> {
        match self.bucket.create(&format!("{key}.{token}"), &Entry::new(subject, statement)).await {
            Ok(_) | Err(KvError::Exists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets a statement count unless a newer one does. Returns the one that counts.
    async fn count(&self, key: &str, subject: &Subject, statement: &Statement) -> Result<Statement, KvError> {
        self.bucket
            .modify(key, |stored: Option<Entry>| match stored {
                Some(stored)
                    if stored.statement.order() > statement.order() || stored.statement == *statement =>
                {
                    Change::Keep(stored.statement)
                }
                _ => Change::Write(Entry::new(subject, statement), statement.clone()),
            })
            .await
    }

    /// The newest statement about exactly this subject.
    pub async fn get(&self, subject: &Subject) -> Result<Option<Statement>, KvError> {
        Ok(self.bucket.get::<Entry>(&subject.key()).await?.map(|found| found.value.statement))
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
        Ok(stricter(here, everywhere))
    }

    /// Every statement about this subject, oldest first.
    pub async fn history(&self, subject: &Subject) -> Result<Vec<Statement>, KvError> {
        let entries = self.bucket.list::<Entry>(&format!("{}.", subject.key())).await?;
        let mut statements: Vec<Statement> =
            entries.into_iter().map(|(_, found)| found.value.statement).collect();
        statements.sort_by_key(Statement::order);
        Ok(statements)
    }

    /// Everything a contact ever said, newest first: of a subject, the first one counts.
    pub async fn list(&self, tenant: &str, contact: &str) -> Result<Vec<(Subject, Statement)>, KvError> {
        let entries = self.bucket.list::<Entry>(&format!("{}.", keys::kv(&[tenant, contact]))).await?;
        let mut said: Vec<(Subject, Statement)> = entries
            .into_iter()
            .filter_map(|(key, found)| {
                let tokens: Vec<&str> = key.split('.').collect();
                // Without the fifth it is the record of what counts, which stands in the history too.
                let subject = (tokens.len() == 5).then(|| found.value.subject(tenant, contact, &tokens))?;
                Some((subject, found.value.statement))
            })
            .collect();
        said.sort_by_cached_key(|(subject, statement)| {
            (Reverse(statement.order()), subject.channel.clone(), subject.purpose.clone())
        });
        Ok(said)
    }
}

/// Of what is said about a channel and about every channel, the one that counts.
fn stricter(here: Option<Statement>, everywhere: Option<Statement>) -> Option<Statement> {
    match (here, everywhere) {
        (Some(here), Some(everywhere)) => {
            Some(if here.order() >= everywhere.order() { here } else { everywhere })
        }
        (here, everywhere) => here.or(everywhere),
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
