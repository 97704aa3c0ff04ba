//! The small types everything here is made of.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name or an id: immutable, and cheap to copy into every decision.
pub type Text = Arc<str>;

/// Milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time `seconds` later.
    #[must_use]
    pub fn after(self, seconds: u32) -> Self {
        self.after_millis(i64::from(seconds) * 1_000)
    }

    /// The time `millis` milliseconds later; stays at the end of time instead of wrapping.
    #[must_use]
    pub fn after_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// Where an entry stands in the routing log. Ids made from an entry derive from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Routing partition.
    pub partition: u16,
    /// Sequence in the partition's log. Rises strictly from entry to entry.
    pub sequence: u64,
}
