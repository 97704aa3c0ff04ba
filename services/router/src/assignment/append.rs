//! What the shell itself adds to the log: due timers and changed configuration. Only the partition's owner does.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use heliograph_assignment::Timestamp as Moment;
use heliograph_domain::ids;
use heliograph_fabric::{
    Envelope, Fence, Ground, Layout, Sequencer, SequencerOptions, places::GENERATION, subjects,
};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Configuration, RoutingEntry, TimerDue, routing_entry::Kind},
};
use tokio::time::Instant;

use super::{packed, state::State};
use crate::{
    book::{Book, Pool},
    naming::{SOURCE, routing_partition},
};

/// How long a due timer is waited for in the log before it is appended once more.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long one append is tried.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a configuration is waited for in the log at most before it is appended once more. One that no machine can
/// read would otherwise fill the log.
const AGAIN_AT_MOST: Duration = Duration::from_mins(5);
/// How long until timers are looked at again when none is set.
const FAR: Duration = Duration::from_mins(1);

/// Appends to one partition of the log.
pub(super) struct Appender<G> {
    partition: u16,
    /// The owner's: what another one asked for and saw come to nothing is not what we ask for.
    epoch: u64,
    layout: Layout,
    sequencer: Sequencer<G>,
    /// The timer asked for last: its time, how often it was asked for, and when.
    timer: Option<(Moment, u32, Instant)>,
    /// The configuration asked for last, by tenant, until it is in force.
    configured: HashMap<String, Asked>,
}

/// A configuration that was appended.
struct Asked {
    digest: String,
    revision: u64,
    /// How often before.
    times: u32,
    /// When it is appended once more, should it not be in force by then.
    again_at: Instant,
}

impl<G: Ground> Appender<G> {
    pub(super) fn new(ground: &G, fence: &Fence, partition: u16, layout: Layout) -> Self {
        let options = SequencerOptions { capacity: 256, fence: Some(fence.clone()) };
        Self {
            partition,
            epoch: fence.epoch(),
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
        let (partition, epoch) = (self.partition.to_string(), self.epoch.to_string());
        let parts = ["timer", &partition, &due.0.to_string(), &epoch, &times.to_string()];
        let entry = RoutingEntry {
            id: ids::derive("ent", &parts),
            tenant: String::new(),
            kind: Some(Kind::Timer(TimerDue { due: Some(Timestamp::from_millis(now_ms)) })),
        };
        self.append("timer", (subjects::NONE, 0), &entry, "routing.timer", now_ms).await;
    }

    /// Appends the configuration of every tenant of this partition whose resources say something else than the machine
    /// was told.
    pub(super) async fn configure(&mut self, book: &Book, state: &State, now_ms: i64) {
        let State { annex, residence, .. } = state;
        let home = |tenant: &str| routing_partition(tenant, self.layout.routing) == self.partition;
        let here = |tenant: &str| residence.here(tenant, home(tenant));
        let pools: HashMap<&str, &Pool> = book.pools().filter(|(tenant, _)| here(tenant).is_some()).collect();
        self.configured.retain(|tenant, _| here(tenant).is_some());
        let tenants: BTreeSet<&str> = pools.keys().copied().chain(annex.configured_tenants()).collect();
        let empty = Pool::empty();
        let mut changed = Vec::new();
        for tenant in tenants {
            let pool = pools.get(tenant).copied().unwrap_or(&empty);
            if annex.configured(tenant) == Some(&pool.digest) {
                self.configured.remove(tenant);
                continue;
            }
            let times = match self.configured.get(tenant) {
                Some(asked) if (&asked.digest, asked.revision) == (&pool.digest, book.revision) => {
                    if Instant::now() < asked.again_at {
                        continue;
                    }
                    asked.times + 1
                }
                _ => 0,
            };
            changed.push((tenant.to_owned(), here(tenant).unwrap_or_default(), pool.clone(), times));
        }
        for (tenant, generation, Pool { configuration, digest }, times) in changed {
            let revision = book.revision;
            let version = i64::try_from(revision).unwrap_or(i64::MAX);
            let mut parts = vec!["configuration".to_owned(), tenant.clone(), digest.clone()];
            parts.extend([version.to_string(), times.to_string()]);
            if generation > 0 {
                // What stands under another place is not what is asked for here.
                parts.push(generation.to_string());
            }
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let entry = RoutingEntry {
                id: ids::derive("ent", &parts),
                tenant: tenant.clone(),
                kind: Some(Kind::Configuration(packed::pack(Configuration { version, ..configuration }))),
            };
            tracing::info!(tenant, version, times, "configuration changed");
            let (lane, subject) = (format!("configuration/{tenant}"), (&*tenant, generation));
            self.append(&lane, subject, &entry, "routing.configuration", now_ms).await;
            let wait = AGAIN_AFTER.saturating_mul(1 << times.min(16)).min(AGAIN_AT_MOST);
            let again_at = Instant::now() + wait;
            self.configured.insert(tenant, Asked { digest, revision, times, again_at });
        }
    }

    /// Whether a configuration that was appended is not in force though it should be.
    pub(super) fn has_to_configure(&self) -> bool {
        let now = Instant::now();
        self.configured.values().any(|asked| asked.again_at <= now)
    }

    /// Hands an entry over. That it is stored shows when it comes back in the log.
    async fn append(
        &self,
        lane: &str,
        (tenant, generation): (&str, u32),
        entry: &RoutingEntry,
        kind: &str,
        now_ms: i64,
    ) {
        let Ok(subject) = subjects::routing(self.partition, tenant) else { return };
        let mut envelope = Envelope::new(entry.id.clone(), kind, SOURCE, now_ms, entry.encode_to_vec());
        if generation > 0 {
            envelope.extensions.insert(GENERATION.to_owned(), generation.to_string());
        }
        // A lane that failed while the broker was away starts anew: what counts is asked for again.
        self.sequencer.mend(lane);
        drop(self.sequencer.submit(lane, subject, envelope, Some(Instant::now() + PATIENCE)).await);
    }

    /// A configuration of the tenant's came back in the log: if it is not the one that should be in force, somebody who
    /// knew less appended it behind ours.
    pub(super) fn applied(&mut self, tenant: &str) {
        if let Some(asked) = self.configured.get_mut(tenant) {
            asked.again_at = Instant::now();
        }
    }
}
