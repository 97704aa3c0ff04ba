//! The end of the public stream, one reader per tenant and process, shared by the tenant's sessions.
//!
//! A session asks for what stands behind its own place. What is no longer (or not yet) in memory it reads from the stream
//! itself, up to where memory begins, and goes on here: places are stream sequences, so nothing is missed or repeated.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use heliograph_fabric::{
    Fabric, LogError, LogReader, RangeReader, Record, Start, Stream, subjects::EventFilter,
};
use heliograph_proto::v1::Event;
use tokio::{
    sync::{Semaphore, watch},
    task::AbortHandle,
};

/// Sessions that read the stream themselves at a time.
const READERS: usize = 16;

/// One event with its place.
#[derive(Debug)]
pub(crate) struct Item {
    /// Its sequence in HG_EVENTS.
    pub(crate) sequence: u64,
    /// When it was stored, milliseconds since 1970.
    pub(crate) stored_ms: i64,
    /// The event.
    pub(crate) event: Event,
}

impl Item {
    /// The event of a record; none, and a word in the log, when there is none in it.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let event = record.envelope().and_then(|envelope| envelope.decode::<Event>());
        match event {
            Ok(event) => Some(Self { sequence: record.seq, stored_ms: record.time_ms, event }),
            Err(error) => {
                let (sequence, subject) = (record.seq, &record.subject);
                tracing::warn!(sequence, subject, %error, "an unreadable event is passed over");
                None
            }
        }
    }
}

/// What memory says about the events behind a place.
#[derive(Debug)]
pub(crate) enum Read {
    /// These, and after them the reader stands at `upto`.
    Events { items: Vec<Arc<Item>>, upto: u64 },
    /// Memory begins behind the place: read the stream.
    Behind,
    /// The tail ended: the stream is not what it was.
    Lost,
}

/// The events in memory: all of the tenant's behind `base`.
#[derive(Debug, Default)]
struct Ring {
    base: u64,
    head: u64,
    items: VecDeque<Arc<Item>>,
}

impl Ring {
    fn push(&mut self, item: Item, capacity: usize) {
        if self.items.len() >= capacity
            && let Some(oldest) = self.items.pop_front()
        {
            self.base = oldest.sequence;
        }
        self.head = item.sequence;
        self.items.push_back(Arc::new(item));
    }

    fn read(&self, after: u64, most: usize) -> Read {
        if after < self.base {
            return Read::Behind;
        }
        let first = self.items.partition_point(|item| item.sequence <= after);
        let items: Vec<_> = self.items.iter().skip(first).take(most).cloned().collect();
        let upto = match items.last() {
            Some(last) if items.len() == most => last.sequence,
            _ => self.head.max(after),
        };
        Read::Events { items, upto }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Opening,
    /// Where the newest event stands.
    At(u64),
    Lost,
}

/// One tenant's tail. It is read for as long as somebody holds it.
#[derive(Debug)]
pub(crate) struct Tail {
    ring: Arc<Mutex<Ring>>,
    state: watch::Receiver<State>,
    task: AbortHandle,
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tail {
    fn start(fabric: Fabric, filter: String, capacity: usize) -> Self {
        let ring = Arc::new(Mutex::new(Ring::default()));
        let (sender, state) = watch::channel(State::Opening);
        let kept = Arc::clone(&ring);
        let task = tokio::spawn(async move {
            if let Err(error) = follow(&fabric, filter, capacity, &kept, &sender).await {
                tracing::error!(%error, "the end of the public stream cannot be followed");
            }
            sender.send_replace(State::Lost);
        });
        Self { ring, state, task: task.abort_handle() }
    }

    /// At most `most` events behind `after`.
    pub(crate) fn read(&self, after: u64, most: usize) -> Read {
        if *self.state.borrow() == State::Lost {
            return Read::Lost;
        }
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).read(after, most)
    }

    /// Waits until there is something to [`read`](Self::read) behind `after`.
    pub(crate) async fn behind(&self, after: u64) {
        let mut state = self.state.clone();
        let news = |state: &State| match state {
            State::Opening => false,
            State::At(head) => *head > after,
            State::Lost => true,
        };
        // Fails only when the task is gone, which `read` tells as well.
        let _ = state.wait_for(news).await;
    }

    /// Waits until memory has a beginning.
    pub(crate) async fn opened(&self) {
        let _ = self.state.clone().wait_for(|state| *state != State::Opening).await;
    }

