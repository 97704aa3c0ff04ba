//! The task behind a work reader: pulls, keeps items alive, holds back, gives out in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::Message;
use async_nats::jetstream::consumer::Info;
use futures::FutureExt;
use futures::future::BoxFuture;
use opentelemetry::KeyValue;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::consumer;
use super::hands::{ACK, Delivery, Hands, NAK, PROGRESS};
use super::item::WorkItem;
use super::{WorkError, WorkOptions};
use crate::backoff::Backoff;
use crate::connection::Link;
use crate::fabric::Fabric;
use crate::metrics;
use crate::pull::{Manner, Pull, Stop};
use crate::record::Record;
use crate::subjects::Stream;

/// How long to wait while a former owner's pull has not expired.
const BUSY: Duration = Duration::from_millis(100);
/// How often the broker is asked, while holding back, whether all redeliveries are in.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How often, within the time the broker waits for one, signs of life are given. Each item gives its own after two fifths
/// of that time, so that a thousand items that wait for a provider are not one burst on the connection that all share.
const PROGRESS_TICKS: u32 = 10;
/// How long nothing may be delivered before the broker is asked whether something is waiting.
const SUSPICIOUS_AFTER: Duration = Duration::from_secs(10);

pub(super) struct Pump {
    fabric: Fabric,
    stream: Arc<str>,
    consumer: String,
    filter: String,
    options: WorkOptions,
    hands: Arc<Hands>,
    items: mpsc::Sender<WorkItem>,
    stop: CancellationToken,
    /// In our hands and not given out yet.
    buffer: BTreeMap<u64, Record>,
    labels: [KeyValue; 2],
    lag: Option<Vec<KeyValue>>,
}

/// Whether newer items wait for redeliveries.
enum Phase {
    Holding { since: Instant },
    Flowing,
}

/// A question to the broker, and what was in our hands when it was asked.
type Question = BoxFuture<'static, (BTreeSet<u64>, Option<Info>)>;

