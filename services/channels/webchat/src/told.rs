//! What visitors are told while they wait: from the public stream into their logs.
//!
//! One replica at a time reads the stream. An entry is recognised by what it tells, so what is read again after a crash is
//! stored once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heliograph_fabric::{
    Cursor, CursorError, Envelope, Fabric, LogError as ReadError, LogReader, Owned, Ownership,
    OwnershipHandle, OwnershipOptions, Record, Start, Stream, backoff::Backoff, subjects,
};
use heliograph_proto::v1::{Event, QueuePlace, event::Payload};
use heliograph_store::now_ms;
use tokio::time::{Instant, timeout_at};

use crate::{
    NAME,
    feed::{Hub, Place},
    item::{self, Item, Waiting, rfc3339},
    visitor,
};

/// The group whose only partition is the channel's part of the stream.
const GROUP: &str = "webchat.told";
/// How often the place in the stream is stored.
const STORE_EVERY: Duration = Duration::from_secs(1);
/// How long that may take before reading goes on without.
const PATIENCE: Duration = Duration::from_secs(1);

/// Takes part in telling visitors until the handle goes.
pub(crate) fn keep(fabric: &Fabric, hub: &Arc<Hub>) -> OwnershipHandle {
    let teller = Arc::new(Teller { fabric: fabric.clone(), hub: Arc::clone(hub) });
    Ownership::run(fabric, GROUP, 1, &member(), OwnershipOptions::default(), move |owned| {
        let teller = Arc::clone(&teller);
        async move { teller.run(owned).await }
    })
}

/// A name for this process that no other has.
fn member() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| NAME.to_owned());
    format!("{host}-{}-{}-{}", std::process::id(), now_ms(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Cursor(#[from] CursorError),
    #[error(transparent)]
    Broker(#[from] heliograph_fabric::BrokerError),
}

struct Teller {
    fabric: Fabric,
    hub: Arc<Hub>,
}

impl Teller {
    async fn run(&self, owned: Owned) {
        tokio::select! {
            () = owned.cancel.cancelled() => {}
            stopped = self.follow(&owned) => {
                if let Err(error) = stopped {
                    tracing::warn!(%error, "telling visitors how they wait stopped; it is taken up again");
                }
            }
        }
    }

    /// Being dropped at any point costs nothing: what is not known to be told is read again.
    async fn follow(&self, owned: &Owned) -> Result<(), Stopped> {
        let mut cursor = Cursor::claim(&self.fabric, GROUP, owned.partition, owned.epoch).await?;
        if cursor.seq() == 0 {
            // What was decided before anybody told it is of no use to visitors by now.
            store(&mut cursor, self.fabric.last_sequence(Stream::Events).await?).await?;
        }
        let filters = subjects::conversations_on(NAME).expect("the channel's name is a token");
        let mut reader =
            LogReader::open(&self.fabric, Stream::Events, filters, Start::After(cursor.seq())).await?;
        let mut done = cursor.seq();
        let mut due = Instant::now() + STORE_EVERY;
        loop {
            if let Ok(record) = timeout_at(due, reader.next()).await {
                let record = record?;
                if let Some((place, item)) = told(&record) {
                    self.tell(&place, item).await;
                }
                done = record.seq;
            }
            if Instant::now() >= due {
                due = Instant::now() + STORE_EVERY;
                store(&mut cursor, done).await?;
            }
        }
    }

    /// Stores the entry, for as long as it takes the broker to take it.
    async fn tell(&self, place: &Place, item: Item) {
        let mut backoff = Backoff::default();
        loop {
            match self.hub.store(place, item.clone()).await {
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, "a visitor is told how they wait in a moment");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
            }
        }
    }
}

async fn store(cursor: &mut Cursor, sequence: u64) -> Result<(), CursorError> {
    match cursor.store(sequence, PATIENCE).await {
        Ok(()) | Err(CursorError::Away { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whom the event tells something, and what.
fn told(record: &Record) -> Option<(Place, Item)> {
    let envelope: Envelope = record.envelope().ok()?;
    let event: Event = envelope.decode().ok()?;
    entry(&event, record.time_ms)
}

fn entry(event: &Event, at_ms: i64) -> Option<(Place, Item)> {
    let told = event.told.as_ref()?;
    let address = told.address.as_ref()?;
    if !visitor::is_one(&address.user_id) {
        return None;
    }
    let place = Place {
        tenant: event.tenant.clone(),
        account: address.account.clone(),
        visitor: address.user_id.clone(),
    };
    let key = item::key(&place.tenant, &place.account, &place.visitor, "told", &told.message_id);
    let item = item::told(told, key, waiting(event)?, at_ms)?;
    Some((place, item))
}

fn waiting(event: &Event) -> Option<Waiting> {
    let time = |at: &Option<heliograph_proto::Timestamp>| at.as_ref().map(|at| rfc3339(at.millis()));
    let state = |state: &str| Waiting { state: state.to_owned(), ..Waiting::default() };
    let queued = |place: &Option<QueuePlace>| {
        let place = place.as_ref()?;
        Some(Waiting {
            position: place.position,
            wait_s: place.estimated_wait_seconds,
            opens_at: time(&place.opens_at),
            nobody: place.no_agent_online,
            ..state("queued")
        })
    };
    match event.payload.as_ref()? {
        Payload::ConversationQueued(it) => queued(&it.place),
        Payload::ConversationOverflowed(it) => queued(&it.place),
        Payload::ConversationPosition(it) => queued(&it.place),
        Payload::CallbackCancelled(it) => queued(&it.place),
        Payload::CallbackScheduled(it) => {
            let not_before = it.callback.as_ref().and_then(|callback| time(&callback.not_before));
            Some(Waiting { not_before, ..state("callback") })
        }
        Payload::ConversationAssigned(_) => Some(state("turn")),
        // Whatever a later release tells is told in its own words.
        _ => Some(state("over")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use heliograph_domain::content;
    use heliograph_proto::v1::{Address, ConversationPosition, Told};

    use super::*;

    fn event(user: &str) -> Event {
        let address = Address { account: "shop".to_owned(), user_id: user.to_owned(), ..Address::default() };
        let told = Told {
            message_id: "msg_1".to_owned(),
            address: Some(address),
            content: Some(content::text("You are next.")),
        };
        let place = QueuePlace { position: 1, estimated_wait_seconds: Some(0), ..QueuePlace::default() };
        let position = ConversationPosition { place: Some(place) };
        Event {
            tenant: "acme".to_owned(),
            told: Some(told.into()),
            payload: Some(Payload::ConversationPosition(position)),
            ..Event::default()
        }
    }

    #[test]
    fn what_is_told_becomes_an_entry_of_the_visitors_log() {
        let (place, item) = entry(&event("v_1"), 1_000).unwrap();
        assert_eq!((place.tenant.as_str(), place.account.as_str()), ("acme", "shop"));
        assert_eq!((item.from.kind.as_str(), item.text.as_str()), ("system", "You are next."));
        let waiting = item.waiting.unwrap();
        assert_eq!((waiting.state.as_str(), waiting.position, waiting.wait_s), ("queued", 1, Some(0)));
        assert_eq!(entry(&event("v_1"), 2_000).unwrap().1.key, item.key, "said again, it is the same");
    }

    #[test]
    fn what_tells_nobody_anything_is_passed_over() {
        assert!(entry(&Event { told: None, ..event("v_1") }, 0).is_none());
        assert!(entry(&event("someone.>"), 0).is_none());
    }
}
