//! One send: a message, or one of the parts a long one goes out in.

use std::time::Duration;

use heliograph_proto::v1::{Capabilities, Content, ErrorClass, content::Kind};
use heliograph_store::{
    deliveries::{Attempt, AttemptRecord, AttemptState, Outcome as Written, Verdict as Ended},
    now_ms,
};
use tokio::time::Instant;

use super::{
    case::{Case, Memory},
    check::Barred,
    conclude::{Next, OPTED_OUT, WINDOW_CLOSED},
    end::End,
    turn::Turn,
};
use crate::{error::Failure, outcome};

/// Policy and window are asked again when the wait since was longer.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

/// What is handed over in one call.
pub(super) struct Part<'a> {
    /// The delivery's id, or one derived from it.
    pub(super) id: String,
    /// Its place among the parts.
    pub(super) index: usize,
    pub(super) content: &'a Content,
    pub(super) capabilities: &'a Capabilities,
}

impl Part<'_> {
    pub(super) fn is_template(&self) -> bool {
        matches!(self.content.kind, Some(Kind::Template(_)))
    }
}

/// A part that the provider has.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) ids: Vec<String>,
    pub(super) parts: i32,
    pub(super) attempt: u32,
    /// When the provider was called, milliseconds since 1970.
    pub(super) at_ms: i64,
}

/// What became of a part.
pub(super) enum PartEnd {
    Sent(Sent),
    /// It may not leave, or not as it is.
    Barred(Box<Barred>),
    /// That is the end of the whole message.
    End(Box<End>),
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
        if let Some(record) = &known
            && let Some(end) = self.past(part, record, memory).await?
        {
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
                return Ok(PartEnd::End(Box::new(self.over(memory))));
            } else if let Some(barred) = self.forbidden(part, memory).await? {
                if !doubtful {
                    return Ok(PartEnd::Barred(Box::new(barred)));
                }
                None
            } else {
                let asked = Instant::now();
                let Some(turn) = self.turn(part, memory).await? else { continue };
                if asked.elapsed() > RECHECK_AFTER
                    && let Some(barred) = self.forbidden(part, memory).await?
                    && !doubtful
                {
                    return Ok(PartEnd::Barred(Box::new(barred)));
                }
                Some(turn)
            };
            let attempt = match self.begin(part, first, memory).await? {
                AttemptState::Done(record) => match self.past(part, &record, memory).await? {
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
                    return Ok(PartEnd::End(Box::new(self.held(part, &attempt, error).await?)));
                }
                AttemptState::Fresh(attempt) => attempt,
            };
            memory.begun = None;
            memory.counted = true;
            (first, doubtful) = (false, false);
            let Some(turn) = turn else {
                // The doubt is gone, and nothing was checked yet.
                let written = Written::not_sent(Ended::Retry, "not_made", "", now_ms());
                self.settle(part, &attempt, written).await?;
                continue;
            };
            self.alive_or_undone(&attempt).await?;
            self.count(part, memory).await;
            let Turn { probe, permit } = turn;
            let outcome = self.call(part, attempt.record.attempt).await;
            drop(permit);
            match self.conclude(part, &attempt, probe, outcome, memory).await? {
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

    /// So that frequency caps know of it. Counted once, however often it is tried.
    async fn count(&self, part: &Part<'_>, memory: &Memory) {
        if let Some(decided) = memory.decided.as_ref().filter(|_| part.index == 0) {
            self.line.shared.remember_sent(&decided.asked, &self.out.delivery_id, &self.line.name).await;
        }
    }

    /// What a record of an attempt that ended says; none when it may be repeated.
    async fn past(
        &self,
        part: &Part<'_>,
        record: &AttemptRecord,
        memory: &mut Memory,
    ) -> Result<Option<PartEnd>, Failure> {
        let Some(written) = &record.outcome else { return Ok(None) };
        let attempt = record.attempt;
        let error = |class, code: &str, text: &str| outcome::error(class, code, text);
        Ok(Some(match written.verdict {
            Ended::Retry => return Ok(None),
            Ended::Sent => PartEnd::Sent(Sent {
                ids: written.provider_message_ids.clone(),
                parts: written.parts,
                attempt,
                at_ms: record.begun_at_ms,
            }),
            Ended::Failed if written.reason == WINDOW_CLOSED => {
                PartEnd::Barred(Box::new(self.closed(part, &written.detail, memory).await?))
            }
            Ended::Failed if written.reason == OPTED_OUT => {
                PartEnd::End(Box::new(self.opted_out(&written.detail, memory).await?))
            }
            Ended::Failed => {
                let error = error(ErrorClass::Permanent, &written.reason, &written.detail);
                PartEnd::End(Box::new(End::Failed { error, attempt }))
            }
            Ended::InDoubt => {
                let error = error(ErrorClass::InDoubt, &written.reason, &written.detail);
                PartEnd::End(Box::new(End::InDoubt { error, attempt }))
            }
        }))
    }
}

/// Whether an unfinished record is one that we wrote without making the call.
fn ours(memory: &Memory, part: &Part<'_>, record: &AttemptRecord) -> bool {
    let begun = memory.begun.as_ref();
    record.outcome.is_none() && begun.is_some_and(|(id, at)| *id == part.id && *at == record.begun_at_ms)
}
