//! Looking for secrets where they must not be.

use std::{
    fmt::Write as _,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use heliograph_channel::RawAccount;
use secrecy::ExposeSecret as _;
use tracing::{
    Dispatch, Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Shorter ones are found everywhere by chance.
const SHORTEST: usize = 8;

/// The secrets of the account under test, by name.
pub(super) struct Secrets(Vec<(String, String)>);

impl Secrets {
    pub(super) fn of(account: &RawAccount) -> Self {
        let secrets =
            account.secrets.iter().map(|(name, value)| (name.to_owned(), value.expose_secret().to_owned()));
        Self(secrets.filter(|(_, value)| value.len() >= SHORTEST).collect())
    }

    /// The names of those that stand in `text`.
    pub(super) fn found_in(&self, text: &str) -> Vec<String> {
        let found = self.0.iter().filter(|(_, value)| {
            // A secret with a prefix that says what it is leaks without it, too.
            let bare = value.rsplit('_').next().filter(|bare| bare.len() >= SHORTEST).unwrap_or(value);
            text.contains(bare)
        });
        found.map(|(name, _)| name.clone()).collect()
    }
}

/// Everything that is logged while it records, fields of spans included.
#[derive(Clone, Default)]
pub(super) struct Journal(Arc<Mutex<String>>);

impl Journal {
    pub(super) fn record(&self, work: impl FnOnce()) {
        let recorder = Recorder { journal: self.clone(), ids: AtomicU64::new(1) };
        tracing::dispatcher::with_default(&Dispatch::new(recorder), work);
    }

    pub(super) fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Recorder {
    journal: Journal,
    ids: AtomicU64,
}

impl Recorder {
    fn write(&self, record: impl FnOnce(&mut Line<'_>)) {
        let mut text = self.journal.0.lock().unwrap_or_else(PoisonError::into_inner);
        record(&mut Line(&mut text));
        text.push('\n');
    }
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.write(|line| span.record(line));
        span::Id::from_u64(self.ids.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.write(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.write(|line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
