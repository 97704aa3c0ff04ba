//! From a snapshot, or from nothing.

use heliograph_store::{
    objects::ObjectError,
    snapshots::{Slots, SnapshotStore},
};

use super::{snapshot, state::State};
use crate::error::chain;

/// The newest snapshot of the partition that can be read; the empty state if there is none.
pub(super) async fn latest<S: Slots>(
    snapshots: &SnapshotStore<S>,
    partition: u16,
) -> Result<State, ObjectError> {
    let mut before = u64::MAX;
    while let Some(found) = snapshots.latest_before(&snapshot::key(partition), before).await? {
        match snapshot::decode(partition, found.position, &found.state) {
            Ok(state) => return Ok(state),
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
    Ok(State::new(partition))
}
