//! One member of a group: takes its share, runs the tasks, hands over.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use opentelemetry::KeyValue;
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fence::{Fence, Validity};
use super::rendezvous::assign;
use super::session::{Keys, Session, evict};
use super::view::{Change, Claim, LeaseValue, MemberValue, View};
use super::watch::{News, follow};
use super::{Owned, OwnershipOptions};
use crate::backoff::Backoff;
use crate::fabric::BrokerError;
use crate::ground::Ground;
use crate::kv::{self, CasError, Versioned};
use crate::subjects::Bucket;

/// How often shares are looked at when nothing happens: silence of others makes no noise.
const TICK: Duration = Duration::from_millis(100);
/// How long a partition rests after its task ended by itself.
const REST: Duration = Duration::from_secs(1);
/// How long members that left are remembered.
const MEMORY: Duration = Duration::from_mins(1);

pub(super) type Make = Arc<dyn Fn(Owned) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A running membership. Dropping it shuts it down in the background.
#[derive(Debug)]
pub struct OwnershipHandle {
    owned: watch::Receiver<BTreeSet<u16>>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl OwnershipHandle {
    /// The partitions whose tasks run here, as they change.
    pub fn owned(&self) -> watch::Receiver<BTreeSet<u16>> {
        self.owned.clone()
    }

    /// Lets go of everything: tasks are cancelled and awaited, partitions released, the member leaves.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::error!(%error, "partition ownership ended badly");
        }
    }
}

impl Drop for OwnershipHandle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub(super) fn start<G: Ground>(
    ground: &G,
    group: &str,
    partitions: u16,
    member: &str,
    options: OwnershipOptions,
    make: Make,
) -> OwnershipHandle {
    let (report, owned) = watch::channel(BTreeSet::new());
    let stop = CancellationToken::new();
    let (sender, news) = mpsc::channel(256);
    let keys = Keys { group: group.to_owned() };
    let follower = tokio::spawn(ground.task(follow(ground.clone(), keys.clone(), sender)));
    let member = Member {
        ground: ground.clone(),
        label: KeyValue::new("group", group.to_owned()),
        keys,
        partitions,
        name: token(member),
        options,
        make,
        news,
        view: View::default(),
        ready: false,
        report,
        stop: stop.clone(),
    };
    let task = tokio::spawn(ground.task(async move {
        member.run().await;
        follower.abort();
    }));
    OwnershipHandle { owned, stop, task: Some(task) }
}

/// A member's name as part of a key.
fn token(name: &str) -> String {
    let safe = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' });
    let safe: String = safe.take(80).collect();
    if safe.is_empty() { "member".to_owned() } else { safe }
}

struct Member<G> {
    ground: G,
    label: KeyValue,
    keys: Keys,
    partitions: u16,
    name: String,
    options: OwnershipOptions,
    make: Make,
    news: mpsc::Receiver<News>,
    view: View,
    /// Whether the view is complete.
    ready: bool,
    report: watch::Sender<BTreeSet<u16>>,
    stop: CancellationToken,
}

/// What belongs to one session, and ends with it.
struct Tenure {
    me: String,
    validity: Arc<Validity>,
    tasks: JoinSet<()>,
    running: HashMap<u16, Running>,
    /// Writes under way, and the partitions they are about.
    writes: FuturesUnordered<BoxFuture<'static, Written>>,
    busy: BTreeSet<u16>,
    resting: HashMap<u16, Instant>,
}

struct Running {
    task: Id,
    epoch: u64,
    fence: Fence,
    cancel: CancellationToken,
}

enum Written {
    Claimed(u16, Result<u64, CasError>),
    Released(u16, Result<u64, CasError>),
    Evicted(u16, String, Result<u64, CasError>),
    Asked(u16, String, Result<Versioned, BrokerError>),
}

