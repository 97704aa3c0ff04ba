//! What the public stream says of customers' messages.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::bail;
use heliograph_fabric::{LogReader, Stream, log::Start};
use heliograph_proto::v1::{Event, event::Payload};
use tokio::{sync::Notify, time::timeout};

use super::{Failover, centre::Written};
use crate::ground::{Ground, TENANT};

/// What follows so soon is not behind.
const LEVEL: Duration = Duration::from_millis(100);

/// Where a message stands on the stream, and when it was seen there.
type Seen = HashMap<u64, Vec<(u64, Instant)>>;

/// Follows the stream as long as the runtime lives. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Heard {
    seen: Arc<Mutex<Seen>>,
    more: Arc<Notify>,
}

impl Heard {
    pub(crate) async fn follow(ground: &Ground) -> anyhow::Result<Self> {
        let filter = format!("hg.event.{TENANT}.*.*.*.message.received");
        let mut reader = LogReader::open(&ground.fabric, Stream::Events, [filter], Start::New).await?;
        let heard = Self { seen: Arc::default(), more: Arc::default() };
        let told = heard.clone();
        tokio::spawn(async move {
            while let Ok(record) = reader.next().await {
                let event = record.envelope().ok().and_then(|envelope| envelope.decode::<Event>().ok());
                let Some(Payload::MessageReceived(received)) = event.and_then(|event| event.payload) else {
                    continue;
                };
                let number = received.message.and_then(|message| message.id.parse().ok());
                if let Some(number) = number {
                    told.seen().entry(number).or_default().push((record.seq, Instant::now()));
                    told.more.notify_waiters();
                }
            }
        });
        Ok(heard)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a message: when it was there, and where it stands.
    pub(crate) async fn first(&self, number: u64, patience: Duration) -> anyhow::Result<(Instant, u64)> {
        let wait = async {
            loop {
                let more = self.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some((sequence, at)) = self.seen().get(&number).and_then(|seen| seen.first()) {
                    return (*at, *sequence);
                }
                more.await;
            }
        };
        match timeout(patience, wait).await {
            Ok(found) => Ok(found),
            Err(_) => bail!("message {number} is not on the public stream after {patience:?}"),
        }
    }

    /// Holds what was written beside what was heard.
    pub(crate) fn compare(&self, written: &[Written], killed: Instant) -> Failover {
        let seen = self.seen();
        let mut written: Vec<&Written> = written.iter().collect();
        written.sort_unstable_by_key(|one| one.sequence);
        let mut before: HashMap<u64, u64> = HashMap::new();
        let (mut wrong, mut first, mut level) = (0, None::<Instant>, killed);
        for one in &written {
            let [(place, at)] = seen.get(&one.number).map_or(&[][..], |seen| &seen[..]) else {
                wrong += 1;
                continue;
            };
            wrong += u64::from(before.insert(one.customer, *place).is_some_and(|before| before > *place));
            // What was on its way from the dead owner to the broker does not count as decided again.
            if one.at > killed {
                first = Some(first.map_or(*at, |first| first.min(*at)));
                if at.duration_since(one.at) > LEVEL {
                    level = level.max(*at);
                }
            }
        }
        Failover {
            first: first.map_or(Duration::MAX, |first| first.saturating_duration_since(killed)),
            level: level.saturating_duration_since(killed),
            sent: written.len() as u64,
            wrong,
        }
    }
}
