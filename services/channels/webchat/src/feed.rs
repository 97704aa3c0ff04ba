//! A visitor's log as the sockets of this replica see it.
//!
//! Whoever stores an entry says so on the visitor's live subject (core NATS); a replica that holds a socket of the
//! visitor listens there. Such a note is a hint: what it says is taken only when it is the very next entry, and what
//! is missing is read from the log. So nothing is skipped when notes are lost, and nothing is read when they are not.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures::StreamExt as _;
use heliograph_fabric::{CancellationToken, async_nats::Subscriber};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OnceCell, broadcast, watch},
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::{
    item::{Entry, Item},
    log::{Log, LogError, Tail},
};

/// How many entries are kept at hand: what a client can be behind before it has to load the history.
pub(crate) const AT_HAND: usize = 500;
/// So often a log is compared with the broker, in case a note was lost.
const COMPARE_EVERY: Duration = Duration::from_mins(1);
/// When reading what is missing failed, it is tried again after this.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// Live frames a slow socket may be behind; older ones are lost on it, as they are out of date.
const LIVE: usize = 16;

/// One visitor of one account.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// Owner.
    pub tenant: String,
    /// The account.
    pub account: String,
    /// `v_…` or `u_…`.
    pub visitor: String,
}

impl Place {
    /// Where the visitor's log is kept.
    pub(crate) fn subject(&self) -> String {
        format!("hg.webchat.{}.{}.{}", self.tenant, self.account, self.visitor)
    }

    /// Where hints and fleeting things are told. Outside the stream.
    fn live(&self) -> String {
        format!("hg.live.webchat.{}.{}.{}", self.tenant, self.account, self.visitor)
    }
}

/// What is told on the live subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "k", rename_all = "snake_case")]
pub(crate) enum Live {
    /// An entry was stored.
    Stored(Entry),
    /// An agent types, or stopped.
    Typing {
        /// Whether they do.
        on: bool,
    },
    /// An agent has read up to a message of the visitor's.
    Read {
        /// Its id.
        id: String,
    },
}

/// The feeds of this replica.
#[derive(Debug)]
pub(crate) struct Hub {
    log: Log,
    feeds: Mutex<HashMap<Place, Weak<Feed>>>,
}

/// One visitor's log, followed while somebody holds it.
#[derive(Debug)]
pub(crate) struct Feed {
    place: Place,
    ring: Mutex<Ring>,
    last: watch::Sender<u64>,
    live: broadcast::Sender<Live>,
    seats: Mutex<Seats>,
    marks: Mutex<Marks>,
    ready: OnceCell<()>,
    /// Own messages are stored one after the other.
    pub(crate) turn: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct Ring {
    entries: VecDeque<Entry>,
    tail: Tail,
}

#[derive(Debug, Default)]
struct Seats {
    next: u64,
    taken: VecDeque<(u64, CancellationToken)>,
}

/// Up to which entries receipts were reported.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    /// They reached a device.
    pub delivered: u64,
    /// They were read.
    pub read: u64,
}

/// A socket's seat at a feed; dropping it gives it up.
#[derive(Debug)]
pub(crate) struct Seat {
    feed: Arc<Feed>,
    id: u64,
    /// Cancelled when a newer socket takes the place.
    pub replaced: CancellationToken,
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.feed.seats).taken.retain(|(id, _)| *id != self.id);
    }
}

