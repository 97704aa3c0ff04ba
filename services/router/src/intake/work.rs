//! One inbound partition: read, spread over lanes, remember how far.
//!
//! A lane holds what must stay in order: the events of one address. Lanes are worked on at the same time; the cursor
//! moves behind what is done, so a crash repeats a little, and derived ids absorb that.

use std::collections::{HashMap, VecDeque, hash_map::Entry};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream::FuturesUnordered};
use heliograph_fabric::{
    Burial, Cursor, CursorError, Envelope, Fence, LogReader, Owned, Record, RoutingLog, Start, Stream,
    backoff::Backoff, subjects,
};
use heliograph_proto::v1::{InboundEvent, inbound_event::Kind};
use tokio::time::MissedTickBehavior;
use tracing::Instrument as _;

use super::{
    Case, Intake, STAGE,
    handle::{self, Handled},
    progress::Progress,
    receipt,
};
use crate::{
    INBOUND_GROUP,
    error::{Failure, PartitionError, chain},
};

/// Receipts that may wait for their delivery at a time, in one partition. More are looked up once only.
const PARKED: usize = 8_192;
/// How long the cursor may take to be stored before reading goes on without.
const CURSOR_PATIENCE: Duration = Duration::from_secs(1);
/// How long what is in hand may take to finish when the partition is handed over.
const FINISH: Duration = Duration::from_secs(5);

type Job<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the owner of a partition works with.
#[derive(Debug, Clone, Copy)]
struct Shift<'a> {
    intake: &'a Intake,
    fence: &'a Fence,
    log: &'a RoutingLog,
}

/// One event read, decoded as far as it could be.
struct Item {
    record: Record,
    event: Result<InboundEvent, Failure>,
    lane: String,
}

/// An item that a lane is through with.
struct Ended {
    seq: u64,
    lane: String,
    /// A receipt that waits for its delivery.
    parked: Option<Item>,
    lost: bool,
}

/// Works on `owned` until told to stop.
pub(super) async fn partition(intake: &Intake, owned: &Owned) -> Result<(), PartitionError> {
    let partition = owned.partition;
    let mut cursor = Cursor::claim(&intake.fabric, INBOUND_GROUP, partition, owned.epoch).await?;
    let filter = subjects::inbound_partition(partition);
    let mut reader =
        LogReader::open(&intake.fabric, Stream::Inbound, [filter], Start::After(cursor.seq())).await?;
    // A writer of its own: whoever had the partition before may have heard later that a tenant moved.
    let log = RoutingLog::new(&intake.places, Some(owned.fence.clone()));
    let at = Shift { intake, fence: &owned.fence, log: &log };
    let mut progress = Progress::new(cursor.seq());
    let mut lanes: HashMap<String, VecDeque<Item>> = HashMap::new();
    let mut jobs: FuturesUnordered<Job<'_, Ended>> = FuturesUnordered::new();
    let mut parked: FuturesUnordered<Job<'_, Ended>> = FuturesUnordered::new();
    let mut tick = tokio::time::interval(intake.config.cursor_every.max(Duration::from_millis(10)));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let room = progress.open() < intake.config.in_flight + parked.len().min(PARKED);
        tokio::select! {
            () = owned.cancel.cancelled() => break,
            Some(ended) = jobs.next(), if !jobs.is_empty() => {
                if ended.lost {
                    return Ok(());
                }
                if let Some(next) = next_of(&mut lanes, &ended.lane) {
                    jobs.push(Box::pin(work(at, next, parked.len() < PARKED)));
                }
                match ended.parked {
                    Some(item) => parked.push(Box::pin(wait(at, item))),
                    None => progress.end(ended.seq),
                }
            }
            Some(ended) = parked.next(), if !parked.is_empty() => {
                if ended.lost {
                    return Ok(());
                }
                progress.end(ended.seq);
            }
            record = reader.next(), if room => {
                let item = read(record?);
                progress.begin(item.record.seq);
                match lanes.entry(item.lane.clone()) {
                    Entry::Occupied(mut waiting) => waiting.get_mut().push_back(item),
                    Entry::Vacant(lane) => {
                        lane.insert(VecDeque::new());
                        jobs.push(Box::pin(work(at, item, parked.len() < PARKED)));
                    }
                }
            }
            _ = tick.tick() => store(&mut cursor, &progress, owned).await?,
        }
    }
    let finished = async {
        while let Some(ended) = jobs.next().await {
            if ended.lost {
                return;
            }
            if let Some(next) = next_of(&mut lanes, &ended.lane) {
                jobs.push(Box::pin(work(at, next, false)));
            }
            progress.end(ended.seq);
        }
    };
    // What does not finish in time is done again by the next owner.
    let _ = tokio::time::timeout(FINISH, finished).await;
    store(&mut cursor, &progress, owned).await
}

/// The lane's next item; a lane without any is forgotten.
fn next_of(lanes: &mut HashMap<String, VecDeque<Item>>, lane: &str) -> Option<Item> {
    let next = lanes.get_mut(lane)?.pop_front();
    if next.is_none() {
        lanes.remove(lane);
    }
    next
}

