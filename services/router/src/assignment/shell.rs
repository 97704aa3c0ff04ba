//! One routing partition: restore, catch up, then apply, publish and answer until told to stop.

mod late;
mod stored;

use std::time::Duration;

use futures::FutureExt as _;
use heliograph_fabric::{
    Cursor, CursorError, Ground, LogError, Owned, RangeReader, Record, Start, Stream, Tail as _, places,
    subjects,
};
use heliograph_proto::{
    Message as _,
    v1::{RoutingEntry, routing_entry::Kind},
};
use heliograph_store::snapshots::Slots;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior},
};
use tracing::Instrument as _;

use late::LateCopy;

use super::{
    Assignment,
    announce::Announcements,
    append::Appender,
    convert,
    emit::Item,
    outflow::{Ends, Outflow},
    packed,
    query::{self, Question},
    restore::{self, Restored},
    snapshot::{self, Snapshots},
    state::{Effects, State},
    truncate::{TRUNCATED_GROUP, Truncation},
};
use crate::{
    ROUTING_GROUP,
    error::{PartitionError, chain},
    naming::{query_subject, routing_partition},
};

/// The cursors that say behind which sequence of HG_EVENTS and of HG_OUTBOUND stands what entries after the emit cursor
/// led to.
const EVENTS_GROUP: &str = "router.routing.events";
const OUTBOUND_GROUP: &str = "router.routing.outbound";
/// How long a cursor may take to be stored before work goes on without.
const CURSOR_PATIENCE: Duration = Duration::from_secs(1);
/// How often these are stored: what stands behind them is read at a takeover.
const FLOORS_EVERY: Duration = Duration::from_secs(1);
/// How often a partition looks where the streams end, so that its cursors do not stay behind what others store there.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long what is under way may take to be stored when the partition is handed over.
const FINISH: Duration = Duration::from_secs(5);

/// A partition at work.
struct Shell<'a, G, S> {
    assignment: &'a Assignment<G, S>,
    owned: &'a Owned,
    state: State,
    /// Everything up to here was emitted and stored.
    emitted: Cursor<G>,
    events: Cursor<G>,
    outbound: Cursor<G>,
    floors_at: Instant,
    looked_at: Instant,
    outflow: Outflow<G>,
    appender: Appender<G>,
    snapshots: Snapshots<G, S>,
    truncation: Truncation<G>,
    announcements: Announcements<G>,
    /// What the former owner left is not caught up with yet.
    restoring: bool,
    /// What the former owner passed on is known.
    knows_passed_on: bool,
}

/// Works on `owned` until told to stop.
pub(super) async fn partition<G: Ground, S: Slots>(
    assignment: &Assignment<G, S>,
    owned: &Owned,
) -> Result<(), PartitionError> {
    let begun = Instant::now();
    let Some((mut shell, reached)) = Shell::restore(assignment, owned).await? else { return Ok(()) };
    assignment.metrics.restored(begun.elapsed().as_secs_f64());
    let millis = begun.elapsed().as_millis() as u64;
    tracing::info!(
        partition = owned.partition,
        applied = shell.state.machine.applied(),
        millis,
        "partition restored"
    );
    let ended = shell.follow(reached).await;
    match ended {
        Ok(()) => shell.hand_over().await,
        Err(error) => Err(error),
    }
}

/// An entry of the log, as it was found there.
#[derive(Debug)]
pub(crate) struct Logged {
    pub(crate) entry: RoutingEntry,
    /// How often its tenant had moved, as far as the writer knew.
    pub(crate) generation: u32,
    /// Whether its tenant's first home is this partition.
    pub(crate) home: bool,
}

/// The routing entry of a record, if it may stand where it stands.
pub(crate) fn decode(
    record: &Record,
    partition: u16,
    partitions: u16,
) -> Result<Logged, (&'static str, String)> {
    let at: subjects::Routing =
        record.subject.parse().map_err(|error: subjects::SubjectError| ("subject", error.to_string()))?;
    let mut entry = record
        .envelope()
        .and_then(|envelope| envelope.decode::<RoutingEntry>())
        .map_err(|error| ("malformed", chain(&error)))?;
    packed::unpack(&mut entry).map_err(|error| ("malformed", error.to_string()))?;
    match &entry.kind {
        Some(Kind::Timer(_)) => return Ok(Logged { entry, generation: 0, home: false }),
        Some(Kind::Move(asked)) if asked.to >= partitions.into() => {
            return Err(("unfit", format!("there is no partition {} to move to", asked.to)));
        }
        _ => {}
    }
    if entry.tenant != at.tenant {
        return Err(("tenant_mismatch", "the entry says another tenant than its subject".to_owned()));
    }
    let home = routing_partition(&entry.tenant, partitions) == partition;
    Ok(Logged { entry, generation: places::generation_of(record), home })
}

