//! A broker's memory: streams with their windows of ids, keys with their revisions, and snapshots.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Weak};

use heliograph_fabric::{
    Bytes, PublishError, Published, Record, Stream, Versioned, async_nats::HeaderMap, publish::Attempt,
    subjects::Bucket,
};
use heliograph_proto::{
    Message,
    v1::{Event, OutboundMessage},
};
use heliograph_store::objects::ObjectInfo;
use tokio::sync::Notify;

use super::flaws::Flaws;
use super::node::Node;
use super::tally::{Seen, Tally};
use crate::{assignment::snapshot_key, envelope::POSITION};

/// How long a stream recognizes an id, as on a real broker.
const WINDOW_MS: i64 = 120_000;

/// A message as it is stored.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) seq: u64,
    pub(super) time_ms: i64,
    pub(super) subject: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
}

impl Kept {
    pub(super) fn header(&self, name: &'static str) -> &str {
        self.headers.get(name).map_or("", |value| value.as_str())
    }
}

/// One stream.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    messages: BTreeMap<u64, Arc<Kept>>,
    last: u64,
    /// Sequence of the newest message of each subject.
    newest: BTreeMap<String, u64>,
    /// Where and when an id was stored first.
    ids: HashMap<String, (u64, i64)>,
    /// Everything that was ever stored, erased or not: for the judgement at the end.
    pub(super) history: Vec<Arc<Kept>>,
    /// Told when something is stored.
    pub(super) changed: Arc<Notify>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Broker {
    shelves: BTreeMap<String, Shelf>,
    pub(super) slots: BTreeMap<String, (ObjectInfo, Bytes)>,
    /// Every snapshot that was ever stored, with its folder.
    pub(super) snapshots: Vec<(String, ObjectInfo, Bytes)>,
    pub(super) flaws: Flaws,
    /// What it did since somebody asked.
    pub(super) notes: Vec<String>,
    pub(super) tally: Tally,
    /// What was seen to be wrong on the way.
    pub(super) complaints: Vec<String>,
    /// Whoever was given a partition last.
    pub(super) owners: BTreeMap<u16, Weak<Node>>,
    /// Partitions whose log was erased in part.
    erased: BTreeSet<u16>,
}

impl Broker {
    pub(super) fn with(flaws: Flaws) -> Self {
        Self { flaws, ..Self::default() }
    }

    pub(super) fn shelf(&mut self, stream: &str) -> &mut Shelf {
        self.shelves.entry(stream.to_owned()).or_default()
    }

    /// Stores a message, unless it is a duplicate or what it expects does not hold.
    pub(super) fn publish(
        &mut self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        now_ms: i64,
    ) -> Result<Published, Attempt> {
        let stream = stream_of(subject);
        let bucket = stream.starts_with("KV_");
        let flaws = self.flaws;
        let shelf = self.shelf(&stream);
        let id = headers.get("Nats-Msg-Id").map(|id| id.as_str().to_owned());
        let window_ms = if flaws.forgets_ids { 0 } else { WINDOW_MS };
        if let Some(id) = &id
            && let Some((seq, at)) = shelf.ids.get(id)
            && now_ms - at < window_ms
        {
            let seq = *seq;
            // What was decided is decided alike by everybody.
            if headers.get(POSITION).is_some() {
                let first = shelf.history.iter().rev().find(|kept| kept.seq == seq);
                let alike = first
                    .is_none_or(|first| first.subject == subject && alike(&stream, &first.payload, payload));
                self.tally.note(Seen::Recognized);
                if !alike {
                    self.complaints.push(format!("{stream} {seq} is said twice, and not alike: {id}"));
                }
            }
            self.notes.push(format!("{stream} {seq} again {id}"));
            return Ok(Published { stream, seq, duplicate: true });
        }
        let expected = headers.get("Nats-Expected-Last-Subject-Sequence");
        if let Some(expected) = expected.and_then(|expected| expected.as_str().parse::<u64>().ok())
            && expected != shelf.newest.get(subject).copied().unwrap_or_default()
            && !flaws.swaps_blindly
        {
            self.tally.note(Seen::Fenced);
            self.notes.push(format!("{stream} - conflict {subject}"));
            let description = format!("wrong last sequence, {expected} was expected");
            return Err(Attempt::Final(PublishError::Conflict { subject: subject.to_owned(), description }));
        }
        shelf.last += 1;
        let seq = shelf.last;
        let note = format!("{stream} {seq} {} {subject}", id.as_deref().unwrap_or("-"));
        if let Some(id) = id {
            shelf.ids.insert(id, (seq, now_ms));
        }
        if flaws.loses_one_in.is_some_and(|one_in| !bucket && seq.is_multiple_of(one_in)) {
            return Ok(Published { stream, seq, duplicate: false });
        }
        let kept = Arc::new(Kept {
            seq,
            time_ms: now_ms,
            subject: subject.to_owned(),
            headers: headers.clone(),
            payload: payload.clone(),
        });
        let before = shelf.newest.insert(subject.to_owned(), seq);
        if bucket && let Some(before) = before {
            shelf.messages.remove(&before);
        }
        shelf.messages.insert(seq, Arc::clone(&kept));
        shelf.history.push(kept);
        shelf.changed.notify_waiters();
        self.notes.push(note);
        Ok(Published { stream, seq, duplicate: false })
    }

