//! Writing down how an attempt ended.

use heliograph_domain::resources::InDoubt;
use heliograph_fabric::backoff::Backoff;
use heliograph_proto::v1::DeliveryError;
use heliograph_store::{
    deliveries::{Attempt, Outcome as Written, Verdict as Ended},
    now_ms,
};

use super::{case::Case, end::End, part::Part};
use crate::error::{Failure, chain};

impl Case<'_> {
    /// Whether a send whose outcome nobody knows may be repeated.
    pub(super) fn may_resend(&self, part: &Part<'_>) -> bool {
        part.capabilities.idempotent_send || self.line.shared.in_doubt(&self.out.tenant) == InDoubt::Retry
    }

    /// Nobody knows, and it is not sent again.
    pub(super) async fn held(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        error: DeliveryError,
    ) -> Result<End, Failure> {
        self.line.shared.metrics.in_doubt(&self.line.name, "held");
        let written = Written::not_sent(Ended::InDoubt, &error.code, &error.text, now_ms());
        self.settle(part, attempt, written).await?;
        Ok(End::InDoubt { error, attempt: attempt.record.attempt })
    }

    /// The provider did not take it, and never will.
    pub(super) async fn fail(
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
    pub(super) async fn again(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        reason: &str,
        error: &DeliveryError,
    ) -> Result<(), Failure> {
        self.settle(part, attempt, Written::not_sent(Ended::Retry, reason, &error.code, now_ms())).await
    }

    /// Writes down how an attempt ended. Tries until it is stored: forgotten, it would be a doubt.
    pub(super) async fn settle(
        &self,
        part: &Part<'_>,
        attempt: &Attempt,
        written: Written,
    ) -> Result<(), Failure> {
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
    pub(super) async fn until_stored<F: Future<Output = Result<(), Failure>>>(
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
}
