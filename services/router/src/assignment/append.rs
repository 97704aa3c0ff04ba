//! What the shell itself adds to the log: due timers and changed configuration. Only the partition's owner does.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use heliograph_assignment::Timestamp as Moment;
use heliograph_domain::ids;
use heliograph_fabric::{Envelope, Fence, Ground, Layout, Sequencer, SequencerOptions, subjects};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Configuration, RoutingEntry, TimerDue, routing_entry::Kind},
};
use tokio::time::Instant;

use super::{annex::Annex, packed};
use crate::{
    book::{Book, Pool},
    naming::{SOURCE, routing_partition},
};

/// How long a due timer is waited for in the log before it is appended once more.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long one append is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long until timers are looked at again when none is set.
const FAR: Duration = Duration::from_mins(1);

/// Appends to one partition of the log.
pub(super) struct Appender<G> {
    partition: u16,
    layout: Layout,
    sequencer: Sequencer<G>,
    /// The timer asked for last: its time, how often it was asked for, and when.
    timer: Option<(Moment, u32, Instant)>,
    /// The configuration asked for last, by tenant.
    configured: HashMap<String, (String, u64)>,
}

impl<G: Ground> Appender<G> {
    pub(super) fn new(ground: &G, fence: &Fence, partition: u16, layout: Layout) -> Self {
        let options = SequencerOptions { capacity: 256, fence: Some(fence.clone()) };
        Self {
            partition,
            layout,
            sequencer: Sequencer::new(ground, options),
            timer: None,
            configured: HashMap::new(),
        }
    }

    /// How long until the timer `due` has to be appended.
    pub(super) fn wait(&self, due: Option<Moment>, now_ms: i64) -> Duration {
        let Some(due) = due else { return FAR };
        let until_due = Duration::from_millis(u64::try_from(due.0 - now_ms).unwrap_or(0));
        // Both: a clock that was set back makes a timer that was asked for one that is not due yet.
        let until_again = match self.timer {
            Some((asked, _, at)) if asked == due => {
                (at + AGAIN_AFTER).saturating_duration_since(Instant::now())
            }
            _ => Duration::ZERO,
        };
        until_due.max(until_again).min(FAR)
    }

    /// Appends the timer if it is due. Asked again for the same one, it is appended under another id: the first may have
    /// been too early for the log's clock.
    pub(super) async fn timer(&mut self, due: Option<Moment>, now_ms: i64) {
        let Some(due) = due.filter(|due| due.0 <= now_ms) else { return };
        let times = match self.timer {
            Some((asked, _, at)) if asked == due && at.elapsed() < AGAIN_AFTER => return,
            Some((asked, times, _)) if asked == due => times + 1,
            _ => 0,
        };
        self.timer = Some((due, times, Instant::now()));
        let parts = ["timer", &self.partition.to_string(), &due.0.to_string(), &times.to_string()];
        let entry = RoutingEntry {
            id: ids::derive("ent", &parts),
            tenant: String::new(),
            kind: Some(Kind::Timer(TimerDue { due: Some(Timestamp::from_millis(now_ms)) })),
        };
        self.append("timer", subjects::NONE, &entry, "routing.timer", now_ms).await;
    }

    /// Appends the configuration of every tenant of this partition whose resources say something else than the machine
    /// was told.
    pub(super) async fn configure(&mut self, book: &Book, annex: &Annex, now_ms: i64) {
        let mine = |tenant: &str| routing_partition(tenant, self.layout.routing) == self.partition;
        let pools: HashMap<&str, &Pool> = book.pools().filter(|(tenant, _)| mine(tenant)).collect();
        let tenants: BTreeSet<&str> = pools.keys().copied().chain(annex.configured_tenants()).collect();
        let empty = Pool::empty();
        let mut changed = Vec::new();
        for tenant in tenants {
            let pool = pools.get(tenant).copied().unwrap_or(&empty);
            let asked = (pool.digest.clone(), book.revision);
            if annex.configured(tenant) != Some(&pool.digest) && self.configured.get(tenant) != Some(&asked) {
                changed.push((tenant.to_owned(), pool.configuration.clone(), asked));
            }
        }
        for (tenant, configuration, asked) in changed {
            let version = i64::try_from(book.revision).unwrap_or(i64::MAX);
            let entry = RoutingEntry {
                id: ids::derive("ent", &["configuration", &tenant, &asked.0, &version.to_string()]),
                tenant: tenant.clone(),
                kind: Some(Kind::Configuration(packed::pack(Configuration { version, ..configuration }))),
            };
            tracing::info!(tenant, version, "configuration changed");
            self.append(&format!("configuration/{tenant}"), &tenant, &entry, "routing.configuration", now_ms)
                .await;
            self.configured.insert(tenant, asked);
        }
    }

    /// Hands an entry over. That it is stored shows when it comes back in the log.
    async fn append(&self, lane: &str, tenant: &str, entry: &RoutingEntry, kind: &str, now_ms: i64) {
        let Ok(subject) = subjects::routing(self.partition, tenant) else { return };
        let envelope = Envelope::new(entry.id.clone(), kind, SOURCE, now_ms, entry.encode_to_vec());
        // A lane that failed while the broker was away starts anew: what counts is asked for again.
        self.sequencer.mend(lane);
        drop(self.sequencer.submit(lane, subject, envelope, Some(Instant::now() + PATIENCE)).await);
    }

    /// Forgets what was asked for a tenant, so that it is asked for again if it is still not in force.
    pub(super) fn applied(&mut self, tenant: &str) {
        self.configured.remove(tenant);
    }
}
