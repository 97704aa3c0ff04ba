//! Milliseconds and protobuf timestamps.

use heliograph_proto::Timestamp;

/// The timestamp of a moment in milliseconds since 1970.
pub(crate) fn timestamp(ms: i64) -> Timestamp {
    Timestamp { seconds: ms.div_euclid(1_000), nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32 }
}

/// Milliseconds since 1970.
pub(crate) fn millis(timestamp: &Timestamp) -> i64 {
    timestamp.seconds.saturating_mul(1_000).saturating_add(i64::from(timestamp.nanos) / 1_000_000)
}

/// The moment for the policy engine; the epoch when it lies outside of what calendars know.
pub(crate) fn moment(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
