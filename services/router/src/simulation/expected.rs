//! What a partition's log leads to, applied from its beginning by nobody but us.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliograph_fabric::{Record, Stream};
use heliograph_proto::Message as _;

use super::broker::Kept;
use super::judge::End;
use super::town::LAYOUT;
use crate::{
    assignment::{Emission, Item, State, decode, encode},
    envelope,
    naming::routing_partition,
};

/// What the log leads to.
#[derive(Default)]
pub(super) struct Expected {
    /// By lane, in order.
    pub(super) events: BTreeMap<String, Vec<Due>>,
    pub(super) outbound: BTreeMap<String, Vec<Due>>,
    /// Values by id.
    pub(super) trails: BTreeMap<String, Vec<u8>>,
    /// What cannot be applied, by its sequence; whether nobody has said yet that it is buried.
    pub(super) unfit: BTreeMap<u64, bool>,
}

/// Something that must be stored.
pub(super) struct Due {
    pub(super) id: String,
    pub(super) content: Vec<u8>,
    /// Nobody has said yet that it is: whoever owns the partition next would store it.
    pub(super) open: bool,
}

impl Expected {
    /// Applies a partition's log, and holds every snapshot beside what is known at its place.
    pub(super) fn replay(
        &mut self,
        partition: u16,
        end: &End,
        log: &[Arc<Kept>],
        snapshots: &[(u64, Vec<u8>)],
        wrong: &mut Vec<String>,
    ) {
        let mut state = State::new(partition);
        let through = end.through[usize::from(partition)];
        let mut positions = BTreeSet::new();
        for kept in of_partition(log, partition) {
            let entry = decode(&record(kept), partition, LAYOUT.routing).ok();
            let effects = entry.and_then(|entry| state.apply(&entry, kept.seq, kept.time_ms).ok());
            let Some(effects) = effects else {
                self.unfit.insert(kept.seq, kept.seq > through);
                continue;
            };
            for emission in effects.emissions {
                self.expect(emission, kept.seq > through);
            }
            positions.insert(kept.seq);
            let here = snapshots.iter().filter(|(position, _)| *position == kept.seq);
            for (position, content) in here {
                if *content != encode(&state) {
                    wrong.push(format!(
                        "the snapshot of partition {partition} at {position} differs from the log"
                    ));
                }
            }
        }
        for (position, _) in snapshots.iter().filter(|(position, _)| !positions.contains(position)) {
            wrong.push(format!("a snapshot of partition {partition} stands at {position}, where nothing is"));
        }
        let newest = snapshots.iter().map(|(position, _)| *position).max().unwrap_or_default();
        if positions.range(..=through).next_back().is_some_and(|last| newest < *last) {
            wrong.push(format!(
                "partition {partition} is worked off to {through}, its snapshot stands at {newest}"
            ));
        }
        for (tenant, pool) in end.book.pools() {
            let ours = routing_partition(tenant, LAYOUT.routing) == partition;
            if ours && state.annex.configured(tenant) != Some(&pool.digest) {
                wrong.push(format!("what was configured last for {tenant} is not in force"));
            }
        }
    }

    fn expect(&mut self, emission: Emission, open: bool) {
        let Emission { lane, item } = emission;
        match item {
            Item::Event(event) => {
                let id = event.id.clone();
                let (_, envelope, _) = envelope::public(*event).expect("our tenants' names are tokens");
                let content = envelope.payload.to_vec();
                self.events.entry(lane).or_default().push(Due { id, content, open });
            }
            Item::Outbound(work) => {
                let (id, content) = (work.delivery_id.clone(), work.encode_to_vec());
                self.outbound.entry(lane).or_default().push(Due { id, content, open });
            }
            Item::Trail(_) if open => {}
            Item::Trail(trail) => {
                self.trails.insert(trail.id, trail.value);
            }
        }
    }
}

/// Where a partition's log ends.
pub(super) fn end_of(log: &[Arc<Kept>], partition: u16) -> u64 {
    of_partition(log, partition).last().map_or(0, |kept| kept.seq)
}

fn of_partition(log: &[Arc<Kept>], partition: u16) -> impl Iterator<Item = &Arc<Kept>> {
    let prefix = format!("hg.routing.{partition}.");
    log.iter().filter(move |kept| kept.subject.starts_with(&prefix))
}

fn record(kept: &Kept) -> Record {
    Record {
        stream: Stream::Routing.name().into(),
        seq: kept.seq,
        time_ms: kept.time_ms,
        subject: kept.subject.clone(),
        pending: 0,
        delivered: 1,
        headers: kept.headers.clone(),
        payload: kept.payload.clone(),
    }
}
