//! What became of every reply: when it was given, when the provider had it, what the public stream says of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::bail;
use heliograph_domain::content;
use heliograph_fabric::{LogReader, Stream, log::Start};
use heliograph_proto::v1::{Event, event::Payload};
use heliograph_testkit::sandbox::{Sandbox, Sent};
use tokio::time::sleep;

use crate::{
    ground::{Ground, TENANT},
    stats::percentile,
};

/// How often is looked whether something has ended.
const LOOK: Duration = Duration::from_millis(100);

/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    replies: Vec<Reply>,
    /// Which reply a message is.
    messages: HashMap<String, usize>,
    /// The newest reply that each customer of each account has read.
    newest: HashMap<(String, String), usize>,
    disordered: HashMap<usize, u64>,
    deferred: u64,
}

/// One reply.
struct Reply {
    channel: usize,
    phase: usize,
    given: Instant,
    /// When the provider first took it.
    arrived: Option<Instant>,
    /// How often the provider took it.
    times: u32,
    /// It stands in the transcript.
    accepted: bool,
    end: Option<End>,
}

impl Reply {
    /// Microseconds from the agent to the provider; none as long as it is not there.
    fn latency(&self) -> Option<u32> {
        let taken = self.arrived?.saturating_duration_since(self.given);
        Some(u32::try_from(taken.as_micros()).unwrap_or(u32::MAX))
    }
}

/// What the public stream says of a reply at last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Sent,
    InDoubt,
    Failed,
}

/// What became of a channel's replies.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Account {
    /// Given by agents, and in the transcript.
    pub(super) accepted: u64,
    /// The provider took them once.
    pub(super) delivered: u64,
    /// The provider took them more than once.
    pub(super) twice: u64,
    /// Said to be in doubt.
    pub(super) doubted: u64,
    /// … of which the provider had taken these.
    pub(super) doubted_and_delivered: u64,
    /// Given up, and said so.
    pub(super) failed: u64,
    /// Neither with the provider nor reported; or never accepted.
    pub(super) lost: u64,
    /// Read by a customer after a later one.
    pub(super) disordered: u64,
}

