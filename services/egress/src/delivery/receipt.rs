//! Whether a message arrived that the provider took, for policies that try another channel when it did not.
//!
//! The question is put when the message is sent, and comes back from the broker when the policy's time is over. Where a
//! policy tries another channel after failures only, it is put all the same: a provider may report a failure long after it
//! took the message. Such a report brings the question back at once (module `late`).

use std::time::Duration;

use heliograph_domain::{event::message_id, resources::Trigger};
use heliograph_fabric::{HASTENED, Stream, subjects::EventFilter};
use heliograph_proto::v1::{Event, Notice, OutboundMessage, event::Payload, outbound_message::Purpose};
use heliograph_store::now_ms;

use super::{
    Buried,
    case::{Case, Memory},
    reroute::Detoured,
};
use crate::{
    error::{Failure, chain},
    late,
    time::in_ms,
};

/// Header that says after which event of the stream the receipts can stand.
pub(super) const AFTER: &str = "Heliograph-After";
/// How long reports of failures are waited for where the policy waits for nothing else.
const LATE: Duration = Duration::from_hours(1);
/// The longest a receipt is waited for: well within the age limit of the stream in which the question waits.
const LONGEST: Duration = Duration::from_hours(6 * 24);

impl Case<'_> {
    /// Puts the question, if the policy wants it asked. `sent_at` is where the sent event stands.
    pub(super) async fn ask_for_receipt(&self, sent_at: u64, memory: &mut Memory) -> Result<(), Failure> {
        if self.out.notice() != Notice::Unspecified {
            return Ok(());
        }
        let tried = self.tried();
        let decided = self.decided(memory).await?;
        let region = &decided.judged.known.region;
        let patience =
            decided.asked.book.policy.receipt_patience(region, &self.line.name, decided.asked.class);
        let late = || {
            let ways = self.fallback(Trigger::Failed, &tried, decided)?;
            (!ways.channels.is_empty()).then_some(LATE)
        };
        let Some(patience) = patience.or_else(late) else { return Ok(()) };
        let question = OutboundMessage { purpose: Purpose::CheckReceipt.into(), ..self.out.clone() };
        let token = late::question(&self.out.tenant, &self.message.id);
        let at = now_ms().saturating_add(in_ms(patience.min(LONGEST)));
        // What may have been sent before may have been confirmed before: then all is looked through.
        let after = if self.seen { 0 } else { sent_at };
        self.come_again(&token, &token, at, &question, Some(after)).await
    }

    /// Answers the question.
    pub(super) async fn check_receipt(&self, memory: &mut Memory) -> Result<Buried, Failure> {
        let hastened = self.item.record().headers.get(HASTENED).is_some();
        memory.counted = true;
        // Where nothing stands in, what was said of the message is all there is to say.
        match self.receipt().await? {
            Receipt::Came => {}
            Receipt::Failed => {
                let detoured = self.reroute(Trigger::Failed, None, memory).await?;
                if !hastened && matches!(detoured, Detoured::No(_)) {
                    self.reroute(Trigger::NoReceipt, None, memory).await?;
                }
            }
            // The report that hastened it may not be stored yet: then it is found in time.
            Receipt::None if hastened => {}
            Receipt::None => {
                self.reroute(Trigger::NoReceipt, None, memory).await?;
            }
        }
        Ok(None)
    }

    /// What the provider has said of the message so far.
    async fn receipt(&self) -> Result<Receipt, Failure> {
        let header = self.item.record().headers.get(AFTER);
        let after = header.and_then(|after| after.as_str().parse().ok()).unwrap_or(0);
        let filter = EventFilter {
            tenant: &self.out.tenant,
            conversation: Some(&self.out.conversation),
            kind: Some("message"),
            ..EventFilter::default()
        };
        let filter = filter.subject().map_err(|error| Failure::poison("subject", error.to_string()))?;
        let fabric = &self.line.shared.fabric;
        let records = fabric.read_range(Stream::Events, &filter, after, usize::MAX).await;
        let mut receipt = Receipt::None;
        for record in records.map_err(|error| Failure::Away(chain(&error)))? {
            let Ok(event) = record.envelope().and_then(|envelope| envelope.decode::<Event>()) else {
                continue;
            };
            if event.tenant != self.out.tenant || message_id(&event) != Some(&self.message.id) {
                continue;
            }
            match event.payload {
                Some(
                    Payload::MessageDelivered(_) | Payload::MessageRead(_) | Payload::MessageRerouted(_),
                ) => {
                    return Ok(Receipt::Came);
                }
                Some(Payload::MessageFailed(_)) => receipt = Receipt::Failed,
                _ => {}
            }
        }
        Ok(receipt)
    }
}

/// What is known of a message that was sent.
enum Receipt {
    /// It arrived, or something else was done about it.
    Came,
    /// It will not arrive.
    Failed,
    /// Nothing.
    None,
}
