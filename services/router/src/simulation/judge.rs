//! What must have come of it all, by the log alone, and whether it did.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use heliograph_fabric::{Stream, envelope::MSG_ID, subjects::Bucket};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{Event, event::Payload},
};

use super::broker::{Kept, alike};
use super::desk::Heard;
use super::expected::{Due, Expected};
use super::holders::Holders;
use super::rules::Rules;
use super::tally::Seen;
use super::town::{LAYOUT, Ledger};
use super::way;
use super::world::World;
use crate::{ROUTING_GROUP, assignment::snapshot_key, book::Book, envelope::POSITION};

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
    wrong.append(&mut inner.broker.complaints);
    let mut history = |stream: &str| inner.broker.shelf(stream).history.clone();
    let [log, events, outbound, dead] = [Stream::Routing, Stream::Events, Stream::Outbound, Stream::Dead]
        .map(|stream| history(stream.name()));
    let [trails, cursors] = ["KV_HG_TRAIL", "KV_HG_CURSORS"].map(&mut history);
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
    let expected = expected.in_order();
    compare(Stream::Events, &expected.events, &events, &mut wrong);
    compare(Stream::Outbound, &expected.outbound, &outbound, &mut wrong);
    let passed_on: Vec<Arc<Kept>> = log.iter().filter(|kept| is_passed_on(kept)).cloned().collect();
    compare(Stream::Routing, &expected.onward, &passed_on, &mut wrong);
    way::homes(&expected, &mut wrong);
    way::lanes(ledger, &expected, &mut wrong);
    for (id, value) in &expected.trails {
        if !trails.iter().any(|kept| kept.header("ce-id") == id && kept.payload[..] == value[..]) {
            wrong.push(format!("lost: trail {id}"));
        }
    }
    buried(&expected.unfit, &dead, &mut wrong);
    let told: Vec<Event> =
        events.iter().map(|kept| Event::decode(kept.payload.clone()).expect("an event")).collect();
    in_ledger(ledger, &told, &mut wrong);
    poisoned(ledger, &log, &dead, &mut wrong);
    let mut in_order: Vec<&Event> = told.iter().collect();
    in_order.sort_by_key(|event| {
        let place = event.position.unwrap_or_default();
        (place.sequence, place.index)
    });
    Holders::default().follow(&in_order, &mut wrong);
    let whose = |seq| {
        let at = log.binary_search_by_key(&seq, |kept| kept.seq).ok()?;
        log[at].subject.split('.').nth(3)
    };
    Rules::default().follow(&in_order, whose, &mut wrong);
    punctual(&told, end.calm_ms, &mut wrong);
    let caused: Vec<_> =
        events.iter().chain(&outbound).map(|kept| (place(kept).0, place(kept).1, kept.time_ms)).collect();
    durable_before_said(&caused, &cursors, &mut wrong);
    prompt(&caused, &log, end.calm_ms, &mut wrong);
    let tally = &mut inner.broker.tally;
    for event in &told {
        tally.hear(event);
    }
    tally.add(Seen::Buried, dead.len() as u64);
    let first = log.iter().filter(|kept| !is_passed_on(kept));
    let written = first.clone().map(|kept| kept.header("ce-id")).collect::<BTreeSet<_>>().len();
    tally.add(Seen::EntryTwice, (first.count() - written) as u64);
    tally.add(Seen::PassedOn, passed_on.len() as u64);
    tally.add(Seen::Moved, expected.arrivals);
    let tenant = |kept: &Kept| kept.subject.split('.').nth(2).unwrap_or_default().to_owned();
    let places: Vec<_> = events.iter().map(|kept| ((tenant(kept), place(kept)), kept.seq)).collect();
    for Heard { tenant, applied, floor } in &inner.heard {
        let early = |((of, (_, entry, _)), seq): &&((String, (u16, u64, u32)), u64)| {
            of == tenant && entry > applied && seq <= floor
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

/// Whether an entry of the log comes from another partition's.
fn is_passed_on(kept: &Kept) -> bool {
    !kept.header(POSITION).is_empty()
}

/// Each of what is expected is stored once, nothing else is, and each lane is in order.
fn compare(
    stream: Stream,
    expected: &BTreeMap<String, Vec<Due>>,
    stored: &[Arc<Kept>],
    wrong: &mut Vec<String>,
) {
    let (what, named_by) = match stream {
        Stream::Events => ("event", "ce-id"),
        // An entry keeps its id when it is passed on; the broker is given another one.
        Stream::Routing => ("entry passed on", MSG_ID),
        _ => ("outbound work", "ce-id"),
    };
    let mut at: BTreeMap<&str, &Kept> = BTreeMap::new();
    for kept in stored {
        let id = kept.header(named_by);
        if at.insert(id, kept).is_some() {
            let place = kept.header(POSITION);
            wrong.push(format!("doubled: {what} {id} of {place} at {}", kept.seq));
        }
    }
    for (lane, due) in expected {
        let mut before = 0;
        for Due { id, content, open, .. } in due {
            let Some(kept) = at.remove(&**id) else {
                if !open {
                    wrong.push(format!("lost: {what} {id} of lane {lane}"));
                }
                continue;
            };
            if !alike(stream.name(), &kept.payload, content) {
                wrong.push(format!("{what} {id} of lane {lane} says something else than the log"));
            }
            if kept.seq < before {
                let seq = kept.seq;
                wrong.push(format!("out of order: {what} {id} of lane {lane} at {seq}, behind {before}"));
            }
            before = before.max(kept.seq);
        }
    }
    wrong.extend(at.keys().map(|id| format!("from nowhere: {what} {id}")));
}

/// What cannot be applied is buried once, and nothing else is.
fn buried(unfit: &BTreeMap<u64, bool>, dead: &[Arc<Kept>], wrong: &mut Vec<String>) {
    let mut times: BTreeMap<u64, u32> = BTreeMap::new();
    for kept in dead {
        let seq = kept.header("Heliograph-Dead-Seq").parse().unwrap_or_default();
        *times.entry(seq).or_default() += 1;
        if !unfit.contains_key(&seq) {
            let reason = kept.header("Heliograph-Dead-Reason");
            wrong.push(format!("buried: {seq} of {} ({reason})", kept.subject));
        }
    }
    for (seq, open) in unfit {
        match times.get(seq).copied().unwrap_or_default() {
            1 => {}
            0 if *open => {}
            times => wrong.push(format!("entry {seq} cannot be applied, and is buried {times} times")),
        }
    }
}

/// Each poisonous entry that was acknowledged to its writer is a dead letter.
fn poisoned(ledger: &Ledger, log: &[Arc<Kept>], dead: &[Arc<Kept>], wrong: &mut Vec<String>) {
    for id in &ledger.poison {
        let entry = log.iter().find(|kept| kept.header("ce-id") == id).map(|kept| kept.seq.to_string());
        let is_it = |kept: &&Arc<Kept>| Some(kept.header("Heliograph-Dead-Seq")) == entry.as_deref();
        if dead.iter().find(is_it).is_none() {
            wrong.push(format!("poison {id} at {entry:?} is not buried"));
        }
    }
}

/// Whatever followed from the entries that a cursor is behind was stored before the cursor was.
/// `caused`: partition, sequence of the entry, and when it was stored.
fn durable_before_said(caused: &[(u16, u64, i64)], cursors: &[Arc<Kept>], wrong: &mut Vec<String>) {
    for partition in 0..LAYOUT.routing {
        let mut ours: Vec<(u64, i64)> =
            caused.iter().filter(|(of, ..)| *of == partition).map(|(_, seq, at)| (*seq, *at)).collect();
        ours.sort_unstable();
        let mut ours = ours.into_iter().peekable();
        let mut latest = 0;
        let key = Bucket::Cursors.subject(&format!("{ROUTING_GROUP}.{partition}"));
        for kept in cursors.iter().filter(|kept| kept.subject == key) {
            let through = serde_json::from_slice::<serde_json::Value>(&kept.payload).ok();
            let through = through.and_then(|value| value["seq"].as_u64()).unwrap_or_default();
            while let Some((_, at)) = ours.next_if(|(seq, _)| *seq <= through) {
                latest = latest.max(at);
            }
            if latest > kept.time_ms {
                wrong.push(format!(
                    "partition {partition} is said to be worked off to {through} before what follows is stored"
                ));
                return;
            }
        }
    }
}

/// Once all is at rest, what follows from an entry does so at once.
fn prompt(caused: &[(u16, u64, i64)], log: &[Arc<Kept>], calm_ms: i64, wrong: &mut Vec<String>) {
    for (_, entry, at) in caused {
        let Ok(found) = log.binary_search_by_key(entry, |kept| kept.seq) else { continue };
        let late = at - log[found].time_ms;
        if log[found].time_ms > calm_ms + AT_REST_MS && late > LATE_MS {
            wrong.push(format!("what follows from {entry} is stored {late} ms later, though all is well"));
        }
    }
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

#[cfg(test)]
mod tests {
    use heliograph_fabric::{Bytes, async_nats::HeaderMap};

    use super::*;

    #[test]
    fn a_cursor_that_is_ahead_of_what_is_stored_is_noticed() {
        let cursor = |seq: u64, time_ms: i64| {
            Arc::new(Kept {
                seq,
                time_ms,
                subject: Bucket::Cursors.subject(&format!("{ROUTING_GROUP}.1")),
                headers: HeaderMap::new(),
                payload: Bytes::from(format!("{{\"seq\":{seq},\"epoch\":1}}")),
            })
        };
        let caused = [(0, 1, 90), (1, 5, 20), (1, 5, 30), (1, 7, 60)];
        let wrong = |cursors: &[Arc<Kept>]| {
            let mut wrong = Vec::new();
            durable_before_said(&caused, cursors, &mut wrong);
            wrong.len()
        };
        assert_eq!(wrong(&[cursor(4, 10), cursor(6, 40), cursor(8, 61)]), 0);
        assert_eq!(wrong(&[cursor(4, 10), cursor(5, 29), cursor(8, 61)]), 1);
        assert_eq!(wrong(&[cursor(8, 59)]), 1);
    }
}
