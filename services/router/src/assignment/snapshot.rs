//! Snapshots: when they are taken, and what they look like.

use std::{sync::Arc, thread};

use heliograph_assignment::Machine;
use heliograph_fabric::Ground;
use heliograph_store::{
    objects::ObjectError,
    snapshots::{Slots, SnapshotStore},
};
use serde::{Deserialize, Serialize};
use tokio::{task::JoinHandle, time::Instant};

use super::{Assignment, annex::Annex, blob::Blob, residence::Residence, state::State};
use crate::{config::AssignmentConfig, error::chain, metrics::Metrics};

/// Version of what is written.
const VERSION: u32 = 2;
/// The version before, which is still read: all in one piece.
const WHOLE: u32 = 1;

/// What is written. Machine and annex are MessagePack by themselves, so that they are read at the same time.
#[derive(Serialize, Deserialize)]
struct Sections {
    version: u32,
    machine: Blob,
    annex: Blob,
    residence: Blob,
}

#[derive(Deserialize)]
struct Whole {
    version: u32,
    machine: Machine,
    annex: Annex,
    #[serde(default)]
    residence: Residence,
}

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("the snapshot cannot be decoded")]
    Decode(#[from] rmp_serde::decode::Error),
    #[error("the snapshot has version {0}, this release reads {VERSION}")]
    Version(u32),
    #[error("the snapshot says it stands at {inside}, but was stored for {outside}")]
    Misplaced { inside: u64, outside: u64 },
}

/// The key of a partition's snapshots.
pub(crate) fn key(partition: u16) -> String {
    format!("routing-{partition}")
}

/// The state as bytes: MessagePack with named fields.
pub(crate) fn encode(state: &State) -> Vec<u8> {
    let State { machine, annex, residence, .. } = state;
    let (machine, annex) = thread::scope(|scope| {
        let machine = scope.spawn(|| section(machine));
        let annex = section(annex);
        (machine.join().expect("it is as good as the other"), annex)
    });
    section(&Sections { version: VERSION, machine, annex, residence: section(residence) }).0.into()
}

fn section(part: &impl Serialize) -> Blob {
    let bytes = rmp_serde::to_vec_named(part);
    Blob(bytes.expect("facts are maps with plain keys, and memory does not fail").into())
}

/// The state from bytes that were stored for `position`.
pub(super) fn decode(partition: u16, position: u64, bytes: &[u8]) -> Result<State, Unreadable> {
    let Whole { version, machine, annex, residence } = match rmp_serde::from_slice::<Sections>(bytes) {
        Ok(sections) => sections.read()?,
        Err(_) => rmp_serde::from_slice(bytes)?,
    };
    if version != VERSION && version != WHOLE {
        return Err(Unreadable::Version(version));
    }
    if machine.applied() != position {
        return Err(Unreadable::Misplaced { inside: machine.applied(), outside: position });
    }
    Ok(State { partition, machine, annex, residence })
}

impl Sections {
    fn read(self) -> Result<Whole, rmp_serde::decode::Error> {
        let Self { version, machine, annex, residence } = self;
        thread::scope(|scope| {
            let annex = scope.spawn(|| rmp_serde::from_slice(&annex.0));
            let machine = rmp_serde::from_slice(&machine.0)?;
            let annex = annex.join().expect("reading reports what is wrong")?;
            Ok(Whole { version, machine, annex, residence: rmp_serde::from_slice(&residence.0)? })
        })
    }
}

/// Decides when a snapshot is due, and stores it once everything in it has been published.
pub(super) struct Snapshots<G, S> {
    ground: G,
    store: SnapshotStore<S>,
    config: AssignmentConfig,
    metrics: Arc<Metrics>,
    key: String,
    /// Position of the last one taken.
    last: u64,
    entries: u64,
    at: Instant,
    /// Taken, and waiting for its effects to be stored.
    taken: Option<(u64, Vec<u8>)>,
    /// Says where the oldest one kept stands, once as many are kept as should be.
    writing: Option<JoinHandle<Result<Option<u64>, ObjectError>>>,
    oldest: Option<u64>,
}

impl<G: Ground, S: Slots> Snapshots<G, S> {
    pub(super) fn new(assignment: &Assignment<G, S>, partition: u16, restored: u64) -> Self {
        Self {
            ground: assignment.ground.clone(),
            store: assignment.snapshots.clone(),
            config: assignment.config.clone(),
            metrics: Arc::clone(&assignment.metrics),
            key: key(partition),
            last: restored,
            entries: 0,
            at: Instant::now(),
            taken: None,
            writing: None,
            oldest: None,
        }
    }

    /// An entry was applied.
    pub(super) fn applied(&mut self) {
        self.entries += 1;
    }

    /// Whether one is to be taken now.
    pub(super) async fn is_due(&mut self, state: &State) -> bool {
        if self.writing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.finish().await;
        }
        // Writing costs as much as there is to write, so a large state is written less often.
        let enough = self.config.snapshot_entries.max(state.annex.len() as u64);
        let due = self.entries >= enough || self.at.elapsed() >= self.config.snapshot_every;
        due && self.is_behind() && self.taken.is_none() && self.writing.is_none()
    }

    /// Whether anything was applied since the last one was taken.
    pub(super) fn is_behind(&self) -> bool {
        self.entries > 0
    }

    /// One was taken at `position`.
    pub(super) fn take(&mut self, position: u64, bytes: Vec<u8>) {
        self.metrics.snapshot(bytes.len());
        self.last = position;
        self.taken = Some((position, bytes));
        self.entries = 0;
        self.at = Instant::now();
    }

    /// Stores the one taken once the emit cursor, which is at `emitted`, is behind it: restored from a snapshot, nothing
    /// before it is emitted again.
    pub(super) fn store(&mut self, emitted: u64) {
        if self.writing.is_none()
            && let Some((position, bytes)) = self.taken.take_if(|(position, _)| *position <= emitted)
        {
            let (store, key) = (self.store.clone(), self.key.clone());
            let writing = async move {
                store.put(&key, position, &bytes).await?;
                store.oldest_position(&key).await
            };
            self.writing = Some(tokio::spawn(self.ground.task(writing)));
        }
    }

    /// Where the oldest snapshot kept stands, if that has changed and as many are kept as should be.
    pub(super) fn oldest(&mut self) -> Option<u64> {
        self.oldest.take()
    }

    /// Waits until what is being written is.
    pub(super) async fn finish(&mut self) {
        let Some(writing) = self.writing.take() else { return };
        match writing.await {
            Ok(Ok(oldest)) => {
                self.oldest = oldest;
                tracing::debug!(partition = self.key, position = self.last, "snapshot stored");
            }
            Ok(Err(error)) => {
                tracing::warn!(
                    partition = self.key,
                    error = chain(&error),
                    "a snapshot was not stored; the next one will be"
                );
            }
            Err(error) => tracing::error!(partition = self.key, %error, "storing a snapshot ended badly"),
        }
    }
}