async fn store(cursor: &mut Cursor, progress: &Progress, owned: &Owned) -> Result<(), PartitionError> {
    if progress.done_through() <= cursor.seq() || owned.fence.check().is_err() {
        return Ok(());
    }
    match cursor.store(progress.done_through(), CURSOR_PATIENCE).await {
        Ok(()) | Err(CursorError::Away { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn read(record: Record) -> Item {
    let decoded = record.envelope().and_then(|envelope: Envelope| envelope.decode::<InboundEvent>());
    let event = decoded.map_err(|error| Failure::poison("malformed", chain(&error)));
    let lane = match &event {
        // A receipt waits for nothing but its own message.
        Ok(InboundEvent { kind: Some(Kind::Receipt(receipt)), .. }) => receipt::lane(receipt),
        Ok(event) => {
            let user = event.address.as_ref().map_or("", |address| &address.user_id);
            format!("{}\u{1f}{}\u{1f}{}\u{1f}{user}", event.tenant, event.channel, event.account)
        }
        Err(_) => format!("\u{1f}{}", record.seq),
    };
    Item { record, event, lane }
}

/// Handles one item to its end, whatever that is.
async fn work(at: Shift<'_>, item: Item, may_park: bool) -> Ended {
    let begun = Instant::now();
    let span = item.record.process_span();
    let kind = handle::kind_name(item.event.as_ref().ok());
    let outcome = attempt(at, &item, may_park).instrument(span).await;
    let mut ended = Ended { seq: item.record.seq, lane: item.lane.clone(), parked: None, lost: false };
    let outcome = match outcome {
        Ok(Handled::Done) => "done",
        Ok(Handled::Wait) => {
            ended.parked = Some(item);
            "waits"
        }
        Err(Failure::Lost) => {
            ended.lost = true;
            return ended;
        }
        Err(_) => "dead",
    };
    at.intake.metrics.intake(kind, outcome, begun.elapsed().as_secs_f64());
    ended
}

/// Tries until it worked, or is the item's own fault; then it is buried.
async fn attempt(at: Shift<'_>, item: &Item, may_park: bool) -> Result<Handled, Failure> {
    let Shift { intake, fence, .. } = at;
    let mut backoff = Backoff::default();
    let mut tries: u32 = 0;
    loop {
        fence.check().map_err(|_| Failure::Lost)?;
        let handled = match &item.event {
            Ok(event) => once(at, item, event, may_park).await,
            Err(Failure::Poison { reason, error }) => Err(Failure::poison(reason, error.clone())),
            Err(other) => Err(Failure::Failed(other.to_string())),
        };
        let (reason, error) = match handled {
            Ok(handled) => return Ok(handled),
            Err(Failure::Lost) => return Err(Failure::Lost),
            Err(Failure::Away(error)) => {
                tracing::debug!(seq = item.record.seq, error, "an inbound event waits");
                tokio::time::sleep(backoff.next_wait()).await;
                continue;
            }
            Err(Failure::Failed(error)) => {
                tries += 1;
                if tries < intake.config.tries {
                    tracing::debug!(seq = item.record.seq, error, tries, "an inbound event failed");
                    tokio::time::sleep(backoff.next_wait()).await;
                    continue;
                }
                ("failed", error)
            }
            Err(Failure::Poison { reason, error }) => {
                tries += 1;
                (reason, error)
            }
        };
        fence.check().map_err(|_| Failure::Lost)?;
        let burial = Burial { stage: STAGE, reason, error: error.clone(), tries: tries.into() };
        match intake.dead.bury(&item.record, &burial, None).await {
            Ok(_) => return Err(Failure::Poison { reason, error }),
            Err(error) => {
                // Nothing is dropped: the lane waits until the dead letter is stored.
                tracing::error!(
                    seq = item.record.seq,
                    error = chain(&error),
                    "a dead letter cannot be stored"
                );
                tokio::time::sleep(backoff.next_wait()).await;
            }
        }
    }
}

async fn once(
    shift: Shift<'_>,
    item: &Item,
    event: &InboundEvent,
    may_park: bool,
) -> Result<Handled, Failure> {
    let at: subjects::Inbound = item
        .record
        .subject
        .parse()
        .map_err(|error: subjects::SubjectError| Failure::poison("subject", error.to_string()))?;
    if at.tenant != event.tenant || at.channel != event.channel {
        return Err(Failure::poison(
            "tenant_mismatch",
            "the event says another tenant or channel than its subject",
        ));
    }
    let Some(address) = &event.address else {
        return Err(Failure::poison("no_address", "the event has no address"));
    };
    if event.id.is_empty() {
        return Err(Failure::poison("no_id", "the event has no id"));
    }
    let Shift { intake, fence, log } = shift;
    handle::handle(Case { intake, event, address, stored_ms: item.record.time_ms, fence, log }, may_park)
        .await
}

/// Looks for a receipt's delivery again until its time is over.
async fn wait(at: Shift<'_>, item: Item) -> Ended {
    let mut ended = Ended { seq: item.record.seq, lane: String::new(), parked: None, lost: false };
    let deadline = Instant::now() + at.intake.config.receipt_patience;
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(1));
    let span = item.record.process_span();
    loop {
        tokio::time::sleep(backoff.next_wait()).await;
        let may_park = Instant::now() < deadline;
        match attempt(at, &item, may_park).instrument(span.clone()).await {
            Ok(Handled::Wait) => {}
            Err(Failure::Lost) => {
                ended.lost = true;
                return ended;
            }
            Ok(Handled::Done) | Err(_) => return ended,
        }
    }
}
