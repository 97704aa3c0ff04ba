//! How much went which way: counted from the public stream by one desk at a time, read by all.

mod count;
mod project;

use std::collections::BTreeMap;

use heliograph_fabric::Fabric;
use heliograph_store::{
    KvError,
    tally::{self, TallyKind, hour_of},
};
use jiff::Timestamp;
use serde::Serialize;

pub(crate) use project::keep;

/// Messages of one region, country and channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    region: String,
    /// Empty when unknown.
    country: String,
    channel: String,
    /// From customers.
    received: u64,
    /// To customers, as far as providers took them.
    sent: u64,
    /// To customers, and arrived as far as receipts tell.
    delivered: u64,
    /// To customers, and given up.
    failed: u64,
    /// To customers, and kept back by policy, consent or a closed window.
    refused: u64,
    /// From customers, on channels they may not be answered on.
    denied: u64,
}

/// The counts. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    counts: tally::Tally,
}

impl Tally {
    pub(crate) async fn open(fabric: &Fabric) -> Result<Self, KvError> {
        Ok(Self { counts: tally::Tally::open(fabric.jetstream()).await? })
    }

    /// What was counted in the hours that begin in a stretch of time, `from` included and `to` not.
    pub(crate) async fn read(
        &self,
        tenant: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Row>, KvError> {
        // An hour belongs to the stretch that it begins in, so that neighbours share none.
        let first = |at: Timestamp| hour_of(at.as_millisecond().saturating_sub(1)) + 1;
        let mut rows: BTreeMap<[String; 3], Row> = BTreeMap::new();
        for hour in self.counts.read(tenant, first(from), first(to) - 1).await? {
            for (key, count) in hour.counts {
                let place = [key.region.clone(), key.country.clone(), key.channel.clone()];
                let row = rows.entry(place).or_insert_with(|| Row {
                    region: key.region,
                    country: key.country,
                    channel: key.channel,
                    ..Row::default()
                });
                let sum = match key.kind {
                    TallyKind::Received => &mut row.received,
                    TallyKind::Sent => &mut row.sent,
                    TallyKind::Delivered => &mut row.delivered,
                    TallyKind::Failed => &mut row.failed,
                    TallyKind::Refused => &mut row.refused,
                    TallyKind::DeniedInbound => &mut row.denied,
                    // Part of what was sent, refused or given up later.
                    TallyKind::Accepted => continue,
                };
                *sum = sum.saturating_add(count);
            }
        }
        Ok(rows.into_values().collect())
    }
}
