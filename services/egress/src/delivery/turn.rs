//! Waiting for one's turn: the account's gate, its pace, and a call of the channel's share.

use std::sync::Arc;
use std::time::Duration;

use heliograph_proto::v1::Capabilities;
use heliograph_store::rate::{Permit, Rate};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

use super::case::{Case, Memory};
use crate::{
    account::{self, Probe},
    error::Failure,
    line::spec_of,
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
    pub(super) async fn turn(
        &self,
        capabilities: &Capabilities,
        memory: &mut Memory,
    ) -> Result<Option<Turn>, Failure> {
        let metrics = &self.line.shared.metrics;
        loop {
            let began = Instant::now();
            let Some(probe) = self.gate(memory).await? else { return Ok(None) };
            metrics.waited(&self.line.name, "account", began.elapsed());
            let began = Instant::now();
            if let Some(rate) = self.rate(capabilities)
                && self.while_it_lives(self.pace(rate)).await?.is_none()
            {
                return Ok(None);
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

    /// How fast the account may send: as its resource says, else as the channel does.
    fn rate(&self, capabilities: &Capabilities) -> Option<Rate> {
        let account = self.line.shared.account(&self.out.tenant, &self.address.account);
        let own = account.as_deref().and_then(spec_of).and_then(|spec| spec.rate_limit);
        match own {
            Some(own) => Some(Rate::new(own.per_second, f64::from(own.burst))),
            None if capabilities.rate_per_second > 0.0 => {
                Some(Rate::new(capabilities.rate_per_second, f64::from(capabilities.burst.max(1))))
            }
            None => None,
        }
    }

    /// Waits for the account's next token. Lanes wait in turn, so that the bucket is asked by one of them only.
    async fn pace(&self, rate: Rate) {
        let _turn = self.account.pace.lock().await;
        let parts = [self.line.name.as_str(), self.address.account.as_str()];
        while let Permit::RetryAfter(wait) =
            self.line.shared.rate.take(&self.out.tenant, &parts, rate, 1.0).await
        {
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
        }
    }
}