/// What a socket is to send next.
#[derive(Debug)]
pub(crate) enum News {
    /// These, in order.
    Entries(Vec<Entry>),
    /// The log at hand does not go back that far, or began anew: start from here and load the history.
    Reset(u64),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What applying an entry did.
#[derive(Debug, PartialEq, Eq)]
enum Applied {
    /// It is there now, or was.
    Done,
    /// Entries before it are missing.
    Gap,
}

impl Hub {
    /// Over `log`.
    pub(crate) fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, feeds: Mutex::default() })
    }

    /// The log behind it.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The feed of a visitor, read to its end at least once.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn feed(self: &Arc<Self>, place: &Place) -> Result<Arc<Feed>, LogError> {
        let feed = {
            let mut feeds = lock(&self.feeds);
            if let Some(feed) = feeds.get(place).and_then(Weak::upgrade) {
                feed
            } else {
                let feed = Arc::new(Feed::new(place.clone()));
                feeds.insert(place.clone(), Arc::downgrade(&feed));
                feed
            }
        };
        if let Err(error) = feed.ready.get_or_try_init(|| self.begin(&feed)).await {
            drop(feed);
            self.forget(place);
            return Err(error);
        }
        Ok(feed)
    }

    /// The feed of a visitor who is connected here.
    pub(crate) fn present(&self, place: &Place) -> Option<Arc<Feed>> {
        lock(&self.feeds).get(place).and_then(Weak::upgrade).filter(|feed| feed.ready.initialized())
    }

    async fn begin(self: &Arc<Self>, feed: &Arc<Feed>) -> Result<(), LogError> {
        // Listening begins before reading, so that what is stored in between is heard of.
        let live = self.log.fabric().client().subscribe(feed.place.live()).await;
        let live = live.map_err(|error| LogError::Read(error.into()))?;
        self.refill(feed).await?;
        let (hub, place, held) = (Arc::clone(self), feed.place.clone(), Arc::downgrade(feed));
        tokio::spawn(follow(hub, place, held, live, feed.stop.clone()));
        Ok(())
    }

    /// Reads what the feed does not have yet.
    async fn refill(&self, feed: &Feed) -> Result<(), LogError> {
        let subject = feed.place.subject();
        let Some(last) = self.log.last(&subject).await? else { return Ok(()) };
        let known = feed.tail();
        if last.stream_seq <= known.stream_seq {
            return Ok(());
        }
        if feed.apply(last) == Applied::Done {
            return Ok(());
        }
        for entry in self.log.after(&subject, known.stream_seq, AT_HAND).await? {
            feed.take(entry);
        }
        Ok(())
    }

    /// Stores an entry, shows it to every socket of the visitor on every replica, and returns it as it stands. The same
    /// item again finds the one that is there.
    ///
    /// # Errors
    /// See [`LogError`].
    pub(crate) async fn store(&self, place: &Place, item: Item) -> Result<Entry, LogError> {
        let present = self.present(place);
        let tail = present.as_ref().map(|feed| feed.tail());
        let (entry, _) = self.log.append(&place.subject(), tail, item).await?;
        if let Some(feed) = present
            && feed.apply(entry.clone()) == Applied::Gap
        {
            // What is missing comes with the next entry or comparison at the latest; only the pushing is late then.
            self.refill(&feed).await?;
        }
        self.tell(place, &Live::Stored(entry.clone())).await;
        Ok(entry)
    }

    /// Tells every replica that holds a socket of the visitor. May be lost.
    pub(crate) async fn tell(&self, place: &Place, live: &Live) {
        let payload = serde_json::to_vec(live).expect("strings and numbers are always JSON");
        if let Err(error) = self.log.fabric().client().publish(place.live(), payload.into()).await {
            tracing::debug!(%error, "a note to the other replicas was not sent");
        }
    }

    fn forget(&self, place: &Place) {
        let mut feeds = lock(&self.feeds);
        if feeds.get(place).is_some_and(|feed| feed.strong_count() == 0) {
            feeds.remove(place);
        }
    }
}

/// Follows one log until nobody holds its feed.
async fn follow(
    hub: Arc<Hub>,
    place: Place,
    feed: Weak<Feed>,
    mut live: Subscriber,
    stop: CancellationToken,
) {
    let mut compare = interval_at(Instant::now() + COMPARE_EVERY, COMPARE_EVERY);
    compare.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut link = hub.log.fabric().link();
    loop {
        let missing = tokio::select! {
            () = stop.cancelled() => break,
            note = live.next() => {
                let Some(held) = feed.upgrade() else { break };
                match note.map(|note| serde_json::from_slice(&note.payload)) {
                    Some(Ok(Live::Stored(entry))) => held.apply(entry) == Applied::Gap,
                    // Nobody has to be connected to hear it.
                    Some(Ok(live)) => { let _ = held.live.send(live); false }
                    Some(Err(error)) => { tracing::warn!(%error, "a note cannot be read"); true }
                    None => break,
                }
            }
            _ = compare.tick() => true,
            changed = link.changed() => {
                if changed.is_err() { break }
                link.borrow_and_update().connected
            }
        };
        if !missing {
            continue;
        }
        let Some(held) = feed.upgrade() else { break };
        if let Err(error) = hub.refill(&held).await {
            tracing::debug!(%error, "a visitor's log is read again in a moment");
            compare.reset_after(TRY_AGAIN);
        }
    }
    hub.forget(&place);
}