impl<'a, G: Ground, S: Slots> Shell<'a, G, S> {
    /// Restores the state, and catches up with the log as it is now, emitting what the former owner did not.
    /// None when told to stop meanwhile. Also says up to where it was read.
    async fn restore(
        assignment: &'a Assignment<G, S>,
        owned: &'a Owned,
    ) -> Result<Option<(Self, u64)>, PartitionError> {
        let (ground, partition) = (&assignment.ground, owned.partition);
        let mut emitted = Cursor::claim(ground, ROUTING_GROUP, partition, owned.epoch).await?;
        let events = Cursor::claim(ground, EVENTS_GROUP, partition, owned.epoch).await?;
        let mut outbound = Cursor::claim(ground, OUTBOUND_GROUP, partition, owned.epoch).await?;
        if outbound.is_first() && !events.is_first() {
            // The release before kept none: what it stored does not say where it was decided, so there is nothing to find.
            store(&mut outbound, ground.end_of(Stream::Outbound).await?).await?;
        }
        let truncated = Cursor::claim(ground, TRUNCATED_GROUP, partition, owned.epoch).await?;
        let Restored { state, bytes, reading, decoding } =
            restore::latest(ground, &assignment.snapshots, partition).await?;
        let (reading, decoding) = (reading.as_millis() as u64, decoding.as_millis() as u64);
        let position = state.machine.applied();
        tracing::info!(partition, position, bytes, reading, decoding, "snapshot restored, times in ms");
        let (restored, erased) = (state.machine.applied(), truncated.seq());
        if restored < erased {
            return Err(PartitionError::Truncated { restored, erased });
        }
        if restored > emitted.seq() {
            emitted.store(restored, CURSOR_PATIENCE).await?;
        }
        let filter = subjects::routing_partition(partition);
        let mut range = RangeReader::open(ground, Stream::Routing, [filter.clone()], restored).await?;
        let head = range.head();
        let last = ground.last_of(Stream::Routing, &filter).await?;
        if head < restored.max(emitted.seq()) {
            let asked = restored.max(emitted.seq());
            return Err(
                LogError::Regressed { stream: Stream::Routing.name().to_owned(), asked, last: head }.into()
            );
        }
        let capacity = assignment.config.in_flight;
        let outflow =
            Outflow::new(ground, &assignment.dead, assignment.layout, &owned.fence, capacity, emitted.seq());
        let mut shell = Self {
            assignment,
            owned,
            state,
            emitted,
            events,
            outbound,
            floors_at: Instant::now(),
            looked_at: Instant::now(),
            outflow,
            appender: Appender::new(ground, &owned.fence, partition, assignment.layout),
            snapshots: Snapshots::new(assignment, partition, restored),
            truncation: Truncation::new(
                ground,
                owned,
                &assignment.metrics,
                assignment.config.log_margin,
                truncated,
            ),
            announcements: Announcements::new(ground, &owned.fence, partition, assignment.layout.routing),
            restoring: true,
            knows_passed_on: false,
        };
        let mut looked = false;
        let mut copy = LateCopy::default();
        loop {
            let record = tokio::select! {
                biased;
                () = owned.cancel.cancelled() => return Ok(None),
                record = range.next() => record?,
            };
            let Some(record) = record else {
                let reached = range.reached();
                if reached >= last {
                    break;
                }
                // One of the broker's copies was read, which has not got yet what the leader has. What is missing was
                // emitted in part by the former owner, perhaps, so it belongs to what is restored.
                if !copy.read_on(ground, Stream::Routing, &filter, &mut range).await? {
                    let stream = Stream::Routing.name().to_owned();
                    return Err(LogError::Regressed { stream, asked: last, last: reached }.into());
                }
                continue;
            };
            if !looked && record.seq > shell.emitted.seq() {
                looked = true;
                shell.find_stored().await?;
            }
            shell.apply(&record).await?;
        }
        shell.outflow.caught_up();
        shell.restoring = false;
        if !looked {
            shell.look().await;
        }
        Ok(Some((shell, range.reached())))
    }

