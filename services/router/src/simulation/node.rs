//! One machine: it runs tasks, until it stands still for a while or is killed.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, AtomicU32, Ordering},
};
use std::task::{Context, Poll, Waker};

use super::chance::Chance;
use super::link::Link;

/// See the module.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) name: String,
    /// Whether it is a router.
    pub(super) owns_partitions: bool,
    pub(super) link: Link,
    state: Mutex<State>,
    /// How far its clock is ahead, in milliseconds.
    pub(super) ahead_ms: AtomicI64,
    /// What it has sent to a stream, and not heard of yet.
    pub(super) under_way: AtomicU32,
}

#[derive(Debug)]
struct State {
    dead: bool,
    still: bool,
    /// Its tasks that wait, so that they can be gone on with or be dropped.
    waiting: BTreeMap<u64, Waker>,
    tasks: u64,
    chance: Chance,
}

impl Node {
    pub(super) fn new(name: &str, owns_partitions: bool, chance: Chance) -> Arc<Self> {
        let state = State { dead: false, still: false, waiting: BTreeMap::new(), tasks: 0, chance };
        Arc::new(Self {
            name: name.to_owned(),
            owns_partitions,
            link: Link::new(),
            state: Mutex::new(state),
            ahead_ms: AtomicI64::new(0),
            under_way: AtomicU32::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn draw(&self) -> u64 {
        self.state().chance.draw()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state().dead
    }

    pub(super) fn is_still(&self) -> bool {
        self.state().still
    }

    pub(super) fn is_busy(&self) -> bool {
        self.under_way.load(Ordering::Relaxed) > 0
    }

    /// As `kill -9`: none of its tasks runs again.
    pub(super) fn kill(&self) {
        self.state().dead = true;
        self.wake();
    }

    /// Stops all of its tasks where they wait, or lets them go on.
    pub(super) fn stand_still(&self, still: bool) {
        self.state().still = still;
        if !still {
            self.wake();
        }
    }

    fn wake(&self) {
        let waiting = std::mem::take(&mut self.state().waiting);
        for waker in waiting.into_values() {
            waker.wake();
        }
    }
}

/// A task of a machine.
pub(super) struct Task<F> {
    node: Arc<Node>,
    number: u64,
    /// None once the machine is dead.
    work: Option<Pin<Box<F>>>,
}

impl<F> Task<F> {
    pub(super) fn of(node: &Arc<Node>, work: F) -> Self {
        let mut state = node.state();
        state.tasks += 1;
        Self { node: Arc::clone(node), number: state.tasks, work: Some(Box::pin(work)) }
    }
}

impl<F: Future> Future for Task<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let (dead, still) = {
            let mut state = self.node.state();
            if !state.dead {
                let number = self.number;
                state.waiting.insert(number, cx.waker().clone());
            }
            (state.dead, state.still)
        };
        if dead {
            self.work = None;
        }
        match &mut self.work {
            Some(work) if !still => work.as_mut().poll(cx),
            _ => Poll::Pending,
        }
    }
}

impl<F> Drop for Task<F> {
    fn drop(&mut self) {
        let number = self.number;
        self.node.state().waiting.remove(&number);
    }
}

/// Something that is under way as long as this is there.
pub(super) struct Counted<'a>(Option<&'a Node>);

impl<'a> Counted<'a> {
    pub(super) fn of(node: &'a Node, subject: &str) -> Self {
        // Heartbeats and cursors are always under way.
        let counts = !subject.starts_with("$KV.");
        if counts {
            node.under_way.fetch_add(1, Ordering::Relaxed);
        }
        Self(counts.then_some(node))
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if let Some(node) = self.0 {
            node.under_way.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
