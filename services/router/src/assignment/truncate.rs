//! Erasing what of the log no snapshot needs any more.

use std::{sync::Arc, time::Duration};

use heliograph_fabric::{Cursor, Fence, Ground, Owned, Stream, subjects};
use tokio::task::JoinHandle;

use crate::{error::chain, metrics::Metrics};

/// The cursor that says up to where a partition's log may be gone. It is stored before anything is erased, so that whoever
/// restores the partition knows when a snapshot is too old for what is left.
pub(super) const TRUNCATED_GROUP: &str = "router.routing.truncated";
/// How long the cursor may take to be stored before the log is left alone until the next snapshot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Erases the log behind the oldest snapshot kept, beside the partition's work.
pub(super) struct Truncation<G> {
    ground: G,
    fence: Fence,
    partition: u16,
    metrics: Arc<Metrics>,
    /// How much is kept behind the oldest snapshot; none where nothing is erased.
    margin: Option<u64>,
    /// None while it is being moved.
    cursor: Option<Cursor<G>>,
    running: Option<JoinHandle<Cursor<G>>>,
}

impl<G: Ground> Truncation<G> {
    pub(super) fn new(
        ground: &G,
        owned: &Owned,
        metrics: &Arc<Metrics>,
        margin: Option<u64>,
        cursor: Cursor<G>,
    ) -> Self {
        Self {
            ground: ground.clone(),
            fence: owned.fence.clone(),
            partition: owned.partition,
            metrics: Arc::clone(metrics),
            margin,
            cursor: Some(cursor),
            running: None,
        }
    }

    /// Every snapshot kept stands at `oldest` or behind it: erases what is so far before that that it pays.
    pub(super) async fn behind(&mut self, oldest: u64) {
        if self.running.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(running) = self.running.take()
        {
            self.cursor = running.await.ok();
        }
        let (Some(margin), Some(cursor)) = (self.margin, &self.cursor) else { return };
        let upto = oldest.saturating_sub(margin);
        // The broker looks at every message that it might erase, so it is asked seldom.
        if upto < cursor.seq() + (margin / 10).max(1) {
            return;
        }
        let Some(cursor) = self.cursor.take() else { return };
        let (ground, fence, metrics) = (self.ground.clone(), self.fence.clone(), Arc::clone(&self.metrics));
        let erasing = erase(ground, fence, metrics, self.partition, cursor, upto);
        self.running = Some(tokio::spawn(self.ground.task(erasing)));
    }
}

/// Erases a partition's entries up to `upto`. What fails is done with the next time.
async fn erase<G: Ground>(
    ground: G,
    fence: Fence,
    metrics: Arc<Metrics>,
    partition: u16,
    mut cursor: Cursor<G>,
    upto: u64,
) -> Cursor<G> {
    if let Err(error) = cursor.store(upto, PATIENCE).await {
        tracing::debug!(partition, error = chain(&error), "the log is not erased behind its snapshots");
        return cursor;
    }
    if fence.check().is_err() {
        return cursor;
    }
    match ground.truncate(Stream::Routing, &subjects::routing_partition(partition), upto + 1).await {
        Ok(erased) => {
            metrics.truncated(erased);
            tracing::debug!(partition, upto, erased, "log erased behind its snapshots");
        }
        Err(error) => tracing::debug!(partition, error = chain(&error), "the log is not erased yet"),
    }
    cursor
}