impl Pump {
    pub(super) fn new(
        fabric: Fabric,
        consumer: String,
        filter: String,
        options: WorkOptions,
        hands: Arc<Hands>,
        items: mpsc::Sender<WorkItem>,
        stop: CancellationToken,
    ) -> Self {
        let stream: Arc<str> = Stream::Outbound.name().into();
        let labels = [metrics::stream(&stream), KeyValue::new("reader", "work")];
        let lag = metrics::lag(&stream, std::slice::from_ref(&filter));
        Self {
            fabric,
            stream,
            consumer,
            filter,
            options,
            hands,
            items,
            stop,
            buffer: BTreeMap::new(),
            labels,
            lag,
        }
    }

    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = self.stop.cancelled() => break,
            };
            let pull = match opened {
                Ok(pull) => pull,
                Err(error) => {
                    tracing::error!(consumer = self.consumer, %error, "work cannot be read, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(backoff.next_wait()) => continue,
                        () = self.stop.cancelled() => break,
                    }
                }
            };
            match self.flow(pull).await {
                None => return,
                Some(stop) => {
                    let reason = stop.label();
                    let labels = [self.labels[0].clone(), KeyValue::new("reason", reason)];
                    self.fabric.metrics().recreated.add(1, &labels);
                    match stop {
                        Stop::Disconnected => backoff = Backoff::default(),
                        Stop::Fenced => return,
                        Stop::Busy => tokio::time::sleep(BUSY).await,
                        Stop::Silent | Stop::Ended(_) => {
                            tracing::warn!(consumer = self.consumer, reason, "work reader is set up again");
                            tokio::time::sleep(backoff.next_wait()).await;
                        }
                    }
                }
            }
        }
        self.give_back(Vec::new()).await;
    }

    async fn open(&self) -> Result<Pull, WorkError> {
        self.fabric.wait_connected(None).await;
        let link: Link = *self.fabric.link().borrow();
        consumer::ensure(&self.fabric, &self.consumer, &self.filter, &self.options).await?;
        Ok(Pull::open(&self.fabric, link, &self.stream, &self.consumer, self.manner()).await?)
    }

    /// A pull of a former owner that hangs must be over before the partition is ours for good (see the consumer's
    /// `max_waiting`), so pulls are short.
    fn manner(&self) -> Manner {
        let (expires, heartbeat) = (Duration::from_secs(1), Duration::from_millis(300));
        Manner { batch: 256, expires, heartbeat, alone: true, fence: self.options.fence.clone() }
    }

    /// Works until the pull stops, whose reason is returned; none when the reader was closed.
    async fn flow(&mut self, mut pull: Pull) -> Option<Stop> {
        // Everything may be held when we begin: what was under way to a former owner, or on a lost connection.
        let mut phase = Phase::Holding { since: Instant::now() };
        let mut question: Question = self.ask();
        let mut progress = tokio::time::interval(self.options.ack_wait / PROGRESS_TICKS);
        progress.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let items = self.items.clone();
        let (mut heard, mut suspicious, mut counted) = (Instant::now(), false, false);
        loop {
            let holding = matches!(phase, Phase::Holding { .. });
            let give = !holding && !self.buffer.is_empty();
            // Keep pulling only while there is room; the broker itself stops at max_ack_pending.
            let room = self.buffer.len() < self.options.max_ack_pending;
            tokio::select! {
                biased;
                () = self.stop.cancelled() => {
                    let rest = pull.close().await;
                    self.give_back(rest).await;
                    return None;
                }
                _ = progress.tick() => {
                    if self.hands.fence.check().is_err() {
                        // Another owner works on these now; not a word more about them.
                        return None;
                    }
                    for reply in self.hands.waning(self.options.ack_wait * 2 / 5, Instant::now()) {
                        self.hands.say(reply, PROGRESS).await;
                    }
                    if heard.elapsed() >= SUSPICIOUS_AFTER && !holding {
                        heard = Instant::now();
                        question = self.ask();
                    }
                }
                (asked, info) = &mut question => {
                    question = futures::future::pending().boxed();
                    match phase {
                        Phase::Holding { since } => {
                            if self.complete(&asked, info.as_ref(), since) {
                                phase = Phase::Flowing;
                            } else {
                                if !std::mem::replace(&mut counted, true) {
                                    self.fabric.metrics().holds.add(1, &self.labels);
                                }
                                question = self.ask_later();
                            }
                        }
                        Phase::Flowing => {
                            let stuck = info.is_none_or(|info| {
                                info.num_pending > 0 && info.num_ack_pending < self.options.max_ack_pending
                            });
                            if stuck && suspicious {
                                return Some(Stop::Silent);
                            }
                            suspicious = stuck;
                        }
                    }
                }
                permit = items.reserve(), if give => {
                    let Ok(permit) = permit else {
                        // The reader was dropped; its guard ends us.
                        self.stop.cancelled().await;
                        continue;
                    };
                    let (_, record) = self.buffer.pop_first().expect("not empty");
                    self.fabric.metrics().read.add(1, &self.labels);
                    if let Some(labels) = &self.lag {
                        self.fabric.metrics().lag.record(record.pending, labels);
                    }
                    permit.send(WorkItem::new(record, self.hands.clone()));
                }
                message = pull.next(), if room => match message {
                    Ok(message) => {
                        (heard, suspicious) = (Instant::now(), false);
                        self.receive(message).await;
                    }
                    Err(stop) => {
                        // What had arrived need not be waited for.
                        for message in pull.arrived() {
                            self.receive(message).await;
                        }
                        return Some(stop);
                    }
                },
            }
        }
    }

    /// Takes a delivered message into our hands.
    async fn receive(&mut self, message: Message) {
        let Some(reply) = message.reply.as_ref().map(ToString::to_string) else { return };
        let Some((record, _)) = Record::delivered(&self.stream, message) else { return };
        match self.hands.take(record.seq, reply.clone(), Instant::now()) {
            Delivery::New => {
                self.buffer.insert(record.seq, record);
            }
            Delivery::InHand => {}
            Delivery::Settled => self.hands.say(reply, ACK).await,
        }
    }

    /// Whether nothing older can come any more: all that the broker counts as un-acknowledged is in our hands.
    ///
    /// Compared is what was in our hands before the question and still was unanswered after the answer: each of those was
    /// pending when the broker counted, so equal numbers mean equal sets.
    fn complete(&self, asked: &BTreeSet<u64>, info: Option<&Info>, since: Instant) -> bool {
        let overdue = since.elapsed() >= self.options.hold_limit;
        let Some(info) = info else { return false };
        let ours = self.hands.unanswered().intersection(asked).count();
        if ours >= info.num_ack_pending {
            tracing::debug!(consumer = self.consumer, held = ours, took = ?since.elapsed(), "partition flows");
            return true;
        }
        if overdue {
            tracing::warn!(
                consumer = self.consumer,
                ours,
                pending = info.num_ack_pending,
                "redeliveries did not come in time, going on"
            );
        }
        overdue
    }

    fn ask(&self) -> Question {
        let asked = self.hands.unanswered();
        let (fabric, stream, consumer) = (self.fabric.clone(), self.stream.clone(), self.consumer.clone());
        async move { (asked, info(&fabric, &stream, &consumer).await) }.boxed()
    }

    fn ask_later(&self) -> Question {
        let hands = self.hands.clone();
        let (fabric, stream, consumer) = (self.fabric.clone(), self.stream.clone(), self.consumer.clone());
        async move {
            tokio::time::sleep(ASK_EVERY).await;
            let asked = hands.unanswered();
            (asked, info(&fabric, &stream, &consumer).await)
        }
        .boxed()
    }

    /// Gives back what was not answered, so that the next owner does not have to wait for it.
    async fn give_back(&mut self, rest: Vec<Message>) {
        self.buffer.clear();
        if self.hands.fence.check().is_err() {
            return;
        }
        for message in rest {
            self.receive(message).await;
        }
        for reply in self.hands.give_all_back() {
            self.hands.say(reply, NAK).await;
        }
        // Said before the partition is released, or the next owner waits for them in vain.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.fabric.client().flush()).await;
    }
}

/// What the broker says about the consumer. None when it does not say.
async fn info(fabric: &Fabric, stream: &str, consumer: &str) -> Option<Info> {
    let found = fabric.raw_stream(stream).await.ok()?.consumer_info(consumer).await;
    found.ok()
}
