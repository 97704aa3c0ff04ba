//! Waiting for one's turn: the account's gate, its pace, and a call of the channel's share.

use std::sync::Arc;

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::{
    case::{Case, Memory},
    part::Part,
};
use crate::{
    account::{self, Probe},
    error::Failure,
};

/// The right to make one call now.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) probe: Option<Probe>,
    /// Given back as soon as the call is over: a wait is no call.
    pub(super) permit: OwnedSemaphorePermit,
}

impl Case<'_> {
    /// Waits until a call may be made; none when the message's time is over first.
    pub(super) async fn turn(&self, part: &Part<'_>, memory: &mut Memory) -> Result<Option<Turn>, Failure> {
        let metrics = &self.line.shared.metrics;
        loop {
            let began = Instant::now();
            let Some(probe) = self.gate(memory).await? else { return Ok(None) };
            metrics.waited(&self.line.name, "account", began.elapsed());
            let began = Instant::now();
            match self.while_it_lives(self.pace(part)).await? {
                None => return Ok(None),
                // Only who finds out whether the account works again goes through a closed gate.
                Some(false) if probe.is_none() => continue,
                Some(_) => {}
            }
            metrics.waited(&self.line.name, "rate", began.elapsed());
            let began = Instant::now();
            let permit = Arc::clone(&self.line.permits).acquire_owned();
            let Some(permit) = self.while_it_lives(permit).await? else { return Ok(None) };
            metrics.waited(&self.line.name, "concurrency", began.elapsed());
            // Calls that were under way may have closed the gate meanwhile.
            if probe.is_some() || self.account.is_open(Instant::now()) {
                return Ok(Some(Turn { probe, permit: permit.expect("never closed") }));
            }
        }
    }

    /// Waits while the account is paused or stopped; none when the message's time is over first.
    async fn gate(&self, memory: &mut Memory) -> Result<Option<Option<Probe>>, Failure> {
        let mut changes = self.account.changes();
        loop {
            changes.mark();
            let now = Instant::now();
            let (until, error) = match self.account.turn(now) {
                account::Turn::Go(probe) => return Ok(Some(probe)),
                account::Turn::Wait { until, error, cause } => {
                    tracing::trace!(cause, "a lane waits for its account");
                    (until, error)
                }
            };
            let longest = self.line.shared.config.retry.probe_most;
            let wait = until.map_or(longest, |until| until.saturating_duration_since(now));
            if !memory.told {
                self.defer(memory, wait, &error, 0).await?;
            }
            let woken = async {
                tokio::select! {
                    () = changes.next() => {}
                    () = tokio::time::sleep(wait) => {}
                }
            };
            if self.while_it_lives(woken).await?.is_none() {
                return Ok(None);
            }
        }
    }
}
