//! The trail of an address: which conversations were held with it.
//!
//! A conversation belongs to a contact, and addresses come and go between contacts. Its trail stays with the address,
//! so history follows an address when contacts are joined or split.
//!
//! Entries are written once and never change. Whoever publishes them in order with other things writes
//! [`value`] under [`key`] of the bucket itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_nats::jetstream::Context;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::contacts::Address;
use crate::kv::{KvBucket, KvError};
use crate::{Millis, keys};

/// The bucket of trails.
pub const BUCKET: &str = "HG_TRAIL";

/// Conversations answered with at most.
pub const NEWEST: usize = 200;
/// Addresses that are looked up at the same time.
const BATCH: usize = 16;

/// A conversation that was held with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailEntry {
    /// The conversation's id.
    pub conversation: String,
    /// The address; of several of the same conversation, the one that it reached first.
    pub address: Address,
    /// When it was opened with this address.
    pub opened_at_ms: Millis,
}

/// The record of one conversation on one address.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    address: Address,
    opened_at_ms: Millis,
}

/// The key of a conversation on an address, within [`BUCKET`].
pub fn key(tenant: &str, address: &Address, conversation: &str) -> String {
    format!("{}{}", prefix(tenant, address), keys::token(conversation))
}

/// What stands under [`key`].
pub fn value(address: &Address, opened_at_ms: Millis) -> Vec<u8> {
    let record = Record { address: address.clone(), opened_at_ms };
    serde_json::to_vec(&record).expect("strings and numbers serialize")
}

fn prefix(tenant: &str, address: &Address) -> String {
    let token = keys::address(&address.channel, &address.account, &address.user_id);
    format!("{}.", keys::kv(&[tenant, &token]))
}

/// The trails of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Trail {
    bucket: KvBucket,
}

impl Trail {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context) -> Result<Self, KvError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await? })
    }

    /// Writes down that a conversation is held with an address; the first time counts.
    pub async fn record(
        &self,
        tenant: &str,
        address: &Address,
        conversation: &str,
        opened_at_ms: Millis,
    ) -> Result<(), KvError> {
        let record = Record { address: address.clone(), opened_at_ms };
        match self.bucket.create(&key(tenant, address, conversation), &record).await {
            Ok(_) | Err(KvError::Exists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The newest conversations that were held with any of these addresses, at most [`NEWEST`], newest first.
    pub async fn of_addresses(
        &self,
        tenant: &str,
        addresses: &[Address],
    ) -> Result<Vec<TrailEntry>, KvError> {
        let listed = |prefix: String| async move {
            let found = self.bucket.list::<Record>(&prefix).await?;
            let entries = found.into_iter().map(move |(key, record)| TrailEntry {
                conversation: key[prefix.len()..].to_owned(),
                address: record.value.address,
                opened_at_ms: record.value.opened_at_ms,
            });
            Ok::<Vec<TrailEntry>, KvError>(entries.collect())
        };
        let prefixes: Vec<String> = addresses.iter().map(|address| prefix(tenant, address)).collect();
        let lists: Vec<Vec<TrailEntry>> =
            futures::stream::iter(prefixes.into_iter().map(listed)).buffered(BATCH).try_collect().await?;
        Ok(newest(lists.into_iter().flatten()))
    }
}

/// Each conversation once, newest first.
fn newest(entries: impl Iterator<Item = TrailEntry>) -> Vec<TrailEntry> {
    let mut first: HashMap<String, TrailEntry> = HashMap::new();
    for entry in entries {
        match first.entry(entry.conversation.clone()) {
            Entry::Vacant(place) => {
                place.insert(entry);
            }
            Entry::Occupied(mut place) => {
                let order = |entry: &TrailEntry| (entry.opened_at_ms, entry.address.clone());
                if order(&entry) < order(place.get()) {
                    place.insert(entry);
                }
            }
        }
    }
    let mut entries: Vec<TrailEntry> = first.into_values().collect();
    entries.sort_by(|a, b| (b.opened_at_ms, &b.conversation).cmp(&(a.opened_at_ms, &a.conversation)));
    entries.truncate(NEWEST);
    entries
}

#[cfg(test)]
mod tests {
    use super::{NEWEST, TrailEntry, newest};
    use crate::contacts::Address;

    #[test]
    fn each_conversation_stands_once_and_the_newest_first() {
        let entry = |conversation: usize, user: &str, at: i64| TrailEntry {
            conversation: format!("cnv_{conversation}"),
            address: Address::new("sms", "main", user),
            opened_at_ms: at,
        };
        let found = newest([entry(1, "a", 10), entry(2, "a", 30), entry(1, "b", 20)].into_iter());
        assert_eq!(found, [entry(2, "a", 30), entry(1, "a", 10)]);
        let many = newest((0..1_000).map(|n| entry(n, "a", i64::try_from(n).unwrap_or(0))));
        assert_eq!((many.len(), many[0].opened_at_ms), (NEWEST, 999));
    }
}