    fn is_lost(&self) -> bool {
        *self.state.borrow() == State::Lost
    }
}

async fn follow(
    fabric: &Fabric,
    filter: String,
    capacity: usize,
    ring: &Mutex<Ring>,
    state: &watch::Sender<State>,
) -> Result<(), LogError> {
    let mut reader = LogReader::open(fabric, Stream::Events, [filter], Start::New).await?;
    let start = reader.position();
    *ring.lock().unwrap_or_else(PoisonError::into_inner) =
        Ring { base: start, head: start, items: VecDeque::new() };
    state.send_replace(State::At(start));
    loop {
        let record = reader.next().await?;
        let Some(item) = Item::of(&record) else { continue };
        ring.lock().unwrap_or_else(PoisonError::into_inner).push(item, capacity);
        state.send_replace(State::At(record.seq));
    }
}

/// Every tenant's tail.
#[derive(Debug)]
pub(crate) struct Tails {
    fabric: Fabric,
    capacity: usize,
    open: Mutex<HashMap<String, Weak<Tail>>>,
    readers: Semaphore,
}

impl Tails {
    pub(crate) fn new(fabric: Fabric, capacity: usize) -> Self {
        Self { fabric, capacity, open: Mutex::default(), readers: Semaphore::new(READERS) }
    }

    /// The tenant's tail, started when it is the first to be asked for.
    pub(crate) fn of(&self, tenant: &str) -> Arc<Tail> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tail) = open.get(tenant).and_then(Weak::upgrade).filter(|tail| !tail.is_lost()) {
            return tail;
        }
        open.retain(|_, tail| tail.strong_count() > 0);
        let tail = Arc::new(Tail::start(self.fabric.clone(), filter(tenant), self.capacity));
        open.insert(tenant.to_owned(), Arc::downgrade(&tail));
        tail
    }

    /// Reads the stream itself behind `after`, up to its end as of now. Waits for its turn.
    pub(crate) async fn range(&self, tenant: &str, after: u64) -> Result<Range<'_>, LogError> {
        let permit = self.readers.acquire().await.expect("the semaphore is never closed");
        let reader = RangeReader::open(&self.fabric, Stream::Events, [filter(tenant)], after).await?;
        Ok(Range { reader, _turn: permit })
    }

    /// Whether the stream reaches as far as `sequence`; waits a moment for a broker that restarts.
    pub(crate) async fn reaches(&self, sequence: u64) -> bool {
        for _ in 0..20 {
            match self.fabric.last_sequence(Stream::Events).await {
                Ok(last) => return sequence <= last,
                Err(error) => tracing::debug!(%error, "asking again for the end of the stream"),
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        false
    }
}

/// A part of the stream being read.
#[derive(Debug)]
pub(crate) struct Range<'a> {
    reader: RangeReader,
    _turn: tokio::sync::SemaphorePermit<'a>,
}

impl Range<'_> {
    /// The next event; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, LogError> {
        while let Some(record) = self.reader.next().await? {
            if let Some(item) = Item::of(&record) {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }

    /// Where the reader stands once everything was read.
    pub(crate) fn end(&self) -> u64 {
        self.reader.reached()
    }
}

fn filter(tenant: &str) -> String {
    EventFilter { tenant, ..EventFilter::default() }.subject().expect("a signed-in tenant has a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(sequence: u64) -> Item {
        Item { sequence, stored_ms: 0, event: Event::default() }
    }

    fn sequences(read: &Read) -> (Vec<u64>, u64) {
        match read {
            Read::Events { items, upto } => (items.iter().map(|item| item.sequence).collect(), *upto),
            other => panic!("events expected, not {other:?}"),
        }
    }

    #[test]
    fn reading_goes_on_where_it_stopped_and_says_when_memory_does_not_reach_back() {
        let mut ring = Ring { base: 10, head: 10, items: VecDeque::new() };
        assert_eq!(sequences(&ring.read(10, 3)), (vec![], 10));
        assert!(matches!(ring.read(9, 3), Read::Behind));
        // Sequences have gaps: other tenants' events lie between.
        for sequence in [12, 15, 16, 21] {
            ring.push(item(sequence), 4);
        }
        assert_eq!(sequences(&ring.read(10, 3)), (vec![12, 15, 16], 16));
        assert_eq!(sequences(&ring.read(16, 3)), (vec![21], 21));
        // A reader that came from the stream may stand behind the newest event of its tenant.
        assert_eq!(sequences(&ring.read(30, 3)), (vec![], 30));
        ring.push(item(33), 4);
        assert!(matches!(ring.read(10, 3), Read::Behind), "12 has left");
        assert_eq!(sequences(&ring.read(12, 9)), (vec![15, 16, 21, 33], 33));
        assert_eq!(sequences(&ring.read(30, 9)), (vec![33], 33));
    }
}
