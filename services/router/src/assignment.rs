//! The shell around the assignment machine: reads its log, publishes what it decides, keeps its snapshots.
//!
//! [`state::State`] is all that follows from the log, and pure; the rest of this module does the I/O and decides nothing.

mod annex;
mod announce;
mod append;
mod blob;
mod convert;
mod emit;
mod luggage;
mod moving;
mod onward;
mod outflow;
mod packed;
mod query;
mod replay;
mod residence;
mod restore;
mod shell;
mod show;
mod snapshot;
mod state;
mod truncate;

use std::{collections::BTreeMap, sync::Arc};

use heliograph_fabric::{DeadLetters, Fabric, Ground, Layout, Owned};
use heliograph_store::{
    models::ReadModel,
    objects::Objects,
    snapshots::{Slots, SnapshotStore},
};
use tokio::sync::{mpsc, watch};

pub use replay::{ReplayError, Replayed, replay};
#[cfg(test)]
pub(crate) use {
    emit::{Emission, Item},
    shell::decode,
    snapshot::{encode, key as snapshot_key},
    state::State,
};

use crate::{book::Book, config::AssignmentConfig, error::chain, metrics::Metrics};

/// Room kept for headers below the largest message the broker takes.
pub(crate) const HEADER_ROOM: usize = 16 * 1_024;
/// The stage of the shell's dead letters.
const STAGE: &str = "machine";

/// Everything the shell stands on. One for all partitions.
#[derive(Debug)]
pub(crate) struct Assignment<G = Fabric, S = Objects> {
    pub(crate) ground: G,
    pub(crate) layout: Layout,
    pub(crate) dead: DeadLetters<G>,
    pub(crate) snapshots: SnapshotStore<S>,
    pub(crate) book: watch::Receiver<Arc<Book>>,
    pub(crate) open: mpsc::Sender<OpenChange>,
    pub(crate) config: AssignmentConfig,
    pub(crate) metrics: Arc<Metrics>,
}

/// A change of the read model of open conversations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenChange {
    pub(crate) tenant: String,
    pub(crate) contact: String,
    /// None when the conversation is over.
    pub(crate) fields: Option<BTreeMap<String, String>>,
}

/// Runs one routing partition until told to stop.
pub(crate) async fn run<G: Ground, S: Slots>(assignment: Arc<Assignment<G, S>>, owned: Owned) {
    let partition = owned.partition;
    if let Err(error) = shell::partition(&assignment, &owned).await {
        let error = chain(&error);
        tracing::warn!(partition, error, "assignment of a partition ended; it is taken up again");
    }
}

/// Keeps the read model of open conversations, as well as Redis lets it. Ends with the last sender.
pub(crate) async fn keep_open_model(model: ReadModel, mut changes: mpsc::Receiver<OpenChange>) {
    while let Some(OpenChange { tenant, contact, fields }) = changes.recv().await {
        let done = match &fields {
            Some(fields) => model.put(&tenant, &contact, fields).await,
            None => model.remove(&tenant, &contact).await,
        };
        if let Err(error) = done {
            tracing::debug!(error = chain(&error), "an open conversation was not remembered");
        }
    }
}

#[cfg(test)]
mod tests;
