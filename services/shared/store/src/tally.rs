//! Counts by hour: how much went which way, for each region, country and channel.
//!
//! Whoever counts reads the events in order and hands in each with its place in the stream. An hour's entry carries the
//! place through which it has been counted, and skips what comes again. So an event counts once whatever the batches
//! were and wherever a process died; the place to go on from ([`Tally::progress`]) only saves work.

use std::collections::BTreeMap;

use async_nats::jetstream::Context;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::kv::{Change, KvBucket, KvError};
use crate::{Millis, keys};

/// The bucket of counts.
pub const BUCKET: &str = "HG_TALLY";

/// Where the place to go on from stands. Not a tenant's name: those have no underscore.
const PROGRESS: &str = "_progress";
/// Hours that are read at the same time.
const BATCH: usize = 32;
/// Milliseconds of an hour.
const HOUR_MS: Millis = 60 * 60 * 1000;

/// Hours since the Unix epoch.
pub type Hour = i64;

/// The hour of a time.
pub fn hour_of(at_ms: Millis) -> Hour {
    at_ms.div_euclid(HOUR_MS)
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TallyKind {
    /// Messages from customers.
    Received,
    /// Messages to customers that were taken on.
    Accepted,
    /// Messages that a provider took.
    Sent,
    /// Messages that arrived.
    Delivered,
    /// Messages that did not.
    Failed,
    /// Messages that policy, consent or a closed window kept back.
    Refused,
    /// Messages from customers that policy does not let be answered on their channel.
    DeniedInbound,
}

impl TallyKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Received,
        Self::Accepted,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Refused,
        Self::DeniedInbound,
    ];

    /// As it is written for people and pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::DeniedInbound => "denied_inbound",
        }
    }
}

/// What a count is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TallyKey {
    /// The region; empty when none was found.
    pub region: String,
    /// The customer's country, ISO 3166-1 alpha-2; empty when unknown.
    pub country: String,
    /// The channel.
    pub channel: String,
    /// What is counted.
    pub kind: TallyKind,
}

/// One thing to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its place in the stream.
    pub seq: u64,
    /// What it counts as; one event may count as several things, which are handed in together.
    pub key: TallyKey,
}

/// The counts of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourTally {
    /// Which.
    pub hour: Hour,
    /// The counts.
    pub counts: BTreeMap<TallyKey, u64>,
}

/// The record of one hour.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    /// Everything of this tenant and hour up to this place in the stream is counted.
    through: u64,
    /// Region, country, channel, kind, count.
    rows: Vec<(String, String, String, TallyKind, u64)>,
}

impl Record {
    fn counts(self) -> BTreeMap<TallyKey, u64> {
        let row =
            |(region, country, channel, kind, count)| (TallyKey { region, country, channel, kind }, count);
        self.rows.into_iter().map(row).collect()
    }

    fn of(through: u64, counts: BTreeMap<TallyKey, u64>) -> Self {
        let row = |(key, count): (TallyKey, u64)| (key.region, key.country, key.channel, key.kind, count);
        Self { through, rows: counts.into_iter().map(row).collect() }
    }
}

/// The counts of all tenants. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tally {
    bucket: KvBucket,
}

impl Tally {
    /// Opens the provisioned bucket [`BUCKET`].
    pub async fn open(context: &Context) -> Result<Self, KvError> {
        Ok(Self { bucket: KvBucket::open(context, BUCKET).await? })
    }

    /// Counts what was not counted yet. `events` are all of this tenant and hour in a stretch of the stream that begins
    /// at or before the place where counting of it stopped, whoever stopped there. May be repeated.
    pub async fn add(&self, tenant: &str, hour: Hour, events: &[Counted]) -> Result<(), KvError> {
        let Some(last) = events.iter().map(|event| event.seq).max() else { return Ok(()) };
        self.bucket
            .modify(&key(tenant, hour), |stored: Option<Record>| {
                let stored = stored.unwrap_or_default();
                let through = stored.through;
                if through >= last {
                    return Change::Keep(());
                }
                let mut counts = stored.counts();
                for event in events.iter().filter(|event| event.seq > through) {
                    let count = counts.entry(event.key.clone()).or_default();
                    *count = count.saturating_add(1);
                }
                Change::Write(Record::of(last, counts), ())
            })
            .await
    }

    /// The counts of these hours, both included, oldest first. Hours in which nothing happened are left out.
    pub async fn read(&self, tenant: &str, from: Hour, to: Hour) -> Result<Vec<HourTally>, KvError> {
        let read = |hour: Hour| async move {
            let found = self.bucket.get::<Record>(&key(tenant, hour)).await?;
            Ok::<_, KvError>(found.map(|found| HourTally { hour, counts: found.value.counts() }))
        };
        let hours: Vec<Option<HourTally>> =
            futures::stream::iter((from..=to).map(read)).buffered(BATCH).try_collect().await?;
        Ok(hours.into_iter().flatten().collect())
    }

    /// The place in the stream through which every hour has been counted; 0 when nothing was.
    pub async fn progress(&self) -> Result<u64, KvError> {
        Ok(self.bucket.get_latest::<u64>(PROGRESS).await?.map_or(0, |found| found.value))
    }

    /// Remembers that every event up to this place was handed in. It never goes back.
    pub async fn set_progress(&self, through: u64) -> Result<(), KvError> {
        self.bucket
            .modify(PROGRESS, |stored: Option<u64>| {
                if stored.is_some_and(|stored| stored >= through) {
                    Change::Keep(())
                } else {
                    Change::Write(through, ())
                }
            })
            .await
    }
}

fn key(tenant: &str, hour: Hour) -> String {
    keys::kv(&[tenant, &hour.to_string()])
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, TallyKind, hour_of};

    #[test]
    fn hours_begin_on_the_hour_also_before_the_epoch() {
        assert_eq!((hour_of(0), hour_of(HOUR_MS - 1), hour_of(HOUR_MS), hour_of(-1)), (0, 0, 1, -1));
    }

    #[test]
    fn kinds_are_written_as_they_are_stored() {
        for kind in TallyKind::ALL {
            let stored = serde_json::to_value(kind).expect("it has a name");
            assert_eq!(stored, kind.as_str());
        }
    }
}
