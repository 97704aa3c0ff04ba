//! Following a bucket without ever missing a change.
//!
//! A watch lists the bucket, then follows it. Whatever interrupts it (a reconnect that failed, a consumer that went
//! silent, a bucket that was put back from a backup) makes it list again and report the difference to what it had
//! reported before. So the receiver's picture is complete after every [`WatchEvent::Current`], and never has to be
//! thrown away in between.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::Millis;
use crate::kv::{KvBucket, KvError, Listing, Lost, RawEntry, unavailable};

/// How often a quiet watch compares itself with the stream's state.
const CHECK_EVERY: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// Changes that wait for a slow receiver before the watch stops reading.
const BACKLOG: usize = 256;

/// What a watch reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchEvent {
    /// A key has a new value.
    Put {
        /// The key.
        key: String,
        /// The bucket-wide sequence of the write.
        revision: u64,
        /// When the broker stored it.
        stored_at_ms: Millis,
        /// The value's bytes as stored, perhaps compressed.
        value: Bytes,
    },
    /// A key was taken away.
    Removed {
        /// The key.
        key: String,
    },
    /// Everything that stood in the bucket when the watch (re)started has been reported.
    Current,
}

/// Aborts its task when dropped: a watch ends with its owner.
#[derive(Debug)]
pub(crate) struct Task(pub(crate) JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A running watch over a whole bucket.
#[derive(Debug)]
pub struct BucketWatch {
    events: mpsc::Receiver<WatchEvent>,
    _task: Task,
}

impl BucketWatch {
    /// Starts watching.
    pub fn start(bucket: KvBucket) -> Self {
        let (sender, events) = mpsc::channel(BACKLOG);
        let task = Task(tokio::spawn(follow(bucket, sender)));
        Self { events, _task: task }
    }

    /// The next event; waits while the broker is away.
    pub async fn next(&mut self) -> Option<WatchEvent> {
        self.events.recv().await
    }

    /// The next event if one is waiting.
    pub fn try_next(&mut self) -> Option<WatchEvent> {
        self.events.try_recv().ok()
    }
}

/// Nobody listens any more.
struct Closed;

async fn follow(bucket: KvBucket, sender: mpsc::Sender<WatchEvent>) {
    let mut known = Known { keys: HashMap::new(), sender };
    let mut pause = FIRST_PAUSE;
    loop {
        let mut caught_up = false;
        match session(&bucket, &mut known, &mut caught_up).await {
            Ok(Closed) => return,
            Err(error) => {
                tracing::debug!(
                    bucket = bucket.name(),
                    error = &error as &dyn std::error::Error,
                    "watch restarts"
                );
            }
        }
        pause = if caught_up { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = known.sender.closed() => return,
        }
    }
}

/// What the receiver has been told.
struct Known {
    keys: HashMap<String, (u64, Millis)>,
    sender: mpsc::Sender<WatchEvent>,
}

impl Known {
    async fn take(&mut self, entry: RawEntry) -> Result<(), Closed> {
        if entry.deleted {
            return self.forget(entry.key).await;
        }
        // The time tells a write from one with the same number in a bucket that was made anew.
        let stamp = (entry.revision, entry.stored_at_ms);
        if self.keys.get(&entry.key) == Some(&stamp) {
            return Ok(());
        }
        self.keys.insert(entry.key.clone(), stamp);
        let RawEntry { key, revision, stored_at_ms, value, .. } = entry;
        self.send(WatchEvent::Put { key, revision, stored_at_ms, value }).await
    }

    async fn forget(&mut self, key: String) -> Result<(), Closed> {
        if self.keys.remove(&key).is_some() {
            self.send(WatchEvent::Removed { key }).await?;
        }
        Ok(())
    }

    /// Takes away what a complete listing did not contain.
    async fn listed(&mut self, listed: &HashSet<String>) -> Result<(), Closed> {
        let gone: Vec<String> = self.keys.keys().filter(|key| !listed.contains(*key)).cloned().collect();
        for key in gone {
            self.forget(key).await?;
        }
        self.send(WatchEvent::Current).await
    }

    async fn send(&self, event: WatchEvent) -> Result<(), Closed> {
        self.sender.send(event).await.map_err(|_| Closed)
    }
}

/// One listing and what follows it, until something interrupts it.
async fn session(bucket: &KvBucket, known: &mut Known, caught_up: &mut bool) -> Result<Closed, KvError> {
    let created =
        bucket.store().stream.get_info().await.map_err(|error| unavailable(bucket.name(), error))?.created;
    let Listing { pending, mut messages, .. } =
        bucket.consume(">", DeliverPolicy::LastPerSubject, false).await?;
    // Keys that were there in this session; None once the listing is complete.
    let mut listing = Some(HashSet::new());
    let mut seen: u64 = 0;
    let mut at_last_check: u64 = 0;
    // The last sequence for which a lag turned out to be an entry that no longer exists.
    let mut explained: u64 = 0;
    if pending == 0 {
        *caught_up = true;
        if known.listed(&listing.take().unwrap_or_default()).await.is_err() {
            return Ok(Closed);
        }
    }
    let mut check = tokio::time::interval_at(tokio::time::Instant::now() + CHECK_EVERY, CHECK_EVERY);
    check.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let sender = known.sender.clone();
        tokio::select! {
            message = messages.next() => {
                let entry = match message {
                    Some(Ok(message)) => bucket.entry(&message)?,
                    Some(Err(error)) => return Err(unavailable(bucket.name(), error)),
                    None => return Err(unavailable(bucket.name(), Lost)),
                };
                seen = entry.revision;
                let last = entry.pending == 0;
                if let Some(listed) = &mut listing {
                    if entry.deleted { listed.remove(&entry.key); } else { listed.insert(entry.key.clone()); }
                }
                if known.take(entry).await.is_err() {
                    return Ok(Closed);
                }
                if last && let Some(listed) = listing.take() {
                    *caught_up = true;
                    if known.listed(&listed).await.is_err() {
                        return Ok(Closed);
                    }
                }
            }
            _ = check.tick() => {
                let Ok(info) = bucket.store().stream.get_info().await else { continue };
                if info.created != created || info.state.last_sequence < seen {
                    return Err(unavailable(bucket.name(), Remade));
                }
                let quiet = seen == at_last_check;
                at_last_check = seen;
                let lagging = info.state.last_sequence > seen && info.state.last_sequence != explained;
                if quiet && (lagging || listing.is_some()) {
                    // Either the consumer is dead, or the newest entries were removed before they were delivered.
                    // A fresh listing is right in both cases.
                    if bucket.pending_from(seen + 1).await? > 0 {
                        return Err(unavailable(bucket.name(), Stalled));
                    }
                    explained = info.state.last_sequence;
                    if let Some(listed) = listing.take() {
                        *caught_up = true;
                        if known.listed(&listed).await.is_err() {
                            return Ok(Closed);
                        }
                    }
                }
            }
            () = sender.closed() => return Ok(Closed),
        }
    }
}

/// The bucket is not the one the watch began with.
#[derive(Debug, thiserror::Error)]
#[error("the bucket was made anew")]
struct Remade;

/// The consumer delivers nothing although there is something to deliver.
#[derive(Debug, thiserror::Error)]
#[error("the consumer stalled")]
struct Stalled;
