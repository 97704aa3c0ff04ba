//! What must have come of it all, by the log alone, and whether it did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliograph_fabric::Stream;
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Event, event::Payload},
};

use super::broker::Kept;
use super::desk::Heard;
use super::expected::{Due, Expected};
use super::holders::Holders;
use super::town::{LAYOUT, Ledger};
use super::world::World;
use crate::{assignment::snapshot_key, book::Book, envelope::POSITION};

/// How long after the last fault everything is at its place again.
const AT_REST_MS: i64 = 12_000;
/// How late a timer may be then.
const LATE_MS: i64 = 3_000;

/// How it ended.
pub(super) struct End {
    /// How far each partition is said to be worked off.
    pub(super) through: Vec<u64>,
    /// When nothing was wrong any more, milliseconds since 1970.
    pub(super) calm_ms: i64,
    /// What operators configured last.
    pub(super) book: Arc<Book>,
}

/// Compares what is stored with what the log leads to. Everything that is wrong, in words.
pub(super) fn judge(world: &World, ledger: &Ledger, end: &End) -> Vec<String> {
    let mut inner = world.inner();
    let mut wrong = std::mem::take(&mut inner.complaints);
    let mut history = |stream: &str| inner.broker.shelf(stream).history.clone();
    let [log, events, outbound, dead] = [Stream::Routing, Stream::Events, Stream::Outbound, Stream::Dead]
        .map(|stream| history(stream.name()));
    let trails = history("KV_HG_TRAIL");
    let mut expected = Expected::default();
    for partition in 0..LAYOUT.routing {
        let folder = snapshot_key(partition);
        let snapshots = inner.broker.snapshots.iter().filter(|(kept, ..)| *kept == folder);
        let snapshots = snapshots.map(|(_, info, content)| {
            let position = info.attributes.get("position").and_then(|position| position.parse().ok());
            (position.unwrap_or_default(), content.to_vec())
        });
        let snapshots: Vec<(u64, Vec<u8>)> = snapshots.collect();
        expected.replay(partition, end, &log, &snapshots, &mut wrong);
    }
    compare("event", &expected.events, &events, &mut wrong);
    compare("outbound work", &expected.outbound, &outbound, &mut wrong);
    for (id, value) in &expected.trails {
        if !trails.iter().any(|kept| kept.header("ce-id") == id && kept.payload[..] == value[..]) {
            wrong.push(format!("lost: trail {id}"));
        }
    }
    if let Some(kept) = dead.first() {
        wrong.push(format!("buried: {} ({})", kept.subject, kept.header("Heliograph-Dead-Reason")));
    }
    let told: Vec<Event> =
        events.iter().map(|kept| Event::decode(kept.payload.clone()).expect("an event")).collect();
    in_ledger(ledger, &told, &mut wrong);
    Holders::default().follow(&told, &mut wrong);
    punctual(&told, end.calm_ms, &mut wrong);
    let places: Vec<_> = events.iter().map(|kept| (place(kept), kept.seq)).collect();
    for Heard { partition, applied, floor } in &inner.heard {
        let early = |((of, entry, _), seq): &&((u16, u64, u32), u64)| {
            of == partition && entry > applied && seq <= floor
        };
        if let Some((place, seq)) = places.iter().find(early) {
            wrong.push(format!(
                "an answer as of {applied} says that news stand behind {floor}, but {place:?} stands at {seq}"
            ));
        }
    }
    wrong
}

/// Partition, sequence and index of the entry an event follows from.
fn place(kept: &Kept) -> (u16, u64, u32) {
    let mut parts = kept.header(POSITION).split('.');
    let mut part = || parts.next().and_then(|part| part.parse::<u64>().ok()).unwrap_or_default();
    (part() as u16, part(), part() as u32)
}

/// Each of what is expected is stored once, nothing else is, and each lane is in order.
fn compare(what: &str, expected: &BTreeMap<String, Vec<Due>>, stored: &[Arc<Kept>], wrong: &mut Vec<String>) {
    let mut at: BTreeMap<&str, u64> = BTreeMap::new();
    for kept in stored {
        if at.insert(kept.header("ce-id"), kept.seq).is_some() {
            let place = kept.header(POSITION);
            wrong.push(format!("doubled: {what} {} of {place} at {}", kept.header("ce-id"), kept.seq));
        }
    }
    for (lane, due) in expected {
        let mut before = 0;
        for Due { id, open } in due {
            match at.remove(&**id) {
                None if *open => {}
                None => wrong.push(format!("lost: {what} {id} of lane {lane}")),
                Some(seq) if seq < before => {
                    wrong.push(format!("out of order: {what} {id} of lane {lane} at {seq}, behind {before}"));
                }
                Some(seq) => before = seq,
            }
        }
    }
    wrong.extend(at.keys().map(|id| format!("from nowhere: {what} {id}")));
}

/// What was acknowledged to its writer has had its effect, once.
fn in_ledger(ledger: &Ledger, told: &[Event], wrong: &mut Vec<String>) {
    let mut messages: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let mut answered: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for event in told {
        let tenant = event.tenant.as_str();
        let message = match &event.payload {
            Some(Payload::MessageReceived(it)) => it.message.as_ref(),
            Some(Payload::MessageAccepted(it)) => it.message.as_ref(),
            _ => None,
        };
        if let Some(message) = message {
            *messages.entry((tenant, &message.id)).or_default() += 1;
        }
        match &event.payload {
            Some(Payload::CommandAccepted(it)) => answered.insert((tenant, &it.agent, &it.command_id)),
            Some(Payload::CommandRefused(it)) => answered.insert((tenant, &it.agent, &it.command_id)),
            _ => false,
        };
    }
    for (tenant, id) in ledger.messages.iter().chain(&ledger.sends) {
        match messages.get(&(tenant.as_str(), id.as_str())) {
            Some(1) => {}
            found => wrong.push(format!("message {id} of {tenant} is there {} times", found.unwrap_or(&0))),
        }
    }
    for (tenant, agent, id) in &ledger.commands {
        if !answered.contains(&(tenant.as_str(), agent.as_str(), id.as_str())) {
            wrong.push(format!("nobody answered command {id} of {tenant}"));
        }
    }
}

/// Once clocks are right, what rings out does so in time.
fn punctual(told: &[Event], calm_ms: i64, wrong: &mut Vec<String>) {
    let mut expiring: BTreeMap<&str, i64> = BTreeMap::new();
    for event in told {
        match &event.payload {
            Some(Payload::ReservationCreated(it)) => {
                let expires = it.expires_at.as_ref().map_or(0, Timestamp::millis);
                expiring.insert(&it.reservation_id, expires);
            }
            Some(Payload::ReservationTimedOut(it)) => {
                let due = expiring.get(it.reservation_id.as_str()).copied().unwrap_or_default();
                let late = event.time.as_ref().map_or(0, Timestamp::millis) - due;
                if due > calm_ms + AT_REST_MS && late > LATE_MS {
                    wrong.push(format!("reservation {} rang out {late} ms late", it.reservation_id));
                }
            }
            _ => {}
        }
    }
}
