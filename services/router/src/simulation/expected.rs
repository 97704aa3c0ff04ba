//! What a partition's log leads to, applied from its beginning by nobody but us.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliograph_fabric::{Record, Stream};
use heliograph_proto::{
    Message as _,
    v1::{RoutingEntry, routing_entry::Kind},
};

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
    /// What is passed on to other partitions of the log, by tenant, in order.
    pub(super) onward: BTreeMap<String, Vec<Due>>,
    /// Entries that were applied, by where they stand.
    pub(super) applied: BTreeMap<u64, String>,
    /// How often a tenant came to a partition.
    pub(super) arrivals: u64,
    /// Tenants by where they are in the end.
    pub(super) homes: BTreeMap<String, Vec<u16>>,
}

/// Something that must be stored.
pub(super) struct Due {
    /// The entry it follows from.
    at: u64,
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
            let logged = decode(&record(kept), partition, LAYOUT.routing).ok();
            let taken = logged.and_then(|logged| {
                let effects = state.take(&logged, kept.seq, kept.time_ms).ok()?;
                Some((logged.entry, effects))
            });
            let Some((entry, effects)) = taken else {
                self.unfit.insert(kept.seq, kept.seq > through);
                continue;
            };
            self.arrivals += u64::from(effects.arrived);
            if !effects.emissions.iter().any(|emission| matches!(emission.item, Item::Onward(_))) {
                self.applied.insert(kept.seq, entry.id);
            }
            for emission in effects.emissions {
                self.expect(emission, kept, kept.seq > through);
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
            let home = routing_partition(tenant, LAYOUT.routing) == partition;
            if state.residence.here(tenant, home).is_none() {
                continue;
            }
            self.homes.entry(tenant.to_owned()).or_default().push(partition);
            if state.annex.configured(tenant) != Some(&pool.digest) {
                wrong.push(format!("what was configured last for {tenant} is not in force"));
            }
        }
    }

    /// Puts what several partitions led to for a lane into one order: that of the stream they are all part of.
    pub(super) fn in_order(mut self) -> Self {
        let lanes =
            self.events.values_mut().chain(self.outbound.values_mut()).chain(self.onward.values_mut());
        for lane in lanes {
            lane.sort_by_key(|due| due.at);
        }
        self
    }

    fn expect(&mut self, emission: Emission, kept: &Kept, open: bool) {
        let Emission { lane, item } = emission;
        let at = kept.seq;
        match item {
            Item::Event(event) => {
                let id = event.id.clone();
                let (_, envelope, _) = envelope::public(*event).expect("our tenants' names are tokens");
                let content = envelope.payload.to_vec();
                self.events.entry(lane).or_default().push(Due { at, id, content, open });
            }
            Item::Outbound(work) => {
                let (id, content) = (work.delivery_id.clone(), work.encode_to_vec());
                self.outbound.entry(lane).or_default().push(Due { at, id, content, open });
            }
            Item::Onward(onward) => {
                let id = onward.id();
                let content = match onward.arriving {
                    Some(part) => {
                        let (tenant, kind) = (onward.tenant, Some(Kind::Arriving(part)));
                        RoutingEntry { id: id.clone(), tenant, kind }.encode_to_vec()
                    }
                    None => kept.payload.to_vec(),
                };
                // To each partition in order: what comes back from there is another matter.
                let lane = format!("{lane}/{}/{}", onward.to, onward.generation);
                self.onward.entry(lane).or_default().push(Due { at, id, content, open });
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
