//! Durations.

use std::time::Duration;

/// A wait as a channel gives it; none when it is negative or absurd.
pub(crate) fn wait(duration: &heliograph_proto::Duration) -> Option<Duration> {
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos).ok()?;
    (nanos < 1_000_000_000).then(|| Duration::new(seconds.min(366 * 24 * 3600), nanos))
}

/// A duration in milliseconds, for sums with moments.
pub(crate) fn in_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