impl Ledger {
    /// Listens to the sandbox and to the public stream, as long as the runtime lives.
    pub(super) async fn open(ground: &Ground, sandbox: &Sandbox) -> anyhow::Result<Self> {
        let ledger = Self::default();
        let its = ledger.clone();
        sandbox.listen(move |sent| its.arrived(sent));
        let filter = format!("hg.event.{TENANT}.*.*.*.message.*");
        let mut reader = LogReader::open(&ground.fabric, Stream::Events, [filter], Start::New).await?;
        let told = ledger.clone();
        tokio::spawn(async move {
            while let Ok(record) = reader.next().await {
                let event = record.envelope().ok().and_then(|envelope| envelope.decode::<Event>().ok());
                if let Some(event) = event {
                    told.told(&event);
                }
            }
        });
        Ok(ledger)
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An agent answers now; the reply's number.
    pub(super) fn give(&self, channel: usize, phase: usize) -> u64 {
        let mut pages = self.pages();
        pages.replies.push(Reply {
            channel,
            phase,
            given: Instant::now(),
            arrived: None,
            times: 0,
            accepted: false,
            end: None,
        });
        pages.replies.len() as u64 - 1
    }

    /// A provider takes a reply.
    fn arrived(&self, sent: &Sent) {
        let now = Instant::now();
        let Some(n) = number(&sent.text) else { return };
        let mut guard = self.pages();
        let pages = &mut *guard;
        let Some(reply) = pages.replies.get_mut(n) else { return };
        reply.times += 1;
        if reply.arrived.replace(reply.arrived.unwrap_or(now)).is_some() {
            return;
        }
        let channel = reply.channel;
        let newest = pages.newest.entry((sent.account.clone(), sent.user_id.clone())).or_default();
        if n < *newest {
            *pages.disordered.entry(channel).or_default() += 1;
        } else {
            *newest = n;
        }
    }

    /// The public stream says something of a message.
    fn told(&self, event: &Event) {
        let mut pages = self.pages();
        let (message, end) = match &event.payload {
            Some(Payload::MessageAccepted(it)) => {
                let Some(message) = &it.message else { return };
                let Some(n) = message.content.as_ref().map(content::preview).as_deref().and_then(number)
                else {
                    return;
                };
                pages.messages.insert(message.id.clone(), n);
                if let Some(reply) = pages.replies.get_mut(n) {
                    reply.accepted = true;
                }
                return;
            }
            Some(Payload::MessageDeferred(_)) => {
                pages.deferred += 1;
                return;
            }
            Some(Payload::MessageSent(it)) => (&it.message_id, End::Sent),
            Some(Payload::MessageInDoubt(it)) => (&it.message_id, End::InDoubt),
            Some(Payload::MessageFailed(it)) => (&it.message_id, End::Failed),
            Some(Payload::MessageRefused(it)) => (&it.message_id, End::Failed),
            _ => return,
        };
        let Some(n) = pages.messages.get(message).copied() else { return };
        if let Some(reply) = pages.replies.get_mut(n) {
            reply.end = Some(end);
        }
    }

    /// How many of a channel's replies, given in a phase before `phase`, have not come to an end.
    pub(super) fn open_of(&self, channel: usize, phase: usize) -> usize {
        let pages = self.pages();
        let open = |reply: &&Reply| reply.channel == channel && reply.phase < phase && reply.end.is_none();
        pages.replies.iter().filter(open).count()
    }

    /// Waits until none is open; how long that took. The patience is for one step forward.
    pub(super) async fn settled(
        &self,
        channels: &[usize],
        phase: usize,
        patience: Duration,
    ) -> anyhow::Result<Duration> {
        let (begun, mut moved, mut least) = (Instant::now(), Instant::now(), usize::MAX);
        loop {
            let open = channels.iter().map(|channel| self.open_of(*channel, phase)).sum();
            if open == 0 {
                return Ok(begun.elapsed());
            }
            if open < least {
                (moved, least) = (Instant::now(), open);
            }
            if moved.elapsed() > patience {
                bail!("{open} replies have come to no end, and none did for {} s", patience.as_secs());
            }
            sleep(LOOK).await;
        }
    }

    /// Microseconds from giving each reply to its arrival, of some channels in some phases.
    pub(super) fn latencies(&self, channels: &[usize], phases: &[usize]) -> Vec<u32> {
        let pages = self.pages();
        let wanted = |reply: &&Reply| channels.contains(&reply.channel) && phases.contains(&reply.phase);
        pages.replies.iter().filter(wanted).filter_map(Reply::latency).collect()
    }

    /// Milliseconds below which 99 of 100 stayed, window by window of each phase; a rest that is shorter is left out.
    pub(super) fn windows(&self, channels: &[usize], phases: &[usize], window: Duration) -> Vec<f64> {
        let pages = self.pages();
        let mut found = Vec::new();
        for phase in phases {
            let of_it = |reply: &&Reply| channels.contains(&reply.channel) && reply.phase == *phase;
            let replies: Vec<_> = pages.replies.iter().filter(of_it).collect();
            let (Some(first), Some(last)) = (replies.first(), replies.last()) else { continue };
            // The last reply is given a moment before the phase is over.
            let whole = ((last.given - first.given).as_secs_f64() / window.as_secs_f64()).round() as u32;
            for n in 0..whole {
                let (from, to) = (first.given + window * n, first.given + window * (n + 1));
                let within = replies.iter().filter(|reply| reply.given >= from && reply.given < to);
                let mut latencies: Vec<_> = within.filter_map(|reply| reply.latency()).collect();
                found.push(percentile(&mut latencies, 0.99) / 1000.0);
            }
        }
        found
    }

    /// How often the public stream said that a message waits.
    pub(super) fn deferred(&self) -> u64 {
        self.pages().deferred
    }

    /// What became of everything on a channel.
    pub(super) fn account(&self, channel: usize) -> Account {
        let pages = self.pages();
        let disordered = pages.disordered.get(&channel).copied().unwrap_or_default();
        let mut account = Account { disordered, ..Account::default() };
        for reply in pages.replies.iter().filter(|reply| reply.channel == channel) {
            account.accepted += u64::from(reply.accepted);
            account.delivered += u64::from(reply.times == 1);
            account.twice += u64::from(reply.times > 1);
            account.doubted += u64::from(reply.end == Some(End::InDoubt));
            account.doubted_and_delivered += u64::from(reply.end == Some(End::InDoubt) && reply.times > 0);
            account.failed += u64::from(reply.end == Some(End::Failed));
            let reported = matches!(reply.end, Some(End::InDoubt | End::Failed));
            account.lost += u64::from(reply.times == 0 && !reported);
        }
        account
    }
}

/// The number that a reply's text begins with.
fn number(text: &str) -> Option<usize> {
    text.split(' ').next()?.parse().ok()
}
