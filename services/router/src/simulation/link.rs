//! One machine's connection to the broker: what is sent on it arrives in order and late, or not at all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::chance::Chance;

/// Two messages never arrive in the same millisecond, so that their order is never a matter of luck.
const APART: Duration = Duration::from_millis(1);
/// How long a message is under way at most where nothing is wrong, in milliseconds.
const USUAL: u64 = 5;

/// What becomes of what was under way on a connection that was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is gone.
    Lost,
    /// It was in somebody's buffers, and arrives so much later.
    Late(Duration),
}

/// Whether a message that has reached the far end's door may enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    Now,
    /// Ask again then.
    Later(Instant),
    Never,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    state: Mutex<State>,
    /// Told when the connection is lost.
    pub(super) lost: Notify,
    /// Told when there is a connection.
    up: Notify,
}

#[derive(Debug)]
struct State {
    connected: bool,
    /// Counts connections.
    generation: u64,
    /// When the last message of each direction arrives.
    there: Instant,
    back: Instant,
    /// Until when nothing gets through in each direction.
    deaf_until: Instant,
    mute_until: Instant,
    /// What has not arrived at the first moment stays in the machine's own buffers until the second.
    held: Option<(Instant, Instant)>,
    /// For lost connections: what arrives after the moment has this fate.
    fates: BTreeMap<u64, (Instant, Fate)>,
    /// How long a message is under way at most, in milliseconds.
    slowest: u64,
}

impl Link {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State {
            connected: true,
            generation: 1,
            there: now,
            back: now,
            deaf_until: now,
            mute_until: now,
            held: None,
            fates: BTreeMap::new(),
            slowest: USUAL,
        };
        Self { state: Mutex::new(state), lost: Notify::new(), up: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state().connected
    }

    /// Waits for a connection; for ever where there is none any more.
    pub(super) async fn wait_connected(&self) {
        loop {
            let up = self.up.notified();
            tokio::pin!(up);
            up.as_mut().enable();
            if self.is_connected() {
                return;
            }
            up.await;
        }
    }

    /// A message leaves: on which connection, and when it should arrive.
    pub(super) fn depart(&self, chance: &mut Chance) -> (u64, Instant) {
        let mut state = self.state();
        let arrives = Instant::now() + chance.millis(1, state.slowest);
        state.there = arrives.max(state.there + APART);
        (state.generation, state.there)
    }

    /// A message that should arrive at `due` on this connection is there. `late` is whether its fate was met already.
    pub(super) fn arrive(&self, generation: u64, due: Instant, late: &mut bool) -> Passage {
        let now = Instant::now();
        let mut state = self.state();
        if generation != state.generation {
            return match state.fates.get(&generation) {
                Some((cut, fate)) if due > *cut && !*late => match fate {
                    Fate::Lost => Passage::Never,
                    Fate::Late(by) => {
                        *late = true;
                        Passage::Later(due + *by)
                    }
                },
                _ => Passage::Now,
            };
        }
        if let Some((cut, until)) = state.held
            && due > cut
            && now < until
        {
            return state.postpone(until);
        }
        if now < state.deaf_until {
            let until = state.deaf_until;
            return state.postpone(until);
        }
        Passage::Now
    }

    /// When an answer on this connection arrives; none if that is gone.
    pub(super) fn answer(&self, generation: u64, chance: &mut Chance) -> Option<Instant> {
        let mut state = self.state();
        if generation != state.generation {
            return None;
        }
        let arrives = Instant::now() + chance.millis(1, state.slowest);
        state.back = arrives.max(state.back + APART).max(state.mute_until + APART);
        Some(state.back)
    }

    /// Whether an answer that has come over this connection is heard.
    pub(super) fn hears(&self, generation: u64) -> Passage {
        let mut state = self.state();
        if generation != state.generation {
            Passage::Never
        } else if Instant::now() < state.mute_until {
            state.back = (state.back + APART).max(state.mute_until + APART);
            Passage::Later(state.back)
        } else {
            Passage::Now
        }
    }

    /// The connection is lost; what arrives after `cut` has this fate.
    pub(super) fn lose(&self, cut: Instant, fate: Fate) {
        let mut state = self.state();
        let generation = state.generation;
        state.fates.insert(generation, (cut, fate));
        state.generation += 1;
        state.connected = false;
        state.held = None;
        drop(state);
        self.lost.notify_waiters();
    }

    /// There is a connection again.
    pub(super) fn mend(&self) {
        self.state().connected = true;
        self.up.notify_waiters();
    }

    /// Nothing reaches the broker until then; it arrives afterwards.
    pub(super) fn deafen(&self, until: Instant) {
        let mut state = self.state();
        state.deaf_until = state.deaf_until.max(until);
    }

    /// Nothing comes back from the broker until then; it arrives afterwards.
    pub(super) fn mute(&self, until: Instant) {
        let mut state = self.state();
        state.mute_until = state.mute_until.max(until);
    }

    /// What has not arrived at `cut` is still in the machine's own buffers, and leaves them at `until`.
    pub(super) fn hold(&self, cut: Instant, until: Instant) {
        self.state().held = Some((cut, until));
    }

    /// A message is under way for so long at most, in milliseconds.
    pub(super) fn slow_down(&self, slowest: u64) {
        self.state().slowest = slowest;
    }

    /// Everything gets through, and in its usual time.
    pub(super) fn clear(&self) {
        let now = Instant::now();
        let mut state = self.state();
        (state.deaf_until, state.mute_until, state.slowest) = (now, now, USUAL);
    }
}

impl State {
    /// In the order in which messages are turned away.
    fn postpone(&mut self, until: Instant) -> Passage {
        self.there = (self.there + APART).max(until + APART);
        Passage::Later(self.there)
    }
}
