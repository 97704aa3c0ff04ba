//! Counts the public stream. One desk of the fleet does it at a time; each event counts once, whoever died on the way.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use heliograph_fabric::{
    Fabric, LogError, LogReader, Owned, Ownership, OwnershipHandle, OwnershipOptions, RangeReader, Record,
    Start, Stream, backoff::Backoff, subjects, subjects::EventFilter,
};
use heliograph_store::{KvError, now_ms, tally, tally::Counted};
use moka::future::Cache;
use tokio::time::{Instant, timeout_at};

use super::{Tally, count};
use crate::tail::Item;

/// The group whose only partition is the whole stream.
const GROUP: &str = "desk.tally";
/// Events counted together.
const BATCH: usize = 2_000;
/// How long a batch waits to be filled.
const FILL: Duration = Duration::from_millis(500);
/// Conversations whose country is remembered.
const COUNTRIES: u64 = 50_000;

/// Takes part in counting until the handle is shut down.
pub(crate) fn keep(fabric: &Fabric, tally: &Tally) -> OwnershipHandle {
    let projector = Arc::new(Projector {
        fabric: fabric.clone(),
        counts: tally.counts.clone(),
        countries: Cache::new(COUNTRIES),
    });
    Ownership::run(fabric, GROUP, 1, &member(), OwnershipOptions::default(), move |owned| {
        let projector = Arc::clone(&projector);
        async move { projector.run(owned).await }
    })
}

/// A name for this process that no other has.
fn member() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "desk".to_owned());
    format!("{host}-{}-{}-{}", std::process::id(), now_ms(), COUNT.fetch_add(1, Ordering::Relaxed))
}

#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Kv(#[from] KvError),
}

struct Projector {
    fabric: Fabric,
    counts: tally::Tally,
    /// Conversation to country, as its newest verdict said: receipts name none.
    countries: Cache<String, Arc<str>>,
}

/// What is counted in one hour of a tenant.
type Hours = BTreeMap<(String, tally::Hour), Vec<Counted>>;

impl Projector {
    async fn run(&self, owned: Owned) {
        // What another member read meanwhile is not known here.
        self.countries.invalidate_all();
        tokio::select! {
            () = owned.cancel.cancelled() => {}
            stopped = self.follow() => {
                if let Err(error) = stopped {
                    tracing::warn!(%error, "counting stopped; it is taken up again");
                }
            }
        }
    }

    /// Being dropped at any point costs nothing: what was not counted is read again.
    async fn follow(&self) -> Result<(), Stopped> {
        let mut at = self.counts.progress().await?;
        let filter = [subjects::all_messages()];
        let mut reader = LogReader::open(&self.fabric, Stream::Events, filter, Start::After(at)).await?;
        loop {
            let mut hours = Hours::new();
            let mut record = reader.next().await?;
            let full = Instant::now() + FILL;
            let mut read = 1;
            loop {
                at = record.seq;
                self.take(&record, &mut hours).await?;
                if read >= BATCH {
                    break;
                }
                match timeout_at(full, reader.next()).await {
                    Ok(next) => record = next?,
                    Err(_) => break,
                }
                read += 1;
            }
            self.add(&hours, at).await?;
        }
    }

    async fn take(&self, record: &Record, hours: &mut Hours) -> Result<(), LogError> {
        let Some(Item { sequence, stored_ms, event }) = Item::of(record) else { return Ok(()) };
        let named = count::country(&event);
        if let Some(country) = named {
            self.countries.insert(event.conversation.clone(), Arc::from(country)).await;
        }
        let kinds = count::kinds(&event);
        if kinds.is_empty() {
            return Ok(());
        }
        let country: Arc<str> = match named {
            Some(country) => Arc::from(country),
            None => self.country(&event.tenant, &event.conversation, sequence).await?,
        };
        let entry = hours.entry((event.tenant.clone(), tally::hour_of(stored_ms))).or_default();
        for kind in kinds {
            entry.push(Counted { seq: sequence, key: count::key(&event, &country, kind) });
        }
        Ok(())
    }

    /// The country that a conversation's newest verdict before `before` names.
    async fn country(&self, tenant: &str, conversation: &str, before: u64) -> Result<Arc<str>, LogError> {
        if let Some(country) = self.countries.get(conversation).await {
            return Ok(country);
        }
        let filter = EventFilter {
            tenant,
            conversation: Some(conversation),
            kind: Some("message"),
            ..EventFilter::default()
        };
        let mut country: Arc<str> = Arc::from("");
        if let Ok(subject) = filter.subject() {
            let mut range = RangeReader::open(&self.fabric, Stream::Events, [subject], 0).await?;
            while let Some(record) = range.next().await? {
                if record.seq >= before {
                    break;
                }
                if let Some(item) = Item::of(&record)
                    && let Some(named) = count::country(&item.event)
                {
                    country = Arc::from(named);
                }
            }
        }
        self.countries.insert(conversation.to_owned(), Arc::clone(&country)).await;
        Ok(country)
    }

    /// Adds a batch that ends at `through`, for as long as it takes the broker to take it.
    async fn add(&self, hours: &Hours, through: u64) -> Result<(), KvError> {
        let mut backoff = Backoff::default();
        loop {
            match self.add_once(hours, through).await {
                Err(error) if error.is_retryable() => {
                    tracing::debug!(%error, "counts are added again");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
                done => return done,
            }
        }
    }

    async fn add_once(&self, hours: &Hours, through: u64) -> Result<(), KvError> {
        for ((tenant, hour), events) in hours {
            self.counts.add(tenant, *hour, events).await?;
        }
        self.counts.set_progress(through).await
    }
}
