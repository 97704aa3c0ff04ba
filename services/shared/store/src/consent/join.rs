//! What two contacts said, when they turn out to be one customer.

use std::collections::BTreeSet;

use super::{Choice, ConsentStore, Statement, Subject, entry_token, stricter};
use crate::Millis;
use crate::kv::KvError;

impl ConsentStore {
    /// Lets what `other` said count for `keep` too, with its own times and sources.
    ///
    /// Where both said something and it differs, the refusal counts until `keep` agrees anew: it is stated again at the
    /// time of the join, because the newer agreement was about the other's address. Asked again with the same `cause`
    /// and time, it changes nothing. `other` keeps what it said, so that a split finds it there.
    ///
    /// [`ContactStore::join`](crate::contacts::ContactStore::join) does this before it joins the contacts, and a split
    /// in the same way for the contact that is split off: a refusal that was made while they were one holds for both.
    pub async fn join(
        &self,
        tenant: &str,
        keep: &str,
        other: &str,
        cause: &str,
        at_ms: Millis,
    ) -> Result<(), KvError> {
        let (theirs, ours) = tokio::try_join!(self.list(tenant, other), self.list(tenant, keep))?;
        // The refusals first: at no moment may an agreement count that does not in the end.
        for (channel, purpose) in differing(&ours, &theirs) {
            let subject = Subject::new(tenant, keep, channel.as_deref(), &purpose);
            let statement = Statement {
                choice: Choice::OptedOut,
                source: format!("join with {other}"),
                cause: cause.to_owned(),
                at_ms,
            };
            self.take(&subject, &statement).await?;
        }
        for (subject, statement) in theirs {
            let subject = Subject { contact: keep.to_owned(), ..subject };
            self.take(&subject, &statement).await?;
        }
        Ok(())
    }

    async fn take(&self, subject: &Subject, statement: &Statement) -> Result<(), KvError> {
        let key = subject.key();
        self.keep(&key, &entry_token(statement), subject, statement).await?;
        self.count(&key, subject, statement).await?;
        Ok(())
    }
}

/// Channels (none: every channel) and purposes of which one agreed and the other refused.
fn differing(
    ours: &[(Subject, Statement)],
    theirs: &[(Subject, Statement)],
) -> BTreeSet<(Option<String>, String)> {
    let subjects = ours.iter().chain(theirs).map(|(subject, _)| (&subject.channel, &subject.purpose));
    subjects
        .filter(|(channel, purpose)| {
            let choice = |said| effective(said, channel.as_deref(), purpose).map(|counts| counts.choice);
            matches!((choice(ours), choice(theirs)), (Some(ours), Some(theirs)) if ours != theirs)
        })
        .map(|(channel, purpose)| (channel.clone(), purpose.clone()))
        .collect()
}

/// What counts on a channel, of everything that was said, newest first.
fn effective(said: &[(Subject, Statement)], channel: Option<&str>, purpose: &str) -> Option<Statement> {
    let about = |wanted: Option<&str>| {
        let found = said
            .iter()
            .find(|(subject, _)| subject.channel.as_deref() == wanted && subject.purpose == purpose);
        found.map(|(_, statement)| statement.clone())
    };
    let everywhere = about(None);
    if channel.is_none() { everywhere } else { stricter(about(channel), everywhere) }
}
