//! What came to pass in a world, counted: where nothing goes wrong, that nothing came of it proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use heliograph_proto::v1::{Event, event::Payload};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Killed,
    StoodStill,
    CutOff,
    BrokerAway,
    Unheard,
    Refused,
    Delayed,
    Posthumous,
    ReadAgain,
    EntryTwice,
    WrongClock,
    Configured,
    TakenOver,
    TwoAtWork,
    Stale,
    Fenced,
    Recognized,
    LookedUp,
    Restored,
    RestoredShort,
    Truncated,
    Buried,
    Asked,
    Accepted,
    Rejected,
    RangOut,
    TakenBack,
    Transferred,
    Replied,
    Closed,
    CommandRefused,
    Moved,
    PassedOn,
    CopyBehind,
}

/// Everything that is counted, in words.
pub(super) const ALL: [(Seen, &str); 34] = [
    (Seen::Killed, "routers killed while they worked on a partition"),
    (Seen::StoodStill, "routers stopped while they worked on a partition"),
    (Seen::CutOff, "routers cut off from the broker while they worked on a partition"),
    (Seen::BrokerAway, "times the broker was away"),
    (Seen::Unheard, "acknowledgements lost"),
    (Seen::Refused, "messages turned away for the time being"),
    (Seen::Delayed, "messages that were under way for a second or longer"),
    (Seen::Posthumous, "messages that arrived when their sender was dead"),
    (Seen::ReadAgain, "entries read again by who had read them"),
    (Seen::EntryTwice, "entries that stand in the log twice"),
    (Seen::WrongClock, "clocks set wrong"),
    (Seen::Configured, "configurations changed"),
    (Seen::TakenOver, "partitions taken over from a router that had not handed them over"),
    (Seen::TwoAtWork, "times two routers thought that they owned a partition"),
    (Seen::Stale, "decisions of a former owner that arrived when there was another"),
    (Seen::Fenced, "cursors and leases refused to somebody who was late"),
    (Seen::Recognized, "decisions published again, and recognized by the broker"),
    (Seen::LookedUp, "owners who found decisions stored behind their cursors"),
    (Seen::Restored, "restores from a snapshot"),
    (Seen::RestoredShort, "restores from a snapshot where the log's beginning was erased"),
    (Seen::Truncated, "erasures of the log"),
    (Seen::Buried, "entries that could not be applied, and were buried"),
    (Seen::Asked, "questions of the desk answered"),
    (Seen::Accepted, "offers accepted"),
    (Seen::Rejected, "offers rejected"),
    (Seen::RangOut, "offers that rang out"),
    (Seen::TakenBack, "offers taken back"),
    (Seen::Transferred, "conversations transferred"),
    (Seen::Replied, "messages to customers"),
    (Seen::Closed, "conversations closed"),
    (Seen::CommandRefused, "commands refused"),
    (Seen::Moved, "tenants that came to another partition"),
    (Seen::PassedOn, "entries passed on to another partition, parts of tenants included"),
    (Seen::CopyBehind, "readers that were given a copy of the log that was behind"),
];

/// See the module.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(BTreeMap<Seen, u64>);

impl Tally {
    pub(super) fn add(&mut self, seen: Seen, count: u64) {
        *self.0.entry(seen).or_default() += count;
    }

    pub(super) fn note(&mut self, seen: Seen) {
        self.add(seen, 1);
    }

    /// Adds what another world counted.
    pub(super) fn join(&mut self, other: &Self) {
        for (seen, count) in &other.0 {
            self.add(*seen, *count);
        }
    }

    /// What never happened, in words.
    pub(super) fn missing(&self) -> Vec<&'static str> {
        let never = |seen: &Seen| self.0.get(seen).copied().unwrap_or_default() == 0;
        ALL.iter().filter(|(seen, _)| never(seen)).map(|(_, words)| *words).collect()
    }

    /// Counts what an event says.
    pub(super) fn hear(&mut self, event: &Event) {
        let seen = match &event.payload {
            Some(Payload::ReservationAccepted(_)) => Seen::Accepted,
            Some(Payload::ReservationRejected(_)) => Seen::Rejected,
            Some(Payload::ReservationTimedOut(_)) => Seen::RangOut,
            Some(Payload::ReservationRescinded(_)) => Seen::TakenBack,
            Some(Payload::ConversationTransferred(_)) => Seen::Transferred,
            Some(Payload::MessageAccepted(_)) => Seen::Replied,
            Some(Payload::ConversationClosed(_)) => Seen::Closed,
            Some(Payload::CommandRefused(_)) => Seen::CommandRefused,
            _ => return,
        };
        self.note(seen);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (seen, words) in ALL {
            writeln!(f, "{:>9} {words}", self.0.get(&seen).copied().unwrap_or_default())?;
        }
        Ok(())
    }
}
