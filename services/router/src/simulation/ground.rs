//! What a machine of this world stands on.

use std::sync::{Arc, atomic::Ordering};
use std::time::Duration;

use heliograph_fabric::{
    Broker as Asked, BrokerError, Bytes, Ground, LogError, PublishError, Published, Start, Stream, Versioned,
    async_nats::{HeaderMap, Subject},
    metrics::Metrics,
    publish::Attempt,
    subjects::Bucket,
};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until};

use super::broker::Broker;
use super::link::Passage;
use super::node::{Counted, Node, Task};
use super::questions::{self, Questions};
use super::tail::SimTail;
use super::tally::Seen;
use super::world::World;

/// How long a request is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// Whoever is under way for so long is late.
const LONG: Duration = Duration::from_secs(1);

/// The world as one machine sees it. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SimGround {
    pub(super) world: Arc<World>,
    pub(super) node: Arc<Node>,
    metrics: Arc<Metrics>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Silence {
    #[error("not connected")]
    NotConnected,
    #[error("connection lost")]
    Lost,
    #[error("timed out")]
    TimedOut,
}

impl SimGround {
    pub(super) fn new(world: &Arc<World>, node: &Arc<Node>) -> Self {
        Self { world: Arc::clone(world), node: Arc::clone(node), metrics: Arc::new(Metrics::new()) }
    }

