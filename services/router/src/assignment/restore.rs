//! From a snapshot, or from nothing.

use std::time::Duration;

use heliograph_store::{
    objects::ObjectError,
    snapshots::{Slots, SnapshotStore},
};

use tokio::time::Instant;

use super::{snapshot, state::State};
use crate::error::chain;

/// A state as a snapshot had it.
pub(super) struct Restored {
    pub(super) state: State,
    /// Bytes of the snapshot; 0 where there is none.
    pub(super) bytes: usize,
    /// How long it took to read it.
    pub(super) reading: Duration,
    /// How long it took to make a state of it.
    pub(super) decoding: Duration,
}

/// The newest snapshot of the partition that can be read; the empty state if there is none.
pub(super) async fn latest<S: Slots>(
    snapshots: &SnapshotStore<S>,
    partition: u16,
) -> Result<Restored, ObjectError> {
    let (mut before, mut begun) = (u64::MAX, Instant::now());
    while let Some(found) = snapshots.latest_before(&snapshot::key(partition), before).await? {
        let reading = begun.elapsed();
        begun = Instant::now();
        match snapshot::decode(partition, found.position, &found.state) {
            Ok(state) => {
                let (bytes, decoding) = (found.state.len(), begun.elapsed());
                return Ok(Restored { state, bytes, reading, decoding });
            }
            Err(error) => {
                let (position, error) = (found.position, chain(&error));
                tracing::warn!(
                    partition,
                    position,
                    error,
                    "a snapshot cannot be used; trying the one before it"
                );
                before = found.position;
            }
        }
    }
    Ok(Restored {
        state: State::new(partition),
        bytes: 0,
        reading: begun.elapsed(),
        decoding: Duration::ZERO,
    })
}
