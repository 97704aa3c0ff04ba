//! Snapshots of partitions: what a machine knew after a position of its log.
//!
//! Each partition has a fixed number of slots, and a snapshot replaces the oldest. Slots are written whole or not at
//! all, and the newest that is whole counts, so a writer may die, or two owners may overlap for a moment, without a
//! partition losing its way back. What a log may forget is therefore what stands before the *oldest* snapshot kept.

use std::collections::HashMap;

use bytes::Bytes;

use crate::objects::{ObjectError, ObjectInfo, Objects, name, read_whole};

/// The object store of snapshots.
pub const BUCKET: &str = "HG_SNAPSHOTS";

/// The attribute that holds a snapshot's position.
const POSITION: &str = "position";
/// A snapshot is read into memory whole; this bounds it.
const LARGEST: u64 = 1 << 30;

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionSnapshot {
    /// The sequence of the last log entry that went into it.
    pub position: u64,
    /// The machine's state.
    pub state: Bytes,
}

/// Slots that are replaced whole or not at all.
pub trait Slots: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// What is known of a slot's content, if it has one.
    fn info(
        &self,
        folder: &str,
        slot: &str,
    ) -> impl Future<Output = Result<Option<ObjectInfo>, ObjectError>> + Send;

    /// A slot's content, if it has one.
    fn read(
        &self,
        folder: &str,
        slot: &str,
    ) -> impl Future<Output = Result<Option<(ObjectInfo, Bytes)>, ObjectError>> + Send;

    /// Replaces what is in a slot.
    fn replace(
        &self,
        folder: &str,
        slot: &str,
        attributes: HashMap<String, String>,
        content: &[u8],
    ) -> impl Future<Output = Result<(), ObjectError>> + Send;
}

impl Slots for Objects {
    async fn info(&self, folder: &str, slot: &str) -> Result<Option<ObjectInfo>, ObjectError> {
        Self::info(self, folder, slot).await
    }

    async fn read(&self, folder: &str, slot: &str) -> Result<Option<(ObjectInfo, Bytes)>, ObjectError> {
        let Some((info, reader)) = self.get(folder, slot).await? else { return Ok(None) };
        let content = read_whole(folder, &info, reader).await?;
        Ok(Some((info, content.into())))
    }

    async fn replace(
        &self,
        folder: &str,
        slot: &str,
        attributes: HashMap<String, String>,
        content: &[u8],
    ) -> Result<(), ObjectError> {
        let mut content = content;
        self.put(folder, slot, attributes, &mut content, LARGEST).await?;
        Ok(())
    }
}

/// The snapshots of all partitions. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SnapshotStore<S = Objects> {
    objects: S,
    slots: u32,
}

impl<S: Slots> SnapshotStore<S> {
    /// Snapshots kept in `objects`, the last `keep` of each partition, at least two.
    pub fn new(objects: S, keep: u32) -> Self {
        Self { objects, slots: keep.max(2) }
    }

    /// Stores the state of `partition` after the log entry `position`, unless all that are kept are newer.
    pub async fn put(&self, partition: &str, position: u64, state: &[u8]) -> Result<(), ObjectError> {
        let slots = self.positions(partition).await?;
        if slots.iter().all(|known| known.is_some_and(|known| position < known)) {
            // Whoever stored the others went on from a later one; the log behind this one may be gone.
            return Ok(());
        }
        // The same position again replaces itself; otherwise an empty slot, otherwise the oldest.
        let slot = slots.iter().position(|known| *known == Some(position)).unwrap_or_else(|| {
            slots.iter().enumerate().min_by_key(|(_, known)| **known).map_or(0, |(slot, _)| slot)
        });
        let attributes = HashMap::from([(POSITION.to_owned(), position.to_string())]);
        self.objects.replace(&name(partition), &slot.to_string(), attributes, state).await
    }

    /// The newest snapshot of `partition` that is whole.
    pub async fn latest(&self, partition: &str) -> Result<Option<PartitionSnapshot>, ObjectError> {
        self.latest_before(partition, u64::MAX).await
    }

    /// The newest snapshot of `partition` that is whole and of a position below `before`: what to fall back to when the
    /// one at `before` turns out to be of no use.
    pub async fn latest_before(
        &self,
        partition: &str,
        before: u64,
    ) -> Result<Option<PartitionSnapshot>, ObjectError> {
        let mut known: Vec<(u64, usize)> = self
            .positions(partition)
            .await?
            .into_iter()
            .enumerate()
            .filter_map(|(slot, position)| Some((position?, slot)))
            .filter(|(position, _)| *position < before)
            .collect();
        known.sort_unstable();
        let folder = name(partition);
        while let Some((_, slot)) = known.pop() {
            let error = match self.objects.read(&folder, &slot.to_string()).await {
                Ok(None) => continue,
                // The slot may have been replaced since its position was read: the object's own position counts.
                Ok(Some((info, state))) => match position_of(&info) {
                    Some(position) if position < before => {
                        return Ok(Some(PartitionSnapshot { position, state }));
                    }
                    _ => None,
                },
                Err(error @ ObjectError::Unavailable(_)) if known.is_empty() => return Err(error),
                Err(error) => Some(error),
            };
            let error = error.as_ref().map(|error| error as &dyn std::error::Error);
            tracing::warn!(partition, slot, error, "a snapshot cannot be read; trying the one before it");
        }
        Ok(None)
    }

    /// The position of the oldest snapshot kept: log entries up to it are not needed any more. None until every slot has
    /// one, because a single one may turn out to be of no use.
    pub async fn oldest_position(&self, partition: &str) -> Result<Option<u64>, ObjectError> {
        let positions: Option<Vec<u64>> = self.positions(partition).await?.into_iter().collect();
        Ok(positions.and_then(|positions| positions.into_iter().min()))
    }

    async fn positions(&self, partition: &str) -> Result<Vec<Option<u64>>, ObjectError> {
        let folder = name(partition);
        let slots = (0..self.slots).map(|slot| {
            let folder = folder.as_str();
            async move {
                match self.objects.info(folder, &slot.to_string()).await {
                    Ok(info) => Ok(info.and_then(|info| position_of(&info))),
                    // A damaged slot counts as empty: the next snapshot mends it.
                    Err(ObjectError::Damaged(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        });
        futures::future::try_join_all(slots).await
    }
}

fn position_of(info: &ObjectInfo) -> Option<u64> {
    info.attributes.get(POSITION)?.parse().ok()
}
