//! Replaying a partition aside, to see that snapshot and log lead to the same state.

use heliograph_fabric::{
    BrokerError, Cursor, Fabric, Ground, Layout, LogError, ProvisionError, RangeReader, Stream, subjects,
};
use heliograph_store::{
    objects::ObjectError,
    snapshots::{Slots, SnapshotStore},
};

use super::{restore, shell, state::State, truncate::TRUNCATED_GROUP};

/// Where a replay ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// Sequence of the snapshot it began with; 0 for the log's start.
    pub from: u64,
    /// Sequence of the last entry applied.
    pub applied: u64,
    /// Digest of the machine. Equal digests: equal machines.
    pub digest: String,
}

/// Why a replay was not possible.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The snapshots cannot be read.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The broker could not be asked.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// Part of the log that was to be replayed is erased.
    #[error("the log is erased up to {erased}, and was to be replayed from {from}")]
    Truncated {
        /// From where it was to be replayed.
        from: u64,
        /// Up to where it is erased.
        erased: u64,
    },
    /// The broker is not laid out.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
}

/// Restores a partition from its newest snapshot, or without `snapshots` from nothing, and applies the rest of the log.
/// Publishes nothing and owns nothing.
pub async fn replay(
    fabric: &Fabric,
    snapshots: Option<&SnapshotStore>,
    partition: u16,
) -> Result<Replayed, ReplayError> {
    let layout = fabric.layout().await?;
    let (from, state) = replayed(fabric, layout, snapshots, partition).await?;
    Ok(Replayed { from, applied: state.machine.applied(), digest: state.machine.digest() })
}

/// The state at the end of the log as it is now, and the sequence of the snapshot it began with.
pub(super) async fn replayed<G: Ground, S: Slots>(
    ground: &G,
    layout: Layout,
    snapshots: Option<&SnapshotStore<S>>,
    partition: u16,
) -> Result<(u64, State), ReplayError> {
    let mut state = match snapshots {
        Some(snapshots) => restore::latest(ground, snapshots, partition).await?.state,
        None => State::new(partition),
    };
    let from = state.machine.applied();
    let filter = subjects::routing_partition(partition);
    let mut range = RangeReader::open(ground, Stream::Routing, [filter], from).await?;
    while let Some(record) = range.next().await? {
        if let Ok(logged) = shell::decode(&record, partition, layout.routing) {
            // What is unfit changes nothing here as it changes nothing there.
            let _ = state.take(&logged, record.seq, record.time_ms);
        }
    }
    // It may have been erased while it was read.
    let erased = Cursor::peek(ground, TRUNCATED_GROUP, partition).await?;
    if from < erased {
        return Err(ReplayError::Truncated { from, erased });
    }
    Ok((from, state))
}
