//! Publishing with order per lane and speed across lanes.
//!
//! Many lanes are in flight at once, but never two items of one lane: a publish that is retried could otherwise be
//! stored behind its successor.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{Instrument, Span};

use crate::envelope::Envelope;
use crate::fabric::Fabric;
use crate::ground::Ground;
use crate::ownership::Fence;
use crate::publish::{PublishError, Published, publish};

/// Options of a [`Sequencer`].
#[derive(Debug, Clone)]
pub struct SequencerOptions {
    /// How many items may be waiting or in flight; submitting more waits. 1,024.
    pub capacity: usize,
    /// Publish only while this partition is ours.
    pub fence: Option<Fence>,
}

impl Default for SequencerOptions {
    fn default() -> Self {
        Self { capacity: 1024, fence: None }
    }
}

/// Publishes with FIFO order per lane. Cheap to clone; when the last clone goes, what was not sent is not sent.
#[derive(Clone, Debug)]
pub struct Sequencer<G = Fabric> {
    shared: Arc<Shared<G>>,
    _stop: Arc<DropGuard>,
}

#[derive(Debug)]
struct Shared<G> {
    ground: G,
    fence: Option<Fence>,
    capacity: u32,
    permits: Arc<Semaphore>,
    lanes: Mutex<HashMap<String, Lane>>,
    stop: CancellationToken,
}

#[derive(Debug)]
enum Lane {
    /// A task works on it; these wait.
    Busy(VecDeque<Job>),
    /// An item failed. Nothing more is sent until the owner says how to go on.
    Broken,
}

#[derive(Debug)]
struct Job {
    subject: String,
    envelope: Envelope,
    deadline: Option<Instant>,
    done: oneshot::Sender<Result<Published, PublishError>>,
    span: Span,
    _permit: OwnedSemaphorePermit,
}

/// Resolves when its item is stored, or has failed. Dropping it does not take the item back.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Result<Published, PublishError>>);

impl Future for Ticket {
    type Output = Result<Published, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|done| done.unwrap_or(Err(PublishError::Stopped)))
    }
}

impl<G: Ground> Sequencer<G> {
    /// A sequencer over `ground`.
    pub fn new(ground: &G, options: SequencerOptions) -> Self {
        let stop = CancellationToken::new();
        let capacity = u32::try_from(options.capacity.clamp(1, 1 << 20)).expect("clamped");
        let shared = Shared {
            ground: ground.clone(),
            fence: options.fence,
            capacity,
            permits: Arc::new(Semaphore::new(capacity as usize)),
            lanes: Mutex::default(),
            stop: stop.clone(),
        };
        Self { shared: Arc::new(shared), _stop: Arc::new(stop.drop_guard()) }
    }

    /// Hands an item over. Waits while the sequencer is full; items of one lane are published in the order of the calls.
    ///
    /// Once an item of a lane fails, later ones fail as [`PublishError::Behind`] until [`Sequencer::mend`].
    pub async fn submit(
        &self,
        lane: impl Into<String>,
        subject: impl Into<String>,
        envelope: Envelope,
        deadline: Option<Instant>,
    ) -> Ticket {
        let (done, ticket) = oneshot::channel();
        let permit = self.shared.permits.clone().acquire_owned().await.expect("never closed");
        let (subject, span) = (subject.into(), Span::current());
        let job = Job { subject, envelope, deadline, done, span, _permit: permit };
        let lane = lane.into();
        let mut lanes = self.shared.lanes();
        match lanes.entry(lane) {
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Lane::Busy(waiting) => waiting.push_back(job),
                Lane::Broken => job.fail(PublishError::Behind { lane: entry.key().clone() }),
            },
            Entry::Vacant(entry) => {
                let lane = entry.key().clone();
                entry.insert(Lane::Busy(VecDeque::new()));
                let work = work(self.shared.clone(), lane, job);
                tokio::spawn(self.shared.ground.task(work));
            }
        }
        Ticket(ticket)
    }

    /// Publishes in the lane and waits for the PubAck.
    pub async fn publish(
        &self,
        lane: impl Into<String>,
        subject: impl Into<String>,
        envelope: Envelope,
        deadline: Option<Instant>,
    ) -> Result<Published, PublishError> {
        self.submit(lane, subject, envelope, deadline).await.await
    }

    /// Waits until everything submitted before is stored or has failed.
    pub async fn flush(&self) {
        let all = self.shared.permits.acquire_many(self.shared.capacity).await;
        drop(all.expect("never closed"));
    }

    /// Lets a lane go on after a failure, when its owner knows what to send next.
    pub fn mend(&self, lane: &str) {
        let mut lanes = self.shared.lanes();
        if matches!(lanes.get(lane), Some(Lane::Broken)) {
            lanes.remove(lane);
        }
    }
}

impl<G> Shared<G> {
    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<String, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn fail(self, error: PublishError) {
        // Whoever dropped the ticket does not want to know.
        let _ = self.done.send(Err(error));
    }
}

/// Publishes the items of one lane one after the other, until none waits.
async fn work<G: Ground>(shared: Arc<Shared<G>>, lane: String, first: Job) {
    let mut job = first;
    loop {
        let Job { subject, envelope, deadline, span, .. } = &job;
        let fence = shared.fence.as_ref();
        let publish = publish(&shared.ground, subject, envelope, *deadline, fence).instrument(span.clone());
        let done = tokio::select! {
            biased;
            () = shared.stop.cancelled() => Err(PublishError::Stopped),
            done = publish => done,
        };
        let failed = done.is_err();
        // Decide what follows before anyone hears of the outcome, so that a caller who reacts at once meets a broken lane.
        let next = {
            let mut lanes = shared.lanes();
            let Some(Lane::Busy(waiting)) = lanes.get_mut(&lane) else {
                unreachable!("a lane at work is busy")
            };
            if failed {
                let behind = std::mem::take(waiting);
                lanes.insert(lane.clone(), Lane::Broken);
                for job in behind {
                    job.fail(PublishError::Behind { lane: lane.clone() });
                }
                None
            } else {
                let next = waiting.pop_front();
                if next.is_none() {
                    lanes.remove(&lane);
                }
                next
            }
        };
        let _ = job.done.send(done);
        match next {
            Some(next) => job = next,
            None => return,
        }
    }
}
