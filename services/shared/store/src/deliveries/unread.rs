//! What was sent to an address and is not known to be read, for providers that say how far a customer has read, and not
//! which messages.
//!
//! Whoever comes last finds what the other wrote down: a read mark finds the messages it means, and a message that is
//! written down after it finds that it is read already. So neither waits for the other, and nothing goes back.

use serde::{Deserialize, Serialize};

use super::{DeliveryError, DeliveryStore, Reference};
use crate::contacts::Address;
use crate::kv::Change;
use crate::{Millis, keys};

/// Messages remembered of an address: beyond them, the oldest are forgotten.
pub const KEPT: usize = 64;

/// A message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The message.
    #[serde(flatten)]
    pub reference: Reference,
    /// When the provider was called with it.
    pub sent_at_ms: Millis,
}

/// What is known of an address.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Everything sent until then is read.
    read_until_ms: Millis,
    /// Oldest first.
    sent: Vec<Unread>,
}

impl DeliveryStore {
    /// Writes down a message that was sent; answers whether it is read already. May be repeated.
    pub async fn put_unread(
        &self,
        tenant: &str,
        address: &Address,
        message: &Unread,
    ) -> Result<bool, DeliveryError> {
        let key = key(tenant, address);
        let read = self.bucket.modify(&key, |record: Option<Record>| {
            let mut record = record.unwrap_or_default();
            if message.sent_at_ms <= record.read_until_ms {
                return Change::Keep(true);
            }
            let known = |sent: &Unread| sent.reference.message_id == message.reference.message_id;
            if record.sent.iter().any(known) {
                return Change::Keep(false);
            }
            record.sent.push(message.clone());
            record.sent.sort_by_key(|sent| sent.sent_at_ms);
            let forgotten = record.sent.len().saturating_sub(KEPT);
            record.sent.drain(..forgotten);
            Change::Write(record, false)
        });
        Ok(read.await?)
    }

    /// What was sent to an address and is not known to be read, oldest first.
    pub async fn unread(&self, tenant: &str, address: &Address) -> Result<Vec<Unread>, DeliveryError> {
        let record = self.bucket.get_latest::<Record>(&key(tenant, address)).await?;
        Ok(record.map(|found| found.value.sent).unwrap_or_default())
    }

    /// Writes down that everything sent until then is read; `told` names the messages of which that was said. Answers
    /// whether all were: otherwise another was written down meanwhile, and is there still.
    pub async fn put_read(
        &self,
        tenant: &str,
        address: &Address,
        until_ms: Millis,
        told: &[String],
    ) -> Result<bool, DeliveryError> {
        let key = key(tenant, address);
        let all = self.bucket.modify(&key, |record: Option<Record>| {
            let mut record = record.unwrap_or_default();
            let known = (record.read_until_ms, record.sent.len());
            record.read_until_ms = record.read_until_ms.max(until_ms);
            record.sent.retain(|sent| !told.contains(&sent.reference.message_id));
            let all = record.sent.iter().all(|sent| sent.sent_at_ms > until_ms);
            if known == (record.read_until_ms, record.sent.len()) {
                Change::Keep(all)
            } else {
                Change::Write(record, all)
            }
        });
        Ok(all.await?)
    }
}

fn key(tenant: &str, address: &Address) -> String {
    keys::kv(&[tenant, "u", &keys::address(&address.channel, &address.account, &address.user_id)])
}
