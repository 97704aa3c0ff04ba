//! Whether a receipt came in time, for policies that try another channel when none does.
//!
//! The question is put when the message is sent, and comes back from the broker when the policy's time is over. A failure
//! that the provider reports later is met here, too: it makes the message try another channel no sooner than this, and only
//! where the policy waits for receipts.

use std::time::Duration;

use heliograph_domain::{event::message_id, ids, resources::Trigger};
use heliograph_fabric::{Stream, subjects::EventFilter};
use heliograph_proto::v1::{Event, OutboundMessage, event::Payload, outbound_message::Purpose};
use heliograph_store::now_ms;

use super::{
    Buried,
    case::{Case, Memory},
};
use crate::{
    error::{Failure, chain},
    time::in_ms,
};

/// Header that says after which event of the stream the receipts can stand.
pub(super) const AFTER: &str = "Heliograph-After";
/// The longest a receipt is waited for: well within the age limit of the stream in which the question waits.
const LONGEST: Duration = Duration::from_hours(6 * 24);

impl Case<'_> {
    /// Puts the question, if the policy wants it asked. `sent_at` is where the sent event stands.
    pub(super) async fn ask_for_receipt(&self, sent_at: u64, memory: &mut Memory) -> Result<(), Failure> {
        let decided = self.decided(memory).await?;
        let region = &decided.judged.known.region;
        let policy = &decided.asked.book.policy;
        let Some(patience) = policy.receipt_patience(region, &self.line.name, decided.asked.class) else {
            return Ok(());
        };
        let question = OutboundMessage { purpose: Purpose::CheckReceipt.into(), ..self.out.clone() };
        let token = ids::derive(ids::DELIVERY, &[&self.out.delivery_id, "receipt"]);
        let at = now_ms().saturating_add(in_ms(patience.min(LONGEST)));
        // What may have been sent before may have been confirmed before: then all is looked through.
        let after = if self.seen { 0 } else { sent_at };
        self.come_again(&token, &token, at, &question, Some(after)).await
    }

    /// Answers the question.
    pub(super) async fn check_receipt(&self, memory: &mut Memory) -> Result<Buried, Failure> {
        let trigger = match self.receipt().await? {
            Receipt::Came => None,
            Receipt::Failed => Some(Trigger::Failed),
            Receipt::None => Some(Trigger::NoReceipt),
        };
        memory.counted = true;
        if let Some(trigger) = trigger {
            // Where nothing stands in, what was said of the message is all there is to say.
            self.reroute(trigger, None, memory).await?;
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