impl<G: Ground> Member<G> {
    async fn run(mut self) {
        let (leave, leaving) = watch::channel(false);
        let mut backoff = Backoff::default();
        while !self.stop.is_cancelled() {
            let begun = Session::begin(&self.ground, &self.keys, &self.name, self.options).await;
            let session = match begun {
                Ok(session) => session,
                Err(error) => {
                    tracing::debug!(group = self.keys.group, %error, "no session yet");
                    let wait = backoff.next_wait_by(self.ground.draw());
                    tokio::select! {
                        biased;
                        () = self.stop.cancelled() => {}
                        () = tokio::time::sleep(wait) => {}
                    }
                    continue;
                }
            };
            backoff = Backoff::default();
            let (me, validity) = (session.id.clone(), session.validity.clone());
            tracing::info!(group = self.keys.group, session = me, "joined");
            let keeper = tokio::spawn(self.ground.task(session.keep(leaving.clone())));
            self.hold(me, validity.clone(), &leave).await;
            validity.over.cancel();
            match keeper.await {
                Ok(session) if self.stop.is_cancelled() => session.end().await,
                // The broker may be away: a new session must not wait for the old one's key.
                Ok(session) => drop(tokio::spawn(self.ground.task(session.end()))),
                Err(error) => tracing::error!(%error, "the heartbeat task failed"),
            }
        }
    }

