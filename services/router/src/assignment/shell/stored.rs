//! What a former owner stored behind the cursors: a new one must not store it again.

use std::collections::HashSet;

use heliograph_fabric::{Ground, RangeReader, Stream, envelope::MSG_ID};
use heliograph_store::snapshots::Slots;

use super::{Shell, late::LateCopy};
use crate::{assignment::outflow::Ends, envelope::POSITION, error::PartitionError};

impl<G: Ground, S: Slots> Shell<'_, G, S> {
    /// Finds out what of the partition's stands behind the cursors already. The broker recognizes duplicates for two
    /// minutes only; a fleet may be down for longer.
    pub(super) async fn find_stored(&mut self) -> Result<(), PartitionError> {
        let (ground, partition) = (&self.assignment.ground, self.owned.partition);
        let mut stored = HashSet::new();
        let events =
            ids_behind(ground, Stream::Events, partition, self.events.seq(), &mut stored, "ce-id").await?;
        let outbound =
            ids_behind(ground, Stream::Outbound, partition, self.outbound.seq(), &mut stored, "ce-id")
                .await?;
        self.outflow.know(stored);
        self.outflow.end_at(Ends { events, outbound });
        Ok(())
    }

    /// Finds out what of the partition's stands in other partitions of the log behind the cursor already. Looked for only
    /// where something is to be passed on.
    pub(super) async fn find_passed_on(&mut self) -> Result<(), PartitionError> {
        if !std::mem::replace(&mut self.knows_passed_on, true) {
            let (ground, partition, after) =
                (&self.assignment.ground, self.owned.partition, self.emitted.seq());
            let mut stored = HashSet::new();
            ids_behind(ground, Stream::Routing, partition, after, &mut stored, MSG_ID).await?;
            self.outflow.know(stored);
        }
        Ok(())
    }
}

/// Adds the ids, by this header, of what a partition has in a stream behind `after`. Where the stream ended.
async fn ids_behind<G: Ground>(
    ground: &G,
    stream: Stream,
    partition: u16,
    after: u64,
    ids: &mut HashSet<String>,
    named_by: &'static str,
) -> Result<u64, PartitionError> {
    let everything = stream.subjects()[0];
    let mut range = RangeReader::open(ground, stream, [everything], after).await?;
    let (head, ours, mut copy) = (range.head(), format!("{partition}."), LateCopy::default());
    loop {
        let Some(record) = range.next().await? else {
            // What a copy of the broker's has not got yet is waited for; what was erased meanwhile never comes.
            if range.reached() >= head || !copy.read_on(ground, stream, everything, &mut range).await? {
                return Ok(head);
            }
            continue;
        };
        let header = |name: &'static str| record.headers.get(name).map(async_nats::HeaderValue::as_str);
        if header(POSITION).is_some_and(|place| place.starts_with(&ours))
            && let Some(id) = header(named_by)
        {
            ids.insert(id.to_owned());
        }
    }
}