    /// A key as it is.
    pub(super) fn key(&mut self, bucket: Bucket, key: &str) -> Versioned {
        let shelf = self.shelf(&bucket.stream());
        let found = shelf.newest.get(&bucket.subject(key)).and_then(|seq| shelf.messages.get(seq));
        match found {
            None => Versioned { value: None, revision: 0 },
            Some(kept) => {
                let value = kept.header("KV-Operation").is_empty().then(|| kept.payload.clone());
                Versioned { value, revision: kept.seq }
            }
        }
    }

    /// Sequence of the newest message under a subject.
    pub(super) fn last_of(&mut self, stream: &str, subject: &str) -> u64 {
        if self.flaws.hides_what_stands {
            return 0;
        }
        let shelf = self.shelf(stream);
        let newest = shelf.newest.iter().filter(|(stored, _)| covers(subject, stored)).map(|(_, seq)| *seq);
        newest.filter(|seq| shelf.messages.contains_key(seq)).max().unwrap_or_default()
    }

    /// Sequence of the newest message.
    pub(super) fn end(&mut self, stream: &str) -> u64 {
        self.shelf(stream).last
    }

    /// Up to `limit` messages behind `after`, by a copy that has those up to `upto`.
    pub(super) fn read(
        &mut self,
        stream: &str,
        filters: &[String],
        (after, upto): (u64, u64),
        limit: usize,
    ) -> Vec<Record> {
        let behind = self.shelf(stream).messages.range(after + 1..).map(|(_, kept)| kept);
        let behind = behind.take_while(|kept| kept.seq <= upto);
        let found: Vec<_> = behind.filter(|kept| matches(filters, &kept.subject)).cloned().collect();
        records(stream, &found, limit)
    }

    /// How many messages stand behind `after`, by a copy that has those up to `upto`.
    pub(super) fn count(&mut self, stream: &str, filters: &[String], (after, upto): (u64, u64)) -> u64 {
        let behind = self.shelf(stream).messages.range(after + 1..).take_while(|(seq, _)| **seq <= upto);
        behind.filter(|(_, kept)| matches(filters, &kept.subject)).count() as u64
    }

    /// The newest message of every subject.
    pub(super) fn newest(&mut self, stream: &str, filters: &[String]) -> Vec<Record> {
        let shelf = self.shelf(stream);
        let mut found: Vec<_> = shelf
            .newest
            .iter()
            .filter(|(subject, _)| matches(filters, subject))
            .filter_map(|(_, seq)| shelf.messages.get(seq).cloned())
            .collect();
        found.sort_by_key(|kept| kept.seq);
        records(stream, &found, usize::MAX)
    }

    /// The partition that a message was decided on, where it says one.
    fn decided_on(headers: &HeaderMap) -> Option<u16> {
        headers.get(POSITION)?.as_str().split('.').next()?.parse().ok()
    }

