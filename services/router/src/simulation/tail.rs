//! Reading a stream in order, with everything that may come in between.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use heliograph_fabric::{BrokerError, Ground as _, LogError, Record, Start, Stream, Tail};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::ground::{Silence, SimGround};
use super::tally::Seen;

/// Messages in hand ahead of whoever reads.
const AHEAD: usize = 64;
/// How often is asked where nothing is told.
const EVERY: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct SimTail {
    records: mpsc::Receiver<Record>,
    /// How many messages waited at the beginning, until that was asked for.
    waiting: Option<u64>,
}

/// Pulls for a reader, as long as there is one.
struct Pump {
    ground: SimGround,
    stream: String,
    filters: Vec<String>,
    last: u64,
    behind: Option<Behind>,
    records: mpsc::Sender<Record>,
}

/// The reader was given a copy that has not got yet what the leader has.
#[derive(Clone, Copy)]
struct Behind {
    /// What it has.
    upto: u64,
    until: Instant,
}

impl SimTail {
    /// Opens the stream of this name; waits while the broker is away.
    pub(super) async fn open(
        ground: &SimGround,
        stream: &str,
        filters: Vec<String>,
        start: Start,
    ) -> Result<Self, LogError> {
        let (end, waiting, first, behind) = loop {
            let (name, wanted) = (stream.to_owned(), filters.clone());
            let lag = Behind::draw(ground, stream);
            let opened = ground.ask(None, move |broker, _| {
                let end = broker.end(&name);
                match start {
                    Start::After(seq) => {
                        let behind = lag.map(|(lag, until)| Behind { upto: end.saturating_sub(lag), until });
                        let upto = behind.map_or(u64::MAX, |behind| behind.upto);
                        (end, broker.count(&name, &wanted, (seq, upto)), Vec::new(), behind)
                    }
                    Start::New => (end, 0, Vec::new(), None),
                    Start::LastPerSubject => {
                        let newest = broker.newest(&name, &wanted);
                        (end, newest.len() as u64, newest, None)
                    }
                }
            });
            match opened.await {
                Ok(opened) => {
                    let router = Stream::Events.name() == stream && ground.node.owns_partitions;
                    if router && opened.1 > 0 {
                        ground.world.inner().broker.tally.note(Seen::LookedUp);
                    }
                    break opened;
                }
                Err(Silence::NotConnected) => {}
                Err(_) => sleep(Duration::from_millis(20 + ground.draw() % 200)).await,
            }
        };
        let last = if let Start::After(seq) = start { seq } else { end };
        if last > end {
            return Err(LogError::Regressed { stream: stream.to_owned(), asked: last, last: end });
        }
        let (sender, records) = mpsc::channel(AHEAD);
        let (ground, stream) = (ground.clone(), stream.to_owned());
        let task = ground.clone();
        let mut pump = Pump { ground, stream, filters, last, behind, records: sender };
        tokio::spawn(task.task(async move {
            if pump.hand_over(first.into()).await {
                pump.run().await;
            }
        }));
        Ok(Self { records, waiting: Some(waiting) })
    }
}

impl Behind {
    /// Now and then: by how many messages, and until when.
    fn draw(ground: &SimGround, stream: &str) -> Option<(u64, Instant)> {
        let mut inner = ground.world.inner();
        if stream != Stream::Routing.name() || !inner.network.once_in(6) {
            return None;
        }
        inner.broker.tally.note(Seen::CopyBehind);
        drop(inner);
        let until = Instant::now() + Duration::from_millis(100 + ground.draw() % 2_000);
        Some((1 + ground.draw() % 3, until))
    }
}

impl Pump {
    /// What is read has these messages.
    fn upto(&self) -> u64 {
        self.behind.filter(|behind| Instant::now() < behind.until).map_or(u64::MAX, |behind| behind.upto)
    }

    async fn run(mut self) {
        let changed = {
            let mut inner = self.ground.world.inner();
            Arc::clone(&inner.broker.shelf(&self.stream).changed)
        };
        while !self.records.is_closed() {
            let told = changed.notified();
            tokio::pin!(told);
            told.as_mut().enable();
            let (stream, filters, part) =
                (self.stream.clone(), self.filters.clone(), (self.last, self.upto()));
            let limit = 1 + usize::try_from(self.ground.draw() % 32).expect("few");
            let asked = self.ground.ask(None, move |broker, _| broker.read(&stream, &filters, part, limit));
            let batch = tokio::select! {
                biased;
                () = self.records.closed() => return,
                batch = asked => batch,
            };
            match batch {
                Ok(batch) if batch.is_empty() => {
                    tokio::select! {
                        biased;
                        () = self.records.closed() => return,
                        _ = timeout(EVERY, told) => {}
                    }
                }
                Ok(batch) => {
                    let batch = self.with_repeats(batch);
                    if !self.hand_over(batch).await {
                        return;
                    }
                }
                Err(_) if self.ground.world.inner().broker.flaws.falls_silent => {
                    self.records.closed().await;
                }
                Err(_) => sleep(Duration::from_millis(20 + self.ground.draw() % 200)).await,
            }
        }
    }

    /// Now and then a batch of the routing log begins with what was read before.
    fn with_repeats(&self, batch: Vec<Record>) -> VecDeque<Record> {
        let mut inner = self.ground.world.inner();
        let one_in = inner.repeats_one_in.filter(|_| self.stream == Stream::Routing.name());
        let repeats = one_in.is_some_and(|one_in| inner.network.once_in(one_in));
        let mut batch = VecDeque::from(batch);
        if repeats {
            let before =
                inner.broker.read(&self.stream, &self.filters, (self.last.saturating_sub(6), u64::MAX), 6);
            for record in before.into_iter().rev().filter(|record| record.seq <= self.last) {
                inner.broker.tally.note(Seen::ReadAgain);
                batch.push_front(record);
            }
        }
        batch
    }

    /// False when nobody reads any more.
    async fn hand_over(&mut self, batch: VecDeque<Record>) -> bool {
        for mut record in batch {
            self.last = self.last.max(record.seq);
            if self.stream == Stream::Routing.name() {
                let mut inner = self.ground.world.inner();
                let flaws = inner.broker.flaws;
                if flaws.skips_one_in.is_some_and(|one_in| inner.network.once_in(one_in)) {
                    continue;
                }
                drop(inner);
                if flaws.tells_own_time {
                    record.time_ms = self.ground.now_ms();
                }
            }
            if self.records.send(record).await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Tail for SimTail {
    async fn advance(&mut self, bounded: bool) -> Result<Option<Record>, LogError> {
        if self.waiting.take() == Some(0) && bounded {
            return Ok(None);
        }
        match self.records.recv().await {
            Some(record) => Ok(Some(record)),
            None => Err(BrokerError::new("go on", Silence::Lost).into()),
        }
    }

    fn opened_at_end(&self) -> bool {
        self.waiting == Some(0)
    }
}
