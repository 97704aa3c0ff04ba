//! What all lanes of one channel account share: whether it may send now, how fast, and what it can show.

use std::{sync::Arc, time::Duration};

use heliograph_proto::v1::{Capabilities, DeliveryError};
use tokio::{
    sync::{Mutex, watch},
    time::Instant,
};

use crate::{config::RetryConfig, outcome::Outcome};

/// One tenant's account on a channel.
#[derive(Debug, Default)]
pub(crate) struct Account {
    gate: watch::Sender<Gate>,
    /// Held by whoever waits for the account's next token, so that lanes are served in turn.
    pub(crate) pace: Mutex<()>,
    /// Held by the one bulk message that may wait for `pace`: a campaign does not stand in line before a reply.
    pub(crate) bulk: Mutex<()>,
    /// What the channel last said of itself, or why it did not.
    pub(crate) described: Mutex<Option<Described>>,
}

/// What a channel said of an account, and when.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) at: Instant,
    pub(crate) said: Result<Arc<Capabilities>, Outcome>,
}

#[derive(Debug, Default)]
struct Gate {
    /// The provider asked for a pause.
    paused: Option<(Instant, DeliveryError)>,
    stopped: Option<Stopped>,
}

/// The account's credentials were refused.
#[derive(Debug)]
struct Stopped {
    probe_at: Instant,
    wait: Duration,
    probing: bool,
    /// Version of the account's resource that was refused.
    version: u64,
    error: DeliveryError,
}

/// Whether a lane may go on.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It may; with a probe, it is the one that finds out whether the account works again.
    Go(Option<Probe>),
    /// It may not, until then or until something changes.
    Wait { until: Option<Instant>, error: DeliveryError, cause: &'static str },
}

impl Account {
    /// Follows what could let a waiting lane go on.
    pub(crate) fn changes(&self) -> Changes {
        Changes(self.gate.subscribe())
    }

    /// Whether a lane may send now.
    pub(crate) fn turn(self: &Arc<Self>, now: Instant) -> Turn {
        let mut turn = Turn::Go(None);
        self.gate.send_if_modified(|gate| {
            if let Some((until, error)) = &gate.paused {
                if now < *until {
                    turn = Turn::Wait { until: Some(*until), error: error.clone(), cause: "paused" };
                    return false;
                }
                gate.paused = None;
            }
            if let Some(stopped) = &mut gate.stopped {
                let until = if stopped.probing { None } else { Some(stopped.probe_at) };
                if until.is_none_or(|until| now < until) {
                    turn = Turn::Wait { until, error: stopped.error.clone(), cause: "stopped" };
                } else {
                    stopped.probing = true;
                    turn = Turn::Go(Some(Probe { account: Arc::clone(self), decided: false }));
                }
            }
            false
        });
        turn
    }

    /// Whether nothing holds the account back.
    pub(crate) fn is_open(&self, now: Instant) -> bool {
        let gate = self.gate.borrow();
        gate.stopped.is_none() && gate.paused.as_ref().is_none_or(|(until, _)| *until <= now)
    }

    /// Nobody sends before `until`.
    pub(crate) fn pause(&self, until: Instant, error: &DeliveryError) {
        self.gate.send_if_modified(|gate| {
            if gate.paused.as_ref().is_none_or(|(before, _)| *before < until) {
                gate.paused = Some((until, error.clone()));
            }
            false
        });
    }

    /// Credentials were refused: nobody sends until a probe succeeds. Says whether it had been open.
    pub(crate) fn stop(
        &self,
        error: &DeliveryError,
        version: u64,
        probe: Option<Probe>,
        config: &RetryConfig,
    ) -> bool {
        let probed = probe.is_some();
        if let Some(mut probe) = probe {
            probe.decided = true;
        }
        let mut opened = false;
        self.gate.send_if_modified(|gate| {
            let wait = match &gate.stopped {
                None => {
                    opened = true;
                    config.probe_first
                }
                Some(stopped) if probed => stopped.wait.saturating_mul(2).min(config.probe_most),
                // One of the calls that were under way when it stopped.
                Some(_) => return false,
            };
            let probe_at = Instant::now() + wait;
            gate.stopped = Some(Stopped { probe_at, wait, probing: false, version, error: error.clone() });
            true
        });
        opened
    }

