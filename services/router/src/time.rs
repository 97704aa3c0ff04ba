//! Moments for the policy engine.

/// The moment for the policy engine; the epoch when it lies outside of what calendars know.
pub(crate) fn moment(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}
