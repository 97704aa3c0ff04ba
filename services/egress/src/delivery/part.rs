//! One send: a message, or one of the parts a long one goes out in.

use std::time::Duration;

use heliograph_domain::resources::InDoubt;
use heliograph_fabric::backoff::Backoff;
use heliograph_proto::v1::{Capabilities, Content, Delivered, DeliveryError, ErrorClass};
use heliograph_store::{
    deliveries::{Attempt, AttemptRecord, AttemptState, Outcome as Written, Verdict as Ended},
    now_ms,
};
use tokio::time::Instant;

use super::{Case, Memory, end::End, turn::Turn};
use crate::{
    account::Probe,
    error::{Failure, chain},
    outcome::{self, Later, Outcome},
    schedule,
};

/// Consent and window are asked again when the wait since was longer.
const RECHECK_AFTER: Duration = Duration::from_secs(1);
/// What an attempt record says of a delivery that the customer's opt-out ended, and the provider's window.
const OPTED_OUT: &str = "opted_out";
const WINDOW_CLOSED: &str = "window_closed";

/// What is handed over in one call.
pub(super) struct Part<'a> {
    /// The delivery's id, or one derived from it.
    pub(super) id: String,
    pub(super) content: &'a Content,
    pub(super) capabilities: &'a Capabilities,
}

/// A part that the provider has.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ids: Vec<String>,
    pub(super) parts: i32,
    pub(super) attempt: u32,
}

/// What became of a part.
pub(super) enum PartEnd {
    Sent(Sent),
    /// That is the end of the whole message.
    End(End),
}

/// What follows from a call.
enum Next {
    End(Box<PartEnd>),
    Again,
}

impl Next {
    /// The end of the whole message.
    fn over(end: End) -> Self {
        Self::End(Box::new(PartEnd::End(end)))
    }
}

/// Whether nothing stands in the way of an attempt: none was made, or the last one may be repeated.
pub(super) fn is_open(record: &AttemptRecord) -> bool {
    record.outcome.as_ref().is_some_and(|outcome| outcome.verdict == Ended::Retry)
}