    /// Holds this member's share until the session is over or everything is handed over at shutdown.
    async fn hold(&mut self, me: String, validity: Arc<Validity>, leave: &watch::Sender<bool>) {
        let mut tenure = Tenure {
            me,
            validity: validity.clone(),
            tasks: JoinSet::new(),
            running: HashMap::new(),
            writes: FuturesUnordered::new(),
            busy: BTreeSet::new(),
            resting: HashMap::new(),
        };
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut lost, mut draining) = (false, false);
        loop {
            tokio::select! {
                biased;
                () = validity.over.cancelled(), if !lost => {
                    lost = true;
                    tracing::warn!(group = self.keys.group, session = tenure.me, held = tenure.running.len(), "session is over, stopping");
                    self.ground.metrics().sessions_lost.add(1, std::slice::from_ref(&self.label));
                }
                () = self.stop.cancelled(), if !draining => {
                    draining = true;
                    leave.send_replace(true);
                }
                Some(ended) = tenure.tasks.join_next_with_id() => self.ended(&mut tenure, ended),
                Some(written) = tenure.writes.next() => self.written(&mut tenure, written),
                news = self.news.recv() => match news {
                    Some(news) => self.hear(news),
                    None => return,
                },
                _ = ticks.tick() => {}
            }
            while let Ok(news) = self.news.try_recv() {
                self.hear(news);
            }
            if lost {
                if tenure.tasks.is_empty() {
                    return;
                }
            } else if draining && tenure.running.is_empty() && tenure.busy.is_empty() {
                return;
            } else if self.ready {
                self.step(&mut tenure, draining);
            }
        }
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Reset => (self.view, self.ready) = (View::default(), false),
            News::CaughtUp => self.ready = true,
            News::Changed(change, revision) => self.view.apply(change, revision, Instant::now()),
        }
    }

    /// Compares what we should hold with what we hold, and starts what closes the gap.
    fn step(&mut self, tenure: &mut Tenure, draining: bool) {
        let now = Instant::now();
        self.view.tidy(now, MEMORY);
        let wanted = if draining { BTreeSet::new() } else { self.share(&tenure.me, now) };
        for (partition, running) in &tenure.running {
            if !wanted.contains(partition) {
                running.cancel.cancel();
            }
        }
        // A release that we did not hear of, or a claim that we did not hear of and no longer want.
        for (partition, revision) in self.view.held_by(&tenure.me) {
            if !wanted.contains(&partition)
                && !tenure.running.contains_key(&partition)
                && tenure.busy.insert(partition)
            {
                tenure.writes.push(self.release(partition, revision));
            }
        }
        for partition in wanted {
            if tenure.running.contains_key(&partition)
                || tenure.busy.contains(&partition)
                || tenure.resting.get(&partition).is_some_and(|until| now < *until)
            {
                continue;
            }
            let write = match self.view.claim(&tenure.me, partition, now, self.options.takeover_after) {
                Claim::Wait => continue,
                Claim::Take { revision } => self.take(partition, tenure, revision),
                Claim::Evict { session, revision } => self.evict(partition, session, revision),
                Claim::Ask { session } => self.ask(partition, session),
            };
            tenure.busy.insert(partition);
            tenure.writes.push(write);
        }
    }

    fn share(&self, me: &str, now: Instant) -> BTreeSet<u16> {
        let mut members = self.view.members(now, self.options.takeover_after);
        if !members.contains(&me) {
            members.push(me);
        }
        let assigned = assign(&self.keys.group, self.partitions, &members);
        assigned.into_iter().filter(|(_, holder)| *holder == me).map(|(partition, _)| partition).collect()
    }

    fn take(&self, partition: u16, tenure: &Tenure, revision: u64) -> BoxFuture<'static, Written> {
        let (ground, key, deadline) =
            (self.ground.clone(), self.keys.lease(partition), tenure.validity.ends());
        let value = LeaseValue { holder: tenure.me.clone() };
        let value = serde_json::to_vec(&value).expect("a name serializes");
        Box::pin(async move {
            let swap = swap(&ground, &key, value.into(), revision, deadline);
            Written::Claimed(partition, swap.await)
        })
    }

    fn release(&self, partition: u16, revision: u64) -> BoxFuture<'static, Written> {
        let (ground, key) = (self.ground.clone(), self.keys.lease(partition));
        let value = serde_json::to_vec(&LeaseValue::default()).expect("nobody serializes");
        Box::pin(async move {
            let deadline = Instant::now() + Duration::from_secs(1);
            let swap = swap(&ground, &key, value.into(), revision, deadline);
            Written::Released(partition, swap.await)
        })
    }

    fn evict(&self, partition: u16, session: String, revision: u64) -> BoxFuture<'static, Written> {
        let (ground, key) = (self.ground.clone(), self.keys.member(&session));
        Box::pin(async move {
            let deadline = Instant::now() + Duration::from_secs(1);
            Written::Evicted(partition, session, evict(&ground, &key, revision, deadline).await)
        })
    }

    fn ask(&self, partition: u16, session: String) -> BoxFuture<'static, Written> {
        let (ground, key) = (self.ground.clone(), self.keys.member(&session));
        Box::pin(async move {
            let found = ground.read_key(Bucket::Leases, &key).await;
            Written::Asked(partition, session, found)
        })
    }

    fn written(&mut self, tenure: &mut Tenure, written: Written) {
        let now = Instant::now();
        match written {
            Written::Claimed(partition, done) => {
                tenure.busy.remove(&partition);
                match done {
                    Ok(revision) => {
                        let value = LeaseValue { holder: tenure.me.clone() };
                        self.view.apply(Change::Lease { partition, value }, revision, now);
                        if tenure.validity.holds() {
                            self.begin(tenure, partition, revision);
                        }
                    }
                    Err(error) => {
                        tracing::debug!(group = self.keys.group, partition, %error, "not claimed");
                        tenure.resting.insert(partition, now + TICK);
                    }
                }
            }
            Written::Released(partition, done) => {
                tenure.busy.remove(&partition);
                match done {
                    Ok(revision) => {
                        self.view.apply(
                            Change::Lease { partition, value: LeaseValue::default() },
                            revision,
                            now,
                        );
                    }
                    Err(error) => tracing::debug!(group = self.keys.group, partition, %error, "not released"),
                }
            }
            Written::Evicted(partition, session, done) => match done {
                Ok(revision) => {
                    tenure.busy.remove(&partition);
                    tracing::warn!(group = self.keys.group, session, "took a silent member for dead");
                    self.view.apply(Change::Member { session, value: None }, revision, now);
                }
                Err(error) => {
                    // What we know is old. Where news are late, asking once ends what would else be tried again and again.
                    tracing::debug!(group = self.keys.group, session, %error, "it is alive, or gone");
                    tenure.writes.push(self.ask(partition, session));
                }
            },
            Written::Asked(partition, session, found) => {
                tenure.busy.remove(&partition);
                match found {
                    // A key that never existed or whose tombstone is gone: the session is over.
                    Ok(Versioned { value: None, revision }) => {
                        self.view.apply(Change::Member { session, value: None }, revision.max(1), now);
                    }
                    Ok(Versioned { value: Some(_), revision }) => {
                        let value = Some(MemberValue::default());
                        self.view.apply(Change::Member { session, value }, revision, now);
                    }
                    Err(error) => {
                        tracing::debug!(group = self.keys.group, session, %error, "not known whether it lives");
                        tenure.resting.insert(partition, now + TICK);
                    }
                }
            }
        }
    }

    /// Starts the task of a partition that is ours now.
    fn begin(&self, tenure: &mut Tenure, partition: u16, epoch: u64) {
        let fence = Fence::new(epoch, tenure.validity.clone());
        let over = tenure.validity.over.clone();
        let cancel = over.child_token();
        let owned = Owned { partition, epoch, fence: fence.clone(), cancel: cancel.clone() };
        tracing::info!(group = self.keys.group, partition, epoch, "acquired");
        let make = self.make.clone();
        let (options, group, cancelled) = (self.options, self.keys.group.clone(), cancel.clone());
        let work = self.ground.task(async move {
            tokio::select! {
                biased;
                // Nobody may work on it when another member can have it, whether it listens to its token or not.
                () = after(&over, options.abort_after) => tracing::warn!(group, partition, "task dropped: the session is over"),
                () = after(&cancelled, options.drain) => tracing::error!(group, partition, "task dropped: it did not finish in time"),
                () = make(owned) => {}
            }
        });
        let task = tenure.tasks.spawn(work);
        tenure.running.insert(partition, Running { task: task.id(), epoch, fence, cancel });
        self.ground.metrics().owned.add(1, std::slice::from_ref(&self.label));
        self.ground.metrics().takeovers.add(1, std::slice::from_ref(&self.label));
        self.publish(tenure);
    }

    /// A task has ended: its partition may go.
    fn ended(&mut self, tenure: &mut Tenure, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let (id, failed) = match ended {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let found = tenure.running.iter().find(|(_, running)| running.task == id);
        let partition = *found.expect("every task is of a running partition").0;
        let running = tenure.running.remove(&partition).expect("just found");
        running.fence.release();
        if let Some(error) = failed {
            tracing::error!(group = self.keys.group, partition, %error, "the task of a partition panicked");
        }
        if !running.cancel.is_cancelled() {
            tenure.resting.insert(partition, Instant::now() + REST);
        }
        if tenure.validity.holds() {
            tracing::info!(group = self.keys.group, partition, "released");
            tenure.busy.insert(partition);
            tenure.writes.push(self.release(partition, running.epoch));
        }
        self.ground.metrics().owned.add(-1, std::slice::from_ref(&self.label));
        self.publish(tenure);
    }

    fn publish(&self, tenure: &Tenure) {
        self.report.send_replace(tenure.running.keys().copied().collect());
    }
}

/// Writes a partition's key.
async fn swap<G: Ground>(
    ground: &G,
    key: &str,
    value: Bytes,
    revision: u64,
    deadline: Instant,
) -> Result<u64, CasError> {
    kv::swap(ground, Bucket::Leases, key, Some(value), revision, HeaderMap::new(), deadline).await
}

/// Resolves `delay` after `token` was cancelled.
async fn after(token: &CancellationToken, delay: Duration) {
    token.cancelled().await;
    tokio::time::sleep(delay).await;
}
