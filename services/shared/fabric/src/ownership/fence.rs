//! Knowing, cheaply and without asking anyone, whether a partition is still ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The partition is not ours any more: stop, and leave things as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the partition is not ours any more")]
pub struct Lost;

/// Tells whether we still own a partition. Cheap to clone and to ask.
#[derive(Debug, Clone)]
pub struct Fence {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    epoch: u64,
    validity: Arc<Validity>,
    released: AtomicBool,
}

impl Fence {
    pub(super) fn new(epoch: u64, validity: Arc<Validity>) -> Self {
        Self { inner: Some(Arc::new(Inner { epoch, validity, released: AtomicBool::new(false) })) }
    }

    /// A fence that never falls, for tools and tests that are alone by other means.
    pub fn open() -> Self {
        Self { inner: None }
    }

    /// Whether the partition is still ours, by our own clock. Ask right before every effect.
    pub fn check(&self) -> Result<(), Lost> {
        match &self.inner {
            None => Ok(()),
            Some(inner) if !inner.released.load(Ordering::Acquire) && inner.validity.holds() => Ok(()),
            Some(_) => Err(Lost),
        }
    }

    /// The owner's epoch; 0 for an open fence.
    pub fn epoch(&self) -> u64 {
        self.inner.as_ref().map_or(0, |inner| inner.epoch)
    }

    pub(super) fn release(&self) {
        if let Some(inner) = &self.inner {
            inner.released.store(true, Ordering::Release);
        }
    }
}

/// Until when a member's session holds, by the monotonic clock.
#[derive(Debug)]
pub(super) struct Validity {
    base: Instant,
    /// Microseconds after `base`.
    until: AtomicU64,
    /// Cancelled when the session is over, for whatever reason.
    pub(super) over: CancellationToken,
}

impl Validity {
    pub(super) fn until(until: Instant) -> Self {
        let base = Instant::now();
        let validity = Self { base, until: AtomicU64::new(0), over: CancellationToken::new() };
        validity.extend(until);
        validity
    }

    pub(super) fn extend(&self, until: Instant) {
        let micros =
            u64::try_from(until.saturating_duration_since(self.base).as_micros()).unwrap_or(u64::MAX);
        self.until.fetch_max(micros, Ordering::AcqRel);
    }

    pub(super) fn ends(&self) -> Instant {
        self.base + Duration::from_micros(self.until.load(Ordering::Acquire))
    }

    pub(super) fn holds(&self) -> bool {
        !self.over.is_cancelled() && Instant::now() < self.ends()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_falls_by_the_clock_by_release_and_by_the_sessions_end() {
        let now = Instant::now();
        let long = now + Duration::from_hours(1);
        let expired = Fence::new(1, Arc::new(Validity::until(now)));
        assert_eq!(expired.check(), Err(Lost));

        let released = Fence::new(2, Arc::new(Validity::until(long)));
        let clone = released.clone();
        assert_eq!(clone.check(), Ok(()));
        released.release();
        assert_eq!(clone.check(), Err(Lost));

        let validity = Arc::new(Validity::until(long));
        let fence = Fence::new(3, validity.clone());
        assert_eq!((fence.check(), fence.epoch()), (Ok(()), 3));
        validity.over.cancel();
        assert_eq!(fence.check(), Err(Lost));
        assert_eq!(Fence::open().check(), Ok(()));
    }
}
