//! What becomes of a message that may not leave as it is: later, as a template, by another channel, or not at all.

use heliograph_domain::{ids, resources::Trigger};
use heliograph_fabric::Envelope;
use heliograph_policy::Outcome;
use heliograph_proto::{
    Timestamp,
    v1::{MessageDeferred, Reason, event::Payload},
};
use heliograph_store::now_ms;

use super::{
    Buried,
    case::{Case, Memory},
    check::Barred,
    end::End,
    reroute::Ways,
};
use crate::{
    error::Failure,
    event::{self, SOURCE},
    judge::moment,
};

/// The soonest a message that is put off comes back, milliseconds.
const SOONEST_MS: i64 = 1_000;
/// The longest it waits before policy is asked again, milliseconds: well within the age limit of the stream it waits in.
const LONGEST_MS: i64 = 24 * 60 * 60 * 1_000;

impl Case<'_> {
    /// Acts on a verdict that does not let the message leave as it is.
    pub(super) async fn divert(&self, barred: Barred, memory: &mut Memory) -> Result<Buried, Failure> {
        match barred.verdict.outcome {
            Outcome::NeedsTemplate if !barred.begun => Box::pin(self.stand_in(memory, Some(barred))).await,
            _ => self.divert_template(barred, memory).await,
        }
    }

    /// The same for what is a template already.
    pub(super) async fn divert_template(
        &self,
        barred: Barred,
        memory: &mut Memory,
    ) -> Result<Buried, Failure> {
        match barred.verdict.outcome {
            Outcome::Defer(until) if !barred.begun => {
                self.put_off(barred, until.as_millisecond(), memory).await
            }
            _ => self.refuse(barred, memory).await,
        }
    }

    /// It may not leave.
    pub(super) async fn refuse(&self, barred: Barred, memory: &mut Memory) -> Result<Buried, Failure> {
        let by_rule = barred.verdict.reason().rule();
        let trigger = match barred.verdict.outcome {
            Outcome::NeedsTemplate => Trigger::WindowClosed,
            _ if barred.closed && by_rule.is_none() => Trigger::WindowClosed,
            _ => Trigger::Denied,
        };
        // A rule names the channels to use; a closed window only says which are open, and that is the tenant's to choose.
        let named = match (&barred.verdict.outcome, by_rule) {
            (Outcome::UseChannel(channels), Some(rule)) => {
                Some(Ways { rule: rule.to_string(), channels: channels.clone() })
            }
            _ => None,
        };
        self.end(
            End::Refused { verdict: Box::new(barred.wire()), trigger, named, reasons: Vec::new() },
            memory,
        )
        .await
    }

    /// Not now: it is judged anew at that time. What comes after it in its conversation does not wait for it, and may
    /// leave before it.
    async fn put_off(&self, barred: Barred, until_ms: i64, memory: &mut Memory) -> Result<Buried, Failure> {
        let expires = self.out.expires_at.as_ref().map(Timestamp::millis);
        if let Some(expires) = expires.filter(|expires| *expires <= until_ms) {
            let text = format!(
                "it could leave at {}, and is not worth sending after {}",
                moment(until_ms),
                moment(expires)
            );
            let reasons = vec![Reason { code: "egress.expires_before".to_owned(), text, detail: None }];
            let end = End::Refused {
                verdict: Box::new(barred.wire()),
                trigger: Trigger::Denied,
                named: None,
                reasons,
            };
            return self.end(end, memory).await;
        }
        let now = now_ms();
        let version = barred.verdict.policy_version.to_string();
        let until = until_ms.to_string();
        let waiting = ids::derive(ids::DELIVERY, &[&self.out.delivery_id, "later", &version, &until]);
        let at = until_ms.clamp(now + SOONEST_MS, now + LONGEST_MS);
        self.come_again(&waiting, &self.out.delivery_id, at, self.out, None).await?;
        let payload = Payload::MessageDeferred(MessageDeferred {
            message_id: self.message.id.clone(),
            until: Some(Timestamp::from_millis(until_ms)),
            verdict: Some(barred.wire()),
            ..MessageDeferred::default()
        });
        let event = event::about(self.out, &["deferred", &version, &until], payload, now);
        self.publish(&event).await?;
        self.line.shared.metrics.outcome(&self.line.name, "put_off");
        Ok(None)
    }

    /// Has `out` come again at that time, where this message stood; under a token that its cause gives it.
    pub(super) async fn come_again(
        &self,
        token: &str,
        id: &str,
        at_ms: i64,
        out: &heliograph_proto::v1::OutboundMessage,
        after: Option<u64>,
    ) -> Result<(), Failure> {
        self.owned.fence.check().map_err(|_| Failure::Lost)?;
        let record = self.item.record();
        let mut envelope = Envelope::of(id, "outbound.message", SOURCE, now_ms(), out)
            .about(out.conversation.clone())
            .traced(record.trace());
        if let Some(after) = after {
            envelope.extensions.insert(super::receipt::AFTER.to_owned(), after.to_string());
        }
        self.line.shared.fabric.publish_later(&record.subject, token, at_ms, &envelope, None).await?;
        Ok(())
    }
}
