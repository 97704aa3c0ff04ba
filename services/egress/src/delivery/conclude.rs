//! What follows from a call.

use std::time::Duration;

use heliograph_proto::v1::{Delivered, DeliveryError, ErrorClass};
use heliograph_store::{
    deliveries::{Attempt, Outcome as Written},
    now_ms,
};
use tokio::time::Instant;

use super::{
    case::{Case, Memory},
    end::End,
    part::{Part, PartEnd, Sent},
};
use crate::{
    account::Probe,
    error::Failure,
    outcome::{Later, Outcome},
    schedule,
};

/// What an attempt record says of a delivery that the customer's opt-out ended.
pub(super) const OPTED_OUT: &str = "opted_out";
/// What it says of one that the provider's window ended.
pub(super) const WINDOW_CLOSED: &str = "window_closed";

/// What follows from a call.
pub(super) enum Next {
    End(Box<PartEnd>),
    Again,
}

impl Next {
    /// The end of the whole message.
    fn over(end: End) -> Self {
        Self::End(Box::new(PartEnd::End(Box::new(end))))
    }
}

impl Case<'_> {
    /// Acts on what the channel said.
    pub(super) async fn conclude(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        probe: Option<Probe>,
        outcome: Outcome,
        memory: &mut Memory,
    ) -> Result<Next, Failure> {
        let made = attempt.record.attempt;
        let failed = |error: DeliveryError| Next::over(End::Failed { error, attempt: made });
        match outcome {
            Outcome::Delivered(delivered) => {
                self.works(probe);
                let sent = sent(delivered, attempt);
                let written = Written::sent(sent.ids.clone(), now_ms()).counting(sent.parts);
                self.settle(part, attempt, written).await?;
                Ok(Next::End(Box::new(PartEnd::Sent(sent))))
            }
            Outcome::Later(later) => self.later(part, attempt, probe, later, memory).await,
            Outcome::Failed(error) => {
                self.works(probe);
                self.fail(part, attempt, &error.code, &error.text).await?;
                Ok(failed(error))
            }
            Outcome::OptedOut(error) => {
                self.works(probe);
                self.until_stored(|| self.opt_out(&error)).await?;
                self.fail(part, attempt, OPTED_OUT, &error.code).await?;
                Ok(Next::over(self.opted_out(&error.code, memory).await?))
            }
            Outcome::WindowClosed(error) => {
                self.works(probe);
                // What we believe of it is wrong; losing this costs another refusal by the provider.
                let _ = self.line.shared.windows.forget(&self.window_key()).await;
                self.fail(part, attempt, WINDOW_CLOSED, &error.text).await?;
                let barred = self.closed(part, &error.text, memory).await?;
                Ok(Next::End(Box::new(PartEnd::Barred(Box::new(barred)))))
            }
            Outcome::Auth(error) => {
                self.again(part, attempt, "auth", &error).await?;
                let version = self
                    .line
                    .shared
                    .account(&self.out.tenant, &self.address.account)
                    .map_or(0, |found| found.version);
                if self.account.stop(&error, version, probe, &self.line.shared.config.retry) {
                    self.line.shared.metrics.stopped(&self.line.name, 1);
                    tracing::error!(
                        channel = self.line.name,
                        tenant = self.out.tenant,
                        account = self.address.account,
                        code = error.code,
                        "the provider refuses the account; its messages wait until it works again"
                    );
                }
                Ok(Next::Again)
            }
            Outcome::InDoubt(mut error) => {
                drop(probe);
                memory.tries += 1;
                let for_good = error.error_class() == ErrorClass::Permanent;
                error.set_error_class(ErrorClass::InDoubt);
                let over = for_good || memory.tries >= self.line.shared.config.retry.attempts;
                if over || !self.may_resend(part) {
                    return Ok(Next::over(self.held(part, attempt, error).await?));
                }
                self.line.shared.metrics.in_doubt(&self.line.name, "resent");
                self.again(part, attempt, "in_doubt", &error).await?;
                self.wait(memory, None, &error, made).await?;
                Ok(Next::Again)
            }
        }
    }

    /// The provider does not take it now, or cannot be reached.
    async fn later(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        probe: Option<Probe>,
        later: Later,
        memory: &mut Memory,
    ) -> Result<Next, Failure> {
        let Later { error, after, account_wide, by_provider } = later;
        if by_provider {
            self.works(probe);
            memory.tries += 1;
        } else {
            drop(probe);
        }
        self.again(part, attempt, "retry_later", &error).await?;
        if account_wide {
            let config = &self.line.shared.config.retry;
            let wait = schedule::wait(config, memory.tries, after, 0.0);
            self.account.pause(Instant::now() + wait, &error);
        }
        if by_provider && memory.tries >= self.line.shared.config.retry.attempts {
            let end = End::GivenUp { error, reason: "attempts", tries: memory.tries };
            return Ok(Next::over(end));
        }
        self.wait(memory, after, &error, attempt.record.attempt).await?;
        Ok(Next::Again)
    }

    /// Waits before the next try, and says so where that is worth saying.
    async fn wait(
        &self,
        memory: &mut Memory,
        after: Option<Duration>,
        error: &DeliveryError,
        attempt: u32,
    ) -> Result<(), Failure> {
        let config = &self.line.shared.config.retry;
        let wait = schedule::wait(config, memory.tries.max(attempt), after, rand::random());
        self.defer(memory, wait, error, attempt).await?;
        self.line.shared.metrics.waited(&self.line.name, "retry", wait);
        // Its time may be over first; the caller looks.
        self.while_it_lives(tokio::time::sleep(wait)).await?;
        Ok(())
    }

    /// The account works: the probe that found out opens its gate.
    fn works(&self, probe: Option<Probe>) {
        if let Some(probe) = probe {
            probe.passed();
            self.line.shared.metrics.stopped(&self.line.name, -1);
            tracing::info!(
                channel = self.line.name,
                tenant = self.out.tenant,
                account = self.address.account,
                "the provider takes the account again"
            );
        }
    }
}

fn sent(delivered: Delivered, attempt: &Attempt) -> Sent {
    let Delivered { provider_message_id, provider_part_ids, parts } = delivered;
    let mut ids: Vec<String> = std::iter::once(provider_message_id).chain(provider_part_ids).collect();
    ids.retain(|id| !id.is_empty());
    ids.dedup();
    Sent { ids, parts, attempt: attempt.record.attempt, at_ms: attempt.record.begun_at_ms }
}