    /// The account's resource is at this version now: one that was refused before is tried again at once.
    pub(crate) fn renewed(&self, version: u64) {
        self.gate.send_if_modified(|gate| match &mut gate.stopped {
            Some(stopped) if stopped.version != version => {
                stopped.version = version;
                stopped.probe_at = Instant::now();
                true
            }
            _ => false,
        });
    }
}

/// Wakes up a lane that waits at a gate.
#[derive(Debug)]
pub(crate) struct Changes(watch::Receiver<Gate>);

impl Changes {
    /// From here on, changes count.
    pub(crate) fn mark(&mut self) {
        self.0.mark_unchanged();
    }

    /// Waits for a change.
    pub(crate) async fn next(&mut self) {
        // The sender lives in the account, which the caller holds.
        let _ = self.0.changed().await;
    }
}

/// The right to find out whether a stopped account works again. Dropped undecided, somebody else finds out.
#[derive(Debug)]
pub(crate) struct Probe {
    account: Arc<Account>,
    decided: bool,
}

impl Probe {
    /// It works.
    pub(crate) fn passed(mut self) {
        self.decided = true;
        self.account.gate.send_modify(|gate| gate.stopped = None);
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if !self.decided {
            self.account.gate.send_modify(|gate| {
                if let Some(stopped) = &mut gate.stopped {
                    stopped.probing = false;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> DeliveryError {
        DeliveryError { code: "401".to_owned(), ..DeliveryError::default() }
    }

    fn probe(account: &Arc<Account>, at: Instant) -> Option<Probe> {
        match account.turn(at) {
            Turn::Go(probe) => probe,
            Turn::Wait { .. } => None,
        }
    }

    #[tokio::test]
    async fn a_stopped_account_is_probed_by_one_lane_at_growing_intervals() {
        let config = RetryConfig::default();
        let account = Arc::new(Account::default());
        assert!(account.stop(&refused(), 1, None, &config));
        assert!(!account.stop(&refused(), 1, None, &config), "a call that was under way");
        let now = Instant::now();
        assert!(probe(&account, now).is_none());
        let first = probe(&account, now + config.probe_first).expect("the probe");
        assert!(probe(&account, now + config.probe_most).is_none(), "one at a time");
        account.stop(&refused(), 1, Some(first), &config);
        assert!(probe(&account, now + config.probe_first).is_none(), "the wait has grown");
        let dropped = probe(&account, now + config.probe_most).expect("the probe");
        drop(dropped);
        let second = probe(&account, now + config.probe_most).expect("somebody else's turn");
        second.passed();
        assert!(account.is_open(now));
        assert!(matches!(account.turn(now), Turn::Go(None)));
    }

    #[tokio::test]
    async fn a_new_version_of_the_account_is_tried_at_once() {
        let account = Arc::new(Account::default());
        account.stop(&refused(), 1, None, &RetryConfig::default());
        account.renewed(1);
        assert!(probe(&account, Instant::now()).is_none());
        account.renewed(2);
        assert!(probe(&account, Instant::now()).is_some());
    }

    #[tokio::test]
    async fn the_longer_pause_counts() {
        let account = Arc::new(Account::default());
        let now = Instant::now();
        account.pause(now + Duration::from_secs(10), &refused());
        account.pause(now + Duration::from_secs(5), &refused());
        assert!(matches!(account.turn(now + Duration::from_secs(6)), Turn::Wait { .. }));
        assert!(matches!(account.turn(now + Duration::from_secs(11)), Turn::Go(None)));
    }
}
