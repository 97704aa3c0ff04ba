//! How long to wait before the next try.

use std::time::Duration;

/// Doubling waits with jitter, from `first` up to `most`.
#[derive(Debug, Clone)]
pub struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Waits that start at `first` and double up to `most`.
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { next: first, most }
    }

    /// The next wait: between half of the current step and all of it, so that a fleet does not retry in step.
    pub fn next_wait(&mut self) -> Duration {
        self.next_wait_by(rand::random())
    }

    /// The same, where `draw` was drawn elsewhere.
    pub(crate) fn next_wait_by(&mut self, draw: u64) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.most);
        // Half of what 32 bits can say.
        let part = f64::from((draw >> 32) as u32) / f64::from(u32::MAX) / 2.0;
        step.mul_f64(0.5 + part)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(20), Duration::from_secs(1))
    }
}