impl Feed {
    fn new(place: Place) -> Self {
        Self {
            place,
            ring: Mutex::default(),
            last: watch::channel(0).0,
            live: broadcast::channel(LIVE).0,
            seats: Mutex::default(),
            marks: Mutex::default(),
            ready: OnceCell::new(),
            turn: tokio::sync::Mutex::default(),
            stop: CancellationToken::new(),
        }
    }

    /// Whose it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Where the log ends as far as is known here.
    pub(crate) fn tail(&self) -> Tail {
        lock(&self.ring).tail
    }

    /// Changes with every entry.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    /// What is told beside the log.
    pub(crate) fn live(&self) -> broadcast::Receiver<Live> {
        self.live.subscribe()
    }

    /// Takes the entry if it is the next one.
    fn apply(&self, entry: Entry) -> Applied {
        let tail = self.tail();
        if entry.stream_seq <= tail.stream_seq {
            return Applied::Done;
        }
        if entry.item.seq > tail.seq + 1 {
            return Applied::Gap;
        }
        self.take(entry);
        Applied::Done
    }

    /// Takes the entry as what follows, whatever its number: a log whose beginning has expired starts later, and one
    /// that was erased begins at 1 again.
    fn take(&self, entry: Entry) {
        {
            let mut ring = lock(&self.ring);
            if entry.stream_seq <= ring.tail.stream_seq {
                return;
            }
            if entry.item.seq != ring.tail.seq + 1 {
                ring.entries.clear();
            }
            ring.tail = entry.tail();
            ring.entries.push_back(entry);
            if ring.entries.len() > AT_HAND {
                ring.entries.pop_front();
            }
        }
        self.last.send_modify(|changes| *changes += 1);
    }

    /// What follows number `seen`.
    pub(crate) fn news(&self, seen: u64) -> News {
        let ring = lock(&self.ring);
        if seen > ring.tail.seq {
            return News::Reset(ring.tail.seq);
        }
        let first = ring.entries.front().map_or(ring.tail.seq + 1, |entry| entry.item.seq);
        if seen + 1 < first {
            return News::Reset(ring.tail.seq);
        }
        let behind = usize::try_from(ring.tail.seq - seen).unwrap_or(usize::MAX);
        let from = ring.entries.len().saturating_sub(behind);
        News::Entries(ring.entries.range(from..).cloned().collect())
    }

    /// The entries at hand that are wanted.
    pub(crate) fn find(&self, mut wanted: impl FnMut(&Item) -> bool) -> Option<Entry> {
        lock(&self.ring).entries.iter().rev().find(|entry| wanted(&entry.item)).cloned()
    }

    /// Messages to the visitor numbered above `after` and up to `up_to`. What they are told of their wait is none: nobody
    /// asks for a receipt of it.
    pub(crate) fn answers(&self, after: u64, up_to: u64) -> Vec<Entry> {
        let ring = lock(&self.ring);
        let wanted = |entry: &&Entry| {
            let seq = entry.item.seq;
            seq > after && seq <= up_to && !entry.item.is_own() && entry.item.waiting.is_none()
        };
        ring.entries.iter().filter(wanted).cloned().collect()
    }

    /// Up to where receipts were reported.
    pub(crate) fn marks(&self) -> Marks {
        *lock(&self.marks)
    }

    /// Notes that receipts were reported.
    pub(crate) fn marked(&self, marks: Marks) {
        let mut known = lock(&self.marks);
        known.delivered = known.delivered.max(marks.delivered);
        known.read = known.read.max(marks.read);
    }

    /// A seat for a socket; of more than `most` the oldest goes.
    pub(crate) fn sit(self: &Arc<Self>, most: usize) -> Seat {
        let replaced = CancellationToken::new();
        let mut seats = lock(&self.seats);
        seats.next += 1;
        let id = seats.next;
        seats.taken.push_back((id, replaced.clone()));
        while seats.taken.len() > most.max(1) {
            if let Some((_, oldest)) = seats.taken.pop_front() {
                oldest.cancel();
            }
        }
        drop(seats);
        Seat { feed: Arc::clone(self), id, replaced }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