impl Case<'_> {
    /// Sends one part, whatever that takes.
    pub(super) async fn part(
        &self,
        part: &Part<'_>,
        known: Option<AttemptRecord>,
        memory: &mut Memory,
    ) -> Result<PartEnd, Failure> {
        if let Some(end) = known.as_ref().and_then(|record| self.past(part, record)) {
            return Ok(end);
        }
        let mut doubtful =
            known.as_ref().is_some_and(|record| !is_open(record) && !ours(memory, part, record));
        let mut first = known.is_none() && !self.seen;
        loop {
            self.alive()?;
            let may_resend = self.may_resend(part) && self.left().is_some();
            // A doubt that is not to be resolved by sending is reported, whatever else may stand in the way.
            let turn = if doubtful && !may_resend {
                None
            } else if self.left().is_none() {
                return Ok(PartEnd::End(self.over(memory)));
            } else if let Some(verdict) = self.forbidden(part).await? {
                if !doubtful {
                    return Ok(PartEnd::End(End::Refused(verdict)));
                }
                None
            } else {
                let asked = Instant::now();
                let Some(turn) = self.turn(part.capabilities, memory).await? else { continue };
                if asked.elapsed() > RECHECK_AFTER
                    && let Some(verdict) = self.forbidden(part).await?
                    && !doubtful
                {
                    return Ok(PartEnd::End(End::Refused(verdict)));
                }
                Some(turn)
            };
            let attempt = match self.begin(part, first, memory).await? {
                AttemptState::Done(record) => match self.past(part, &record) {
                    Some(end) => return Ok(end),
                    None => continue,
                },
                AttemptState::InDoubt(attempt) if ours(memory, part, &attempt.record) => {
                    self.line.shared.deliveries.resume(&attempt, now_ms()).await?
                }
                AttemptState::InDoubt(attempt) if may_resend && turn.is_some() => {
                    self.line.shared.metrics.in_doubt(&self.line.name, "resent");
                    self.line.shared.deliveries.resume(&attempt, now_ms()).await?
                }
                AttemptState::InDoubt(attempt) => {
                    let error = outcome::error(
                        ErrorClass::InDoubt,
                        "interrupted",
                        "egress was interrupted while the provider was called",
                    );
                    return Ok(PartEnd::End(self.held(part, &attempt, error).await?));
                }
                AttemptState::Fresh(attempt) => attempt,
            };
            memory.begun = None;
            (first, doubtful) = (false, false);
            let Some(turn) = turn else {
                // The doubt is gone, and nothing was checked yet.
                let written = Written::not_sent(Ended::Retry, "not_made", "", now_ms());
                self.settle(part, &attempt, written).await?;
                continue;
            };
            self.alive_or_undone(&attempt).await?;
            let outcome = self.call(part, attempt.record.attempt).await;
            match self.conclude(part, &attempt, turn, outcome, memory).await? {
                Next::End(end) => return Ok(*end),
                Next::Again => {}
            }
        }
    }

    /// Writes down that a call is about to be made.
    async fn begin(
        &self,
        part: &Part<'_>,
        first: bool,
        memory: &mut Memory,
    ) -> Result<AttemptState, Failure> {
        let now = now_ms();
        let begun = self.line.shared.deliveries.begin(&self.out.tenant, &part.id, first, now).await;
        if begun.is_err() {
            // It may be stored all the same; then it says that a call was made, which is not so.
            memory.begun.get_or_insert_with(|| (part.id.clone(), now));
        }
        Ok(begun?)
    }

    /// Right before the call: an attempt that is not made because the partition goes is taken back.
    async fn alive_or_undone(&self, attempt: &Attempt) -> Result<(), Failure> {
        let alive = self.alive();
        if matches!(alive, Err(Failure::Stopping)) {
            let written = Written::not_sent(Ended::Retry, "not_made", "", now_ms());
            // What is not written down now is in doubt for the next owner: safe, and rare.
            let _ = self.line.shared.deliveries.finish(attempt, written).await;
        }
        alive
    }

    /// Acts on what the channel said.
    async fn conclude(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        turn: Turn,
        outcome: Outcome,
        memory: &mut Memory,
    ) -> Result<Next, Failure> {
        let made = attempt.record.attempt;
        let Turn { probe, .. } = turn;
        let failed = |error: DeliveryError| Next::over(End::Failed { error, attempt: made });
        match outcome {
            Outcome::Delivered(delivered) => {
                self.works(probe);
                let sent = sent(delivered, made);
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
                Ok(failed(error))
            }
            Outcome::WindowClosed(error) => {
                self.works(probe);
                // What we believe of it is wrong; losing this costs another refusal by the provider.
                let _ = self.line.shared.windows.forget(&self.window_key()).await;
                self.fail(part, attempt, WINDOW_CLOSED, &error.text).await?;
                Ok(Next::over(End::Refused(self.needs_template(part, &error.text))))
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
            Outcome::InDoubt(error) => {
                drop(probe);
                memory.tries += 1;
                if !self.may_resend(part) || memory.tries >= self.line.shared.config.retry.attempts {
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

    /// Whether a send whose outcome nobody knows may be repeated.
    fn may_resend(&self, part: &Part<'_>) -> bool {
        part.capabilities.idempotent_send || self.line.shared.in_doubt(&self.out.tenant) == InDoubt::Retry
    }

    /// Nobody knows, and it is not sent again.
    async fn held(&self, part: &Part<'_>, attempt: &Attempt, error: DeliveryError) -> Result<End, Failure> {
        self.line.shared.metrics.in_doubt(&self.line.name, "held");
        let written = Written::not_sent(Ended::InDoubt, &error.code, &error.text, now_ms());
        self.settle(part, attempt, written).await?;
        Ok(End::InDoubt { error, attempt: attempt.record.attempt })
    }

    /// The provider did not take it, and never will.
    async fn fail(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        reason: &str,
        detail: &str,
    ) -> Result<(), Failure> {
        // It does not count; losing this costs one message of a window.
        let _ = self.line.shared.windows.release(&self.window_key(), &part.id).await;
        self.settle(part, attempt, Written::not_sent(Ended::Failed, reason, detail, now_ms())).await
    }

    /// The provider did not take it, and it may be tried again.
    async fn again(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        reason: &str,
        error: &DeliveryError,
    ) -> Result<(), Failure> {
        self.settle(part, attempt, Written::not_sent(Ended::Retry, reason, &error.code, now_ms())).await
    }

    /// Writes down how an attempt ended. Tries until it is stored: forgotten, it would be a doubt.
    async fn settle(&self, part: &Part<'_>, attempt: &Attempt, written: Written) -> Result<(), Failure> {
        let shared = &self.line.shared;
        let reference = self.reference();
        self.until_stored(|| async {
            let (tenant, account) = (&self.out.tenant, &self.address.account);
            tracing::trace!(delivery = part.id, verdict = ?written.verdict, "attempt settled");
            shared
                .deliveries
                .finish_with_references(
                    tenant,
                    &self.line.name,
                    account,
                    attempt,
                    written.clone(),
                    &reference,
                )
                .await
                .map_err(Failure::from)
        })
        .await
    }

    /// Repeats what must be stored while the partition is ours.
    async fn until_stored<F: Future<Output = Result<(), Failure>>>(
        &self,
        mut store: impl FnMut() -> F,
    ) -> Result<(), Failure> {
        let mut backoff = Backoff::default();
        loop {
            match store().await {
                Err(failure @ Failure::Away(_)) => {
                    self.owned.fence.check().map_err(|_| Failure::Lost)?;
                    tracing::debug!(error = chain(&failure), "what was done is not stored yet");
                    tokio::time::sleep(backoff.next_wait()).await;
                }
                done => return done,
            }
        }
    }

    /// What a record of an attempt that ended says; none when it may be repeated.
    fn past(&self, part: &Part<'_>, record: &AttemptRecord) -> Option<PartEnd> {
        let written = record.outcome.as_ref()?;
        let attempt = record.attempt;
        let error = |class, code: &str, text: &str| outcome::error(class, code, text);
        Some(match written.verdict {
            Ended::Retry => return None,
            Ended::Sent => PartEnd::Sent(Sent {
                ids: written.provider_message_ids.clone(),
                parts: written.parts,
                attempt,
            }),
            Ended::Failed if written.reason == WINDOW_CLOSED => {
                PartEnd::End(End::Refused(self.needs_template(part, &written.detail)))
            }
            Ended::Failed if written.reason == OPTED_OUT => {
                let error = error(ErrorClass::OptedOut, &written.detail, "the customer does not want it");
                PartEnd::End(End::Failed { error, attempt })
            }
            Ended::Failed => {
                let error = error(ErrorClass::Permanent, &written.reason, &written.detail);
                PartEnd::End(End::Failed { error, attempt })
            }
            Ended::InDoubt => {
                let error = error(ErrorClass::InDoubt, &written.reason, &written.detail);
                PartEnd::End(End::InDoubt { error, attempt })
            }
        })
    }
}

/// Whether an unfinished record is one that we wrote without making the call.
fn ours(memory: &Memory, part: &Part<'_>, record: &AttemptRecord) -> bool {
    let begun = memory.begun.as_ref();
    record.outcome.is_none() && begun.is_some_and(|(id, at)| *id == part.id && *at == record.begun_at_ms)
}

fn sent(delivered: Delivered, attempt: u32) -> Sent {
    let Delivered { provider_message_id, provider_part_ids, parts } = delivered;
    let mut ids: Vec<String> = std::iter::once(provider_message_id).chain(provider_part_ids).collect();
    ids.retain(|id| !id.is_empty());
    ids.dedup();
    Sent { ids, parts, attempt }
}
