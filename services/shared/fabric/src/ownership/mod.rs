//! Who owns which partition.
//!
//! Members of a group keep a key in HG_LEASES fresh; each partition has a key there that names its holder. Rendezvous
//! hashing over the live members says who should hold what; a holder lets go by itself, then the other takes it.
//!
//! Why two members never hold one partition:
//! * every write is a compare and swap on the revision the writer has seen;
//! * a member counts its own validity from the moment it *sent* a heartbeat that was stored, by its monotonic clock, and
//!   stops `valid_for` later; its tasks are cancelled then and dropped at the latest after `abort_after`;
//! * others judge it by how long they themselves saw its key unchanged, which began later, and wait longer
//!   (`takeover_after` > `valid_for` + `abort_after`). Clocks of two machines are never compared;
//! * before taking from a silent member its key is deleted by compare and swap, so a heartbeat that was merely late wins,
//!   and one that comes later still fails.
//!
//! The epoch of an owner is the revision of its claim, so a later owner always has a larger one.

mod fence;
mod member;
mod rendezvous;
mod session;
mod view;
mod watch;

pub use fence::{Fence, Lost};
pub use member::OwnershipHandle;
pub use rendezvous::assign;

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::ground::Ground;

/// Timing of ownership. The defaults take over within 3 s and tolerate three lost heartbeats.
#[derive(Debug, Clone, Copy)]
pub struct OwnershipOptions {
    /// Time between heartbeats. 400 ms.
    pub heartbeat: Duration,
    /// How long after a stored heartbeat was sent a member trusts it. 1.5 s.
    pub valid_for: Duration,
    /// How long after that its tasks may take to stop before they are dropped. 300 ms.
    pub abort_after: Duration,
    /// How long others must have seen a member's key unchanged before they take from it. 2.1 s.
    pub takeover_after: Duration,
    /// How long a task may take to finish when its partition is handed over. 10 s.
    pub drain: Duration,
}

impl Default for OwnershipOptions {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_millis(400),
            valid_for: Duration::from_millis(1500),
            abort_after: Duration::from_millis(300),
            takeover_after: Duration::from_millis(2100),
            drain: Duration::from_secs(10),
        }
    }
}

/// A partition that is ours, as its task gets it.
#[derive(Debug, Clone)]
pub struct Owned {
    /// The partition.
    pub partition: u16,
    /// Larger than that of every earlier owner of the partition.
    pub epoch: u64,
    /// Tells whether it is still ours.
    pub fence: Fence,
    /// Cancelled when the task must come to an end: finish what is in hand and return. On loss there is next to no time.
    pub cancel: CancellationToken,
}

/// A member's share of a group's partitions.
#[derive(Debug)]
pub struct Ownership;

impl Ownership {
    /// Joins `group` as `member` and runs `make(owned)` for every partition that becomes ours, until shut down.
    ///
    /// The task's end is awaited before its partition goes to another member. A task that returns or panics without
    /// being cancelled loses its partition and gets it again after a second, with a new epoch.
    ///
    /// `group` is made of names joined by dots (`router.inbound`, `egress.sms`); `member` names the process in keys and logs.
    ///
    /// # Panics
    /// When the options would let two members hold one partition.
    pub fn run<G, F, Fut>(
        ground: &G,
        group: &str,
        partitions: u16,
        member: &str,
        options: OwnershipOptions,
        make: F,
    ) -> OwnershipHandle
    where
        G: Ground,
        F: Fn(Owned) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        assert!(
            options.valid_for + options.abort_after < options.takeover_after
                && options.heartbeat < options.valid_for,
            "ownership timing lets two members hold one partition: {options:?}"
        );
        member::start(
            ground,
            group,
            partitions,
            member,
            options,
            std::sync::Arc::new(move |owned| Box::pin(make(owned))),
        )
    }
}
