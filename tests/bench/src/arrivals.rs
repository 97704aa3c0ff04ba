//! When numbered messages arrived at the far end.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::{sync::watch, time::timeout};

/// How long nothing may arrive before we stop waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Arrivals {
    times: Arc<Mutex<HashMap<u64, Instant>>>,
    count: Arc<watch::Sender<usize>>,
}

impl Arrivals {
    pub(crate) fn new() -> Self {
        Self { times: Arc::default(), count: Arc::new(watch::Sender::new(0)) }
    }

    /// Notes that message `n` is there. The first time counts.
    pub(crate) fn note(&self, n: u64) {
        let now = Instant::now();
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.entry(n).or_insert(now);
        self.count.send_replace(times.len());
    }

    /// Waits until so many have arrived since the beginning.
    pub(crate) async fn wait_for(&self, count: usize) -> anyhow::Result<()> {
        let mut seen = self.count.subscribe();
        loop {
            let now = *seen.borrow_and_update();
            if now >= count {
                return Ok(());
            }
            if timeout(PATIENCE, seen.changed()).await.is_err() {
                bail!("{now} messages arrived of {count}, and no more for {} s", PATIENCE.as_secs());
            }
        }
    }

    pub(crate) fn count(&self) -> usize {
        *self.count.borrow()
    }

    pub(crate) fn last(&self, numbers: Range<u64>) -> Option<Instant> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.filter_map(|n| times.get(&n).copied()).max()
    }

    /// Microseconds from when each message was sent to when it arrived.
    pub(crate) fn latencies(&self, first: u64, sent: &[Instant]) -> Vec<u32> {
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = |(n, sent): (u64, &Instant)| {
            let taken = times.get(&n)?.saturating_duration_since(*sent);
            Some(u32::try_from(taken.as_micros()).unwrap_or(u32::MAX))
        };
        (first..).zip(sent).filter_map(taken).collect()
    }
}
