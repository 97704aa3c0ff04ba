//! From a snapshot, or from nothing.

use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt as _, future::BoxFuture};
use heliograph_fabric::Ground;
use heliograph_store::{
    objects::ObjectError,
    snapshots::{Slots, SnapshotStore},
};
use tokio::time::Instant;

use super::{
    snapshot::{self, Unreadable},
    state::State,
};
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
///
/// A large centre takes a second to decode: that passes aside, or the process would be taken for dead.
pub(super) async fn latest<G: Ground, S: Slots>(
    ground: &G,
    snapshots: &SnapshotStore<S>,
    partition: u16,
) -> Result<Restored, ObjectError> {
    let decode = |position: u64, bytes: Bytes| {
        ground.aside(move || snapshot::decode(partition, position, &bytes)).boxed()
    };
    latest_by(decode, snapshots, partition).await
}

/// The same, decoded by `decode`.
pub(super) async fn latest_by<S: Slots>(
    decode: impl Fn(u64, Bytes) -> BoxFuture<'static, Result<State, Unreadable>>,
    snapshots: &SnapshotStore<S>,
    partition: u16,
) -> Result<Restored, ObjectError> {
    let (mut before, mut begun) = (u64::MAX, Instant::now());
    while let Some(found) = snapshots.latest_before(&snapshot::key(partition), before).await? {
        let reading = begun.elapsed();
        begun = Instant::now();
        let (position, bytes) = (found.position, found.state.len());
        match decode(position, found.state).await {
            Ok(state) => {
                return Ok(Restored { state, bytes, reading, decoding: begun.elapsed() });
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(
                    partition,
                    position,
                    error,
                    "a snapshot cannot be used; trying the one before it"
                );
                before = position;
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