    /// Follows the log behind `reached` until told to stop.
    async fn follow(&mut self, reached: u64) -> Result<(), PartitionError> {
        let Assignment { ground, config, .. } = self.assignment;
        let partition = self.owned.partition;
        let filter = subjects::routing_partition(partition);
        let mut reader = ground.tail(Stream::Routing.name(), vec![filter], Start::After(reached)).await?;
        let asked = ground.listen(query_subject(partition)).await?;
        let (sender, mut questions) = mpsc::channel(64);
        let taking = tokio::spawn(ground.task(query::take(ground.clone(), asked, sender)));
        let _taking = AbortOnDrop(taking);
        let mut book = self.assignment.book.clone();
        self.configure().await;
        let mut tick = tokio::time::interval(config.cursor_every.max(Duration::from_millis(10)));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.appender.wait(self.state.machine.next_due(), self.assignment.ground.now_ms());
            tokio::select! {
                biased;
                () = self.owned.cancel.cancelled() => return Ok(()),
                settled = self.outflow.settle(), if !self.outflow.is_empty() => settled?,
                _ = tick.tick() => {
                    self.checkpoint().await?;
                    if self.appender.has_to_configure() {
                        self.configure().await;
                    }
                }
                Some(question) = questions.recv() => self.answer(&question).await,
                changed = book.changed() => {
                    if changed.is_ok() {
                        self.configure().await;
                    }
                }
                () = tokio::time::sleep(due) => {
                    let due = self.state.machine.next_due();
                    self.appender.timer(due, self.assignment.ground.now_ms()).await;
                }
                record = reader.next() => self.apply(&record?).await?,
            }
        }
    }

    /// Applies one record of the log and hands over what follows from it.
    async fn apply(&mut self, record: &Record) -> Result<(), PartitionError> {
        let span = record.process_span();
        self.apply_in_span(record).instrument(span).await
    }

    async fn apply_in_span(&mut self, record: &Record) -> Result<(), PartitionError> {
        let again = record.seq <= self.emitted.seq();
        let decoded = decode(record, self.owned.partition, self.assignment.layout.routing);
        let applied = match decoded {
            Ok(logged) => self.take(logged, record.seq, record.time_ms).await,
            Err(unfit) => Err(unfit),
        };
        self.snapshots.applied();
        let (entry, effects) = match applied {
            Ok(applied) => applied,
            Err((reason, error)) => {
                if !again {
                    self.outflow.bury(record, reason, error).await?;
                }
                self.outflow.skip(record.seq);
                return Ok(());
            }
        };
        self.assignment
            .metrics
            .entry(convert::kind_name(&entry), self.assignment.ground.now_ms() - record.time_ms);
        let Effects { emissions, open, configured, behind_all, arrived } = effects;
        if again {
            self.outflow.skip(record.seq);
            return Ok(());
        }
        if behind_all && !self.stand_behind_all().await? {
            return Ok(());
        }
        if self.restoring && emissions.iter().any(|emission| matches!(emission.item, Item::Onward(_))) {
            self.find_passed_on().await?;
        }
        for change in open {
            // Expendable: a full queue means that Redis cannot follow.
            let _ = self.assignment.open.try_send(change);
        }
        tokio::select! {
            biased;
            () = self.owned.cancel.cancelled() => return Ok(()),
            emitted = self.outflow.emit(record, emissions, &self.assignment.metrics) => emitted?,
        }
        if let Some(tenant) = &configured {
            self.appender.applied(tenant);
        }
        if configured.is_some() || arrived {
            self.configure().await;
        }
        Ok(())
    }

    /// Lets the state take in an entry.
    async fn take(
        &mut self,
        logged: Logged,
        sequence: u64,
        at_ms: i64,
    ) -> Result<(RoutingEntry, Effects), (&'static str, String)> {
        // Every agent and all that waits is looked at again.
        let takes_long = matches!(logged.entry.kind, Some(Kind::Configuration(_)));
        let work = move |state: &mut State| {
            let effects = state.take(&logged, sequence, at_ms);
            effects
                .map(|effects| (logged.entry, effects))
                .map_err(|error| (error.reason(), error.to_string()))
        };
        if takes_long { self.aside(work).await } else { work(&mut self.state) }
    }

    /// Waits until everything that was decided so far is stored: whoever has the tenant next decides and publishes at
    /// once. False when told to stop meanwhile.
    async fn stand_behind_all(&mut self) -> Result<bool, PartitionError> {
        while !self.outflow.is_empty() {
            tokio::select! {
                biased;
                () = self.owned.cancel.cancelled() => return Ok(false),
                settled = self.outflow.settle() => settled?,
            }
        }
        Ok(true)
    }

    async fn configure(&mut self) {
        let book = self.assignment.book.borrow().clone();
        self.appender.configure(&book, &self.state, self.assignment.ground.now_ms()).await;
    }

    async fn answer(&mut self, question: &Question) {
        let partitions = self.assignment.layout.routing;
        let (answer, kind) =
            query::answer(&self.state, question, partitions, self.assignment.ground.now_ms());
        self.assignment.metrics.query(kind);
        if self.owned.fence.check().is_ok() {
            let (to, answer) = (question.reply.clone(), answer.encode_to_vec().into());
            if let Err(error) = self.assignment.ground.answer(to, answer).await {
                tracing::debug!(%error, "a question was not answered");
            }
        }
    }

    /// Stores how far everything was emitted, and a snapshot when one is due.
    async fn checkpoint(&mut self) -> Result<(), PartitionError> {
        if self.owned.fence.check().is_err() {
            return Ok(());
        }
        self.assignment.metrics.open(self.owned.partition, self.state.annex.len());
        let stored = store(&mut self.emitted, self.outflow.through()).await?;
        if stored && self.floors_at.elapsed() >= FLOORS_EVERY {
            self.floors_at = Instant::now();
            if self.looked_at.elapsed() >= LOOK_EVERY {
                self.look().await;
            }
            self.store_floors().await?;
        }
        self.announcements.step(&self.state.residence).await;
        if self.snapshots.is_due(&self.state).await {
            self.take_snapshot().await;
        }
        self.snapshots.store(self.emitted.seq());
        if let Some(oldest) = self.snapshots.oldest() {
            self.truncation.behind(oldest).await;
        }
        Ok(())
    }

    /// Only once the emit cursor is stored: what comes again behind an older one would stand before these.
    async fn store_floors(&mut self) -> Result<(), PartitionError> {
        let floor = self.outflow.floor();
        store(&mut self.events, floor.events).await?;
        store(&mut self.outbound, floor.outbound).await?;
        Ok(())
    }

    /// Looks where the streams end: what will be emitted stands behind that.
    async fn look(&mut self) {
        self.looked_at = Instant::now();
        let ground = &self.assignment.ground;
        let looking = async { tokio::join!(ground.end_of(Stream::Events), ground.end_of(Stream::Outbound)) };
        // Without an answer the cursors stay behind, which costs the next owner time and nothing else.
        if let Ok((Ok(events), Ok(outbound))) = tokio::time::timeout(CURSOR_PATIENCE, looking).await {
            self.outflow.end_at(Ends { events, outbound });
        }
    }

    /// Lets what is under way be stored, then leaves a snapshot for the next owner.
    async fn hand_over(mut self) -> Result<(), PartitionError> {
        if self.owned.fence.check().is_err() {
            return Ok(());
        }
        let settled = async {
            while !self.outflow.is_empty() {
                self.outflow.settle().await?;
            }
            Ok::<(), PartitionError>(())
        };
        // What is not stored in time is emitted by the next owner.
        if let Ok(settled) = tokio::time::timeout(FINISH, settled).await {
            settled?;
        }
        if store(&mut self.emitted, self.outflow.through()).await? {
            self.store_floors().await?;
        }
        self.snapshots.finish().await;
        if self.snapshots.is_behind() && self.state.machine.applied() <= self.emitted.seq() {
            self.take_snapshot().await;
            self.snapshots.store(self.emitted.seq());
            self.snapshots.finish().await;
        }
        Ok(())
    }

    async fn take_snapshot(&mut self) {
        let bytes = self.aside(|state| snapshot::encode(state)).await;
        self.snapshots.take(self.state.machine.applied(), bytes);
    }

    /// Does what takes long with a large state where it holds up nobody but this partition.
    async fn aside<T: Send + 'static>(&mut self, work: impl FnOnce(&mut State) -> T + Send + 'static) -> T {
        let mut state = std::mem::replace(&mut self.state, State::new(self.owned.partition));
        let working = self.assignment.ground.aside(move || {
            let done = work(&mut state);
            (state, done)
        });
        // Its type names this shell's borrows; boxed, it is plainly one that may go to another thread.
        let (state, done) = working.boxed().await;
        self.state = state;
        done
    }
}

/// Whether it is stored; a broker that is away is tried again later.
async fn store<G: Ground>(cursor: &mut Cursor<G>, sequence: u64) -> Result<bool, PartitionError> {
    match cursor.store(sequence, CURSOR_PATIENCE).await {
        Ok(()) => Ok(true),
        Err(CursorError::Away { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