    /// Notes that a message of this machine's is there.
    pub(super) fn arrived(&mut self, headers: &HeaderMap, node: &Arc<Node>) {
        let owner = Self::decided_on(headers).and_then(|partition| self.owners.get(&partition));
        if owner.is_some_and(|owner| !std::ptr::eq(owner.as_ptr(), Arc::as_ptr(node))) {
            self.tally.note(Seen::Stale);
        }
    }

    /// Notes that somebody has read the snapshot in this folder to restore from it.
    pub(super) fn restored(&mut self, folder: &str) {
        self.tally.note(Seen::Restored);
        let partition = folder.rsplit('-').next().and_then(|partition| partition.parse().ok());
        if partition.is_some_and(|partition: u16| self.erased.contains(&partition)) {
            self.tally.note(Seen::RestoredShort);
        }
    }

    /// Erases what matches and is older than `before`.
    pub(super) fn truncate(&mut self, stream: &str, filter: &str, before: u64) -> u64 {
        let before = if self.flaws.erases_too_much { u64::MAX } else { before };
        let filters = [filter.to_owned()];
        let messages = &mut self.shelf(stream).messages;
        let count = messages.len();
        messages.retain(|seq, kept| *seq >= before || !matches(&filters, &kept.subject));
        let erased = (count - messages.len()) as u64;
        let partition = filter.split('.').nth(2).and_then(|partition| partition.parse().ok());
        if let Some(partition) = partition.filter(|_| erased > 0) {
            self.tally.note(Seen::Truncated);
            self.erased.insert(partition);
            self.look_at_slots(partition, before);
        }
        self.notes.push(format!("{stream} is erased up to {before} under {filter}: {erased}"));
        erased
    }
}

impl Broker {
    /// Of the snapshots kept two must stand where the log is whole from there on: one may turn out to be of no use.
    fn look_at_slots(&mut self, partition: u16, before: u64) {
        let folder = format!("{}/", snapshot_key(partition));
        let kept = self.slots.iter().filter(|(key, _)| key.starts_with(&folder));
        let positions =
            kept.filter_map(|(_, (info, _))| info.attributes.get("position")?.parse::<u64>().ok());
        if positions.filter(|position| position + 1 >= before).count() < 2 {
            self.complaints
                .push(format!("partition {partition} is erased up to {before}, and has no snapshots there"));
        }
    }
}

fn records(stream: &str, found: &[Arc<Kept>], limit: usize) -> Vec<Record> {
    let stream: Arc<str> = stream.into();
    let record = |(index, kept): (usize, &Arc<Kept>)| Record {
        stream: Arc::clone(&stream),
        seq: kept.seq,
        time_ms: kept.time_ms,
        subject: kept.subject.clone(),
        pending: (found.len() - index - 1) as u64,
        delivered: 1,
        headers: kept.headers.clone(),
        payload: kept.payload.clone(),
    };
    found.iter().enumerate().take(limit).map(record).collect()
}

/// Whether two messages of a stream say the same. Their bytes may differ: maps have no order on the wire.
pub(super) fn alike(stream: &str, one: &[u8], other: &[u8]) -> bool {
    fn read<M: Message + Default + PartialEq>(one: &[u8], other: &[u8]) -> bool {
        matches!((M::decode(one), M::decode(other)), (Ok(one), Ok(other)) if one == other)
    }
    match stream {
        _ if one == other => true,
        stream if stream == Stream::Events.name() => read::<Event>(one, other),
        stream if stream == Stream::Outbound.name() => read::<OutboundMessage>(one, other),
        _ => false,
    }
}

/// The stream that takes a subject.
fn stream_of(subject: &str) -> String {
    if let Some(rest) = subject.strip_prefix("$KV.") {
        let bucket = rest.split('.').next().unwrap_or_default();
        return format!("KV_{bucket}");
    }
    Stream::of_subject(subject).expect("the shell publishes to our streams").name().to_owned()
}

/// Whether a subject matches one of the filters; all do where there is none.
fn matches(filters: &[String], subject: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| covers(filter, subject))
}

fn covers(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}
