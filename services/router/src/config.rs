//! The router's own configuration section, `router`.

use std::time::Duration;

use heliograph_runtime::config::duration;
use serde::{Deserialize, Serialize};

/// Settings of the router.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RouterConfig {
    /// Name of this process among the members that share partitions; made from host and process id when unset.
    pub member: Option<String>,
    /// The site this process runs at, as policies name it in `residency`; unset where residency is not to be looked at.
    pub site: Option<String>,
    /// Intake.
    pub intake: IntakeConfig,
    /// Assignment.
    pub assignment: AssignmentConfig,
}

/// Settings of intake.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct IntakeConfig {
    /// Inbound events of one partition in hand at a time.
    pub in_flight: usize,
    /// How often an event that fails by its own fault is tried before it becomes a dead letter.
    pub tries: u32,
    /// How long a receipt waits for the delivery it belongs to: it may overtake the provider's answer to us.
    #[serde(with = "duration")]
    pub receipt_patience: Duration,
    /// How often the cursor is stored: what came after it is processed again after a crash.
    #[serde(with = "duration")]
    pub cursor_every: Duration,
}

impl Default for IntakeConfig {
    fn default() -> Self {
        Self {
            in_flight: 1_024,
            tries: 5,
            receipt_patience: Duration::from_secs(5),
            cursor_every: Duration::from_millis(250),
        }
    }
}

/// Settings of assignment.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AssignmentConfig {
    /// Events and outbound work of one partition waiting to be stored at a time.
    pub in_flight: usize,
    /// How often the emit cursor is stored: what came after it is emitted again, with the same ids, after a crash.
    #[serde(with = "duration")]
    pub cursor_every: Duration,
    /// A snapshot is taken after this many entries.
    pub snapshot_entries: u64,
    /// A snapshot is taken after this time, when anything changed.
    #[serde(with = "duration")]
    pub snapshot_every: Duration,
    /// Snapshots kept of each partition, at least two.
    pub snapshots_kept: u32,
    /// How much of the routing log is kept behind the oldest snapshot of a partition, in sequences of HG_ROUTING. What is
    /// older is erased; unset, it is kept for its age.
    pub log_margin: Option<u64>,
}

impl Default for AssignmentConfig {
    fn default() -> Self {
        Self {
            in_flight: 4_096,
            cursor_every: Duration::from_millis(250),
            snapshot_entries: 20_000,
            snapshot_every: Duration::from_secs(30),
            snapshots_kept: 3,
            log_margin: Some(1_000_000),
        }
    }
}