    /// Sends a question to the broker, which it may or may not get, and waits for its answer, which may or may not come.
    pub(super) async fn ask<R, F>(&self, deadline: Option<Instant>, question: F) -> Result<R, Silence>
    where
        R: Send + 'static,
        F: FnOnce(&mut Broker, i64) -> R + Send + 'static,
    {
        let link = &self.node.link;
        tokio::select! {
            biased;
            () = link.wait_connected() => {}
            () = until(deadline) => return Err(Silence::NotConnected),
        }
        let lost = link.lost.notified();
        tokio::pin!(lost);
        lost.as_mut().enable();
        let (generation, due) = link.depart(&mut self.world.inner().network);
        let patience = Instant::now() + PATIENCE;
        let patience = deadline.map_or(patience, |deadline| patience.min(deadline));
        let (tell, told) = oneshot::channel();
        let (world, node) = (Arc::clone(&self.world), Arc::clone(&self.node));
        // Not a task of the machine's: what has left it is under way whatever becomes of it.
        tokio::spawn(async move {
            if let Some(answer) = carry(&world, &node, generation, due, question).await {
                let _ = tell.send(answer);
            }
        });
        let answer = async {
            match told.await {
                Ok(answer) => answer,
                // That it was lost on its way shows by nothing.
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            answer = answer => Ok(answer),
            () = lost => Err(Silence::Lost),
            () = sleep_until(patience) => Err(Silence::TimedOut),
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Carries a question to the broker and the answer back; none if either is lost.
async fn carry<R>(
    world: &World,
    node: &Node,
    generation: u64,
    due: Instant,
    question: impl FnOnce(&mut Broker, i64) -> R,
) -> Option<R> {
    let (mut late, left) = (false, Instant::now());
    sleep_until(due).await;
    loop {
        match node.link.arrive(generation, due, &mut late) {
            Passage::Now => break,
            Passage::Later(at) => sleep_until(at).await,
            Passage::Never => return None,
        }
    }
    world.look_at_owners();
    let (now_ms, millis) = (world.now_ms(), world.millis());
    let (answer, back) = {
        let mut inner = world.inner();
        if inner.away {
            return None;
        }
        if left.elapsed() >= LONG {
            inner.broker.tally.note(Seen::Delayed);
        }
        if node.is_dead() {
            inner.broker.tally.note(Seen::Posthumous);
        }
        let answer = question(&mut inner.broker, now_ms);
        for note in std::mem::take(&mut inner.broker.notes) {
            inner.trace.note(millis, &node.name, format_args!("{note}"));
        }
        let unheard = inner.unheard;
        if inner.network.percent(unheard) {
            inner.broker.tally.note(Seen::Unheard);
            return None;
        }
        (answer, node.link.answer(generation, &mut inner.network)?)
    };
    sleep_until(back).await;
    loop {
        match node.link.hears(generation) {
            Passage::Now => return Some(answer),
            Passage::Later(at) => sleep_until(at).await,
            Passage::Never => return None,
        }
    }
}

impl Asked for SimGround {
    type Tail = SimTail;
    type Questions = Questions;

    async fn try_publish(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        deadline: Option<Instant>,
    ) -> Result<Published, Attempt> {
        let (to, headers, payload) = (subject.to_owned(), headers.clone(), payload.clone());
        let refused = {
            let mut inner = self.world.inner();
            let refused = inner.refused;
            inner.network.percent(refused)
        };
        let node = Arc::clone(&self.node);
        let _counted = Counted::of(&self.node, subject);
        let asked = self.ask(deadline, move |broker, now_ms| {
            broker.arrived(&headers, &node);
            if refused {
                broker.tally.note(Seen::Refused);
                let description = "full for now".to_owned();
                return Err(Attempt::Again(PublishError::Full { subject: to, description }));
            }
            broker.publish(&to, &headers, &payload, now_ms)
        });
        match asked.await {
            Ok(answer) => answer,
            Err(Silence::TimedOut) => Err(Attempt::Unheard("timed out".to_owned())),
            Err(silence) => {
                let last = silence.to_string();
                Err(Attempt::Again(PublishError::Away { subject: subject.to_owned(), last }))
            }
        }
    }

    async fn has_no_stream(&self, _subject: &str) -> bool {
        false
    }

    async fn read_key(&self, bucket: Bucket, key: &str) -> Result<Versioned, BrokerError> {
        let asked = key.to_owned();
        let read = self.ask(None, move |broker, _| broker.key(bucket, &asked)).await;
        read.map_err(|silence| BrokerError::new(format!("read key {key}"), silence))
    }

    async fn end_of(&self, stream: Stream) -> Result<u64, BrokerError> {
        let end = self.ask(None, move |broker, _| broker.end(stream.name())).await;
        end.map_err(|silence| BrokerError::new(format!("tell about {}", stream.name()), silence))
    }

    async fn last_of(&self, stream: Stream, subject: &str) -> Result<u64, BrokerError> {
        let asked = subject.to_owned();
        let last = self.ask(None, move |broker, _| broker.last_of(stream.name(), &asked)).await;
        last.map_err(|silence| BrokerError::new(format!("tell about {subject}"), silence))
    }

    async fn truncate(&self, stream: Stream, filter: &str, before: u64) -> Result<u64, BrokerError> {
        let asked = filter.to_owned();
        let done = self.ask(None, move |broker, _| broker.truncate(stream.name(), &asked, before)).await;
        done.map_err(|silence| BrokerError::new(format!("truncate {filter}"), silence))
    }

    async fn tail(&self, stream: &str, filters: Vec<String>, start: Start) -> Result<SimTail, LogError> {
        SimTail::open(self, stream, filters, start).await
    }

    async fn listen(&self, subject: String) -> Result<Questions, BrokerError> {
        Ok(Questions::at(self, subject))
    }

    async fn answer(&self, to: Subject, payload: Bytes) -> Result<(), BrokerError> {
        questions::answer(self, &to, payload);
        Ok(())
    }

    fn largest_message(&self) -> usize {
        0
    }

    fn request_timeout(&self) -> Duration {
        PATIENCE
    }
}

impl Ground for SimGround {
    fn now_ms(&self) -> i64 {
        self.world.now_ms() + self.node.ahead_ms.load(Ordering::Relaxed)
    }

    fn draw(&self) -> u64 {
        self.node.draw()
    }

    fn task<F>(&self, work: F) -> impl Future<Output = F::Output> + Send + 'static + use<F>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        Task::of(&self.node, work)
    }

    fn aside<T, W>(&self, work: W) -> impl Future<Output = T> + Send + 'static + use<T, W>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let takes = Duration::from_millis(self.draw() % 50);
        async move {
            sleep(takes).await;
            work()
        }
    }

    fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }
}
