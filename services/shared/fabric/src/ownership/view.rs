//! What one member knows about its group, from the bucket's changes. Pure: time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Value of a member's key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MemberValue {
    /// Set at shutdown: still holds what it holds, and wants nothing more.
    pub(super) draining: bool,
}

/// Value of a partition's key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeaseValue {
    /// The session that holds it; empty when it was released.
    pub(super) holder: String,
}

/// A change of a key, as the bucket reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Member { session: String, value: Option<MemberValue> },
    Lease { partition: u16, value: LeaseValue },
}

#[derive(Debug, Clone)]
struct Member {
    revision: u64,
    /// When we saw this revision first.
    seen: Instant,
    value: Option<MemberValue>,
}

#[derive(Debug, Clone, Default)]
struct Lease {
    revision: u64,
    holder: String,
}

/// What must be done to a partition's key to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Claim {
    /// Write at this revision.
    Take { revision: u64 },
    /// Its holder is silent: delete the holder's key at this revision first.
    Evict { session: String, revision: u64 },
    /// Its holder is not known here: ask the broker for the holder's key before deciding.
    ///
    /// A bucket keeps only the newest revision of a key, so a lease may be read before its holder's next heartbeat.
    Ask { session: String },
    /// Its holder is alive.
    Wait,
}

/// The group as we see it.
#[derive(Debug, Default)]
pub(super) struct View {
    members: BTreeMap<String, Member>,
    leases: BTreeMap<u16, Lease>,
}

impl View {
    /// Takes in a change. Older revisions than the known one are ignored: our own writes are applied ahead of their echo.
    pub(super) fn apply(&mut self, change: Change, revision: u64, now: Instant) {
        match change {
            Change::Member { session, value } => {
                let newer = self.members.get(&session).is_none_or(|known| known.revision < revision);
                if newer {
                    self.members.insert(session, Member { revision, seen: now, value });
                }
            }
            Change::Lease { partition, value } => {
                let lease = self.leases.entry(partition).or_default();
                if lease.revision < revision {
                    *lease = Lease { revision, holder: value.holder };
                }
            }
        }
    }

    /// Sessions that take part: alive as far as we saw, and not leaving.
    pub(super) fn members(&self, now: Instant, takeover_after: Duration) -> Vec<&str> {
        let live = self.members.iter().filter(|(_, member)| {
            member.value.as_ref().is_some_and(|value| !value.draining) && !silent(member, now, takeover_after)
        });
        live.map(|(session, _)| session.as_str()).collect()
    }

    /// How `me` gets a partition that it does not work on.
    pub(super) fn claim(&self, me: &str, partition: u16, now: Instant, takeover_after: Duration) -> Claim {
        let Some(lease) = self.leases.get(&partition) else {
            return Claim::Take { revision: 0 };
        };
        let (session, revision) = (lease.holder.clone(), lease.revision);
        if session.is_empty() || session == me {
            return Claim::Take { revision };
        }
        match self.members.get(&session) {
            None => Claim::Ask { session },
            Some(Member { value: None, .. }) => Claim::Take { revision },
            Some(holder) if silent(holder, now, takeover_after) => {
                Claim::Evict { session, revision: holder.revision }
            }
            Some(_) => Claim::Wait,
        }
    }

    /// Partitions whose key names `session`, with the revision of that.
    pub(super) fn held_by(&self, session: &str) -> Vec<(u16, u64)> {
        let held = self.leases.iter().filter(|(_, lease)| lease.holder == session);
        held.map(|(partition, lease)| (*partition, lease.revision)).collect()
    }

    /// Forgets members that left so long ago that nothing refers to them.
    pub(super) fn tidy(&mut self, now: Instant, keep: Duration) {
        let leases = &self.leases;
        self.members.retain(|session, member| {
            member.value.is_some()
                || now.duration_since(member.seen) < keep
                || leases.values().any(|lease| lease.holder == *session)
        });
    }
}

fn silent(member: &Member, now: Instant, takeover_after: Duration) -> bool {
    now.duration_since(member.seen) >= takeover_after
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(2);

    fn member(session: &str, draining: bool) -> Change {
        Change::Member { session: session.to_owned(), value: Some(MemberValue { draining }) }
    }

    fn lease(partition: u16, holder: &str) -> Change {
        Change::Lease { partition, value: LeaseValue { holder: holder.to_owned() } }
    }

    #[test]
    fn a_member_counts_until_it_was_seen_unchanged_too_long() {
        let start = Instant::now();
        let mut view = View::default();
        view.apply(member("a", false), 1, start);
        view.apply(member("b", true), 2, start);
        assert_eq!(view.members(start, AFTER), ["a"]);
        // A new revision is a sign of life, the same one again is not.
        view.apply(member("a", false), 3, start + Duration::from_secs(1));
        view.apply(member("a", false), 3, start + Duration::from_secs(2));
        assert_eq!(view.members(start + Duration::from_millis(2900), AFTER), ["a"]);
        assert!(view.members(start + Duration::from_secs(3), AFTER).is_empty());
    }

    #[test]
    fn a_partition_is_taken_only_from_nobody_or_from_the_silent() {
        let start = Instant::now();
        let mut view = View::default();
        assert_eq!(view.claim("me", 0, start, AFTER), Claim::Take { revision: 0 });
        view.apply(member("a", false), 1, start);
        view.apply(lease(0, "a"), 2, start);
        assert_eq!(view.claim("me", 0, start, AFTER), Claim::Wait);
        let later = start + AFTER;
        assert_eq!(view.claim("me", 0, later, AFTER), Claim::Evict { session: "a".to_owned(), revision: 1 });
        // Once its key is gone, or it released, the lease is free at its revision.
        view.apply(Change::Member { session: "a".to_owned(), value: None }, 3, later);
        assert_eq!(view.claim("me", 0, later, AFTER), Claim::Take { revision: 2 });
        view.apply(lease(0, ""), 4, later);
        assert_eq!(view.claim("me", 0, later, AFTER), Claim::Take { revision: 4 });
        // A draining holder still holds.
        view.apply(member("b", true), 5, later);
        view.apply(lease(0, "b"), 6, later);
        assert_eq!(view.claim("me", 0, later, AFTER), Claim::Wait);
    }

    #[test]
    fn echoes_of_older_writes_change_nothing() {
        let start = Instant::now();
        let mut view = View::default();
        view.apply(lease(0, "b"), 9, start);
        view.apply(lease(0, "a"), 5, start);
        assert_eq!(view.claim("me", 0, start, AFTER), Claim::Ask { session: "b".to_owned() });
        view.apply(member("b", false), 7, start);
        assert_eq!(view.claim("me", 0, start, AFTER), Claim::Wait);
        // What is left over from a claim of our own that we did not hear of is ours to take.
        assert_eq!(view.claim("b", 0, start, AFTER), Claim::Take { revision: 9 });
        assert_eq!(view.held_by("b"), [(0, 9)]);
        view.apply(Change::Member { session: "b".to_owned(), value: None }, 6, start);
        assert_eq!(view.members(start, AFTER), ["b"]);
    }
}
