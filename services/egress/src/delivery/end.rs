//! The ends a message can come to, as events.

use std::time::Duration;

use heliograph_domain::{
    event::read_id,
    resources::{MessageClass, Trigger},
};
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Capabilities, ConsentChanged, DeliveryError, Event, MessageDeferred, MessageFailed,
        MessageInDoubt, MessageRead, MessageRefused, MessageSent, Reason, Verdict, event::Payload,
    },
};
use heliograph_store::{
    consent::{Choice, Statement, Subject},
    deliveries::unread::Unread,
    now_ms,
};

use super::{
    Buried,
    case::{Case, Memory},
    check::Decided,
    part::Sent,
    reroute::{Detoured, Ways},
};
use crate::{error::Failure, event, time::in_ms, verdict};

/// What became of a message.
#[derive(Debug)]
pub(super) enum End {
    /// The provider has all of it.
    Sent {
        parts: Vec<Sent>,
        transcoding: Vec<Reason>,
        /// The provider says what arrives.
        receipts: bool,
        /// It says how far customers have read.
        reads: bool,
    },
    /// It may not leave. `trigger` says which fallback rules are asked, unless a rule names the channels itself.
    Refused { verdict: Box<Verdict>, trigger: Trigger, named: Option<Ways>, reasons: Vec<Reason> },
    /// It will never work.
    Failed { error: DeliveryError, attempt: u32 },
    /// Nobody knows.
    InDoubt { error: DeliveryError, attempt: u32 },
    /// It might have worked, and nobody waits any longer: a person may replay it.
    GivenUp { error: DeliveryError, reason: &'static str, tries: u32 },
}

impl End {
    pub(super) fn sent(parts: Vec<Sent>, transcoding: &[Reason], capabilities: &Capabilities) -> Self {
        Self::Sent {
            parts,
            transcoding: transcoding.to_vec(),
            receipts: capabilities.receipts_delivered,
            reads: capabilities.receives.iter().any(|kind| kind == "read_mark"),
        }
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Sent { .. } => "sent",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::InDoubt { .. } => "held_in_doubt",
            Self::GivenUp { .. } => "given_up",
        }
    }

    /// What may make the message try another channel.
    fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::Sent { .. } => None,
            Self::Refused { trigger, .. } => Some(*trigger),
            Self::InDoubt { .. } => Some(Trigger::InDoubt),
            Self::Failed { .. } | Self::GivenUp { .. } => Some(Trigger::Failed),
        }
    }

    /// Channels that a rule names for it.
    fn named(&self) -> Option<&Ways> {
        match self {
            Self::Refused { named, .. } => named.as_ref(),
            _ => None,
        }
    }
}

/// Attempts as events count them.
pub(super) fn count(attempt: u32) -> i32 {
    i32::try_from(attempt).unwrap_or(i32::MAX)
}

impl Case<'_> {
    /// Says what became of the message, or that another one stands in for it; returns when that is stored.
    pub(super) async fn end(&self, end: End, memory: &mut Memory) -> Result<Buried, Failure> {
        let mut reasons = Vec::new();
        // What is left of a message that has arrived in part goes nowhere else.
        if let Some(trigger) = end.trigger().filter(|_| !memory.partly) {
            match Box::pin(self.reroute(trigger, end.named(), memory)).await? {
                Detoured::Done => return Ok(None),
                Detoured::No(why) => reasons = why,
            }
        }
        let message_id = self.message.id.clone();
        let label = end.label();
        let (mut buried, mut asks, mut unread) = (None, false, None);
        let (effect, payload) = match end {
            End::Sent { parts, transcoding, receipts, reads } => {
                asks = receipts;
                // It is read when its last part is.
                unread = parts.iter().map(|part| part.at_ms).max().filter(|_| reads);
                self.line.shared.metrics.sent_after(&self.line.name, self.age_ms());
                reasons.extend(memory.decided.as_ref().map(Decided::allowed));
                (vec!["sent".to_owned()], Payload::MessageSent(sent(message_id, &parts, transcoding)))
            }
            End::Refused { verdict, reasons: more, .. } => {
                reasons.splice(..0, more);
                let payload = MessageRefused { message_id, verdict: Some(*verdict) };
                (vec!["refused".to_owned()], Payload::MessageRefused(payload))
            }
            End::Failed { error, attempt } => {
                let payload = MessageFailed { message_id, error: Some(error), attempt: count(attempt) };
                (vec!["failed".to_owned(), attempt.to_string()], Payload::MessageFailed(payload))
            }
            End::InDoubt { error, attempt } => {
                let payload = MessageInDoubt { message_id, error: Some(error), attempt: count(attempt) };
                (vec!["in_doubt".to_owned(), attempt.to_string()], Payload::MessageInDoubt(payload))
            }
            End::GivenUp { error, reason, tries } => {
                buried = Some((reason, format!("{}: {}", error.code, error.text), u64::from(tries)));
                let payload = MessageFailed { message_id, error: Some(error), attempt: count(tries) };
                // A replay is another item of the stream, and may be given up again.
                (vec!["given_up".to_owned(), self.seq().to_string()], Payload::MessageFailed(payload))
            }
        };
        let effect: Vec<&str> = effect.iter().map(String::as_str).collect();
        let event = Event { reasons, ..event::about(self.out, &effect, payload, now_ms()) };
        let at = self.publish(&event).await?;
        if let Some(sent_at_ms) = unread {
            self.await_read(sent_at_ms).await?;
        }
        if asks {
            Box::pin(self.ask_for_receipt(at, memory)).await?;
        }
        self.line.shared.metrics.outcome(&self.line.name, label);
        Ok(buried)
    }

    /// Writes down that the message may be read by a mark. Where such a mark came first, the message is read.
    async fn await_read(&self, sent_at_ms: i64) -> Result<(), Failure> {
        let Address { channel, account, user_id, .. } = self.address;
        let address = heliograph_store::contacts::Address::new(channel, account, user_id);
        let message = Unread { reference: self.reference(), sent_at_ms };
        let put = self.line.shared.deliveries.put_unread(&self.out.tenant, &address, &message).await;
        if put? {
            let message_id = self.message.id.clone();
            let id = read_id(&self.out.tenant, &message_id);
            let payload = Payload::MessageRead(MessageRead { message_id });
            self.publish(&Event { id, ..event::about(self.out, &["read"], payload, now_ms()) }).await?;
        }
        Ok(())
    }

    /// The customer does not want it, says the provider.
    pub(super) async fn opted_out(&self, code: &str, memory: &mut Memory) -> Result<End, Failure> {
        let decided = self.decided(memory).await?;
        let verdict = verdict::opted_out(&decided.judged.verdict, &format!("provider {code}"));
        Ok(End::Refused {
            verdict: Box::new(verdict),
            trigger: Trigger::Denied,
            named: None,
            reasons: Vec::new(),
        })
    }

    /// Says that the message waits.
    pub(super) async fn say_deferred(
        &self,
        wait: Duration,
        error: &DeliveryError,
        attempt: u32,
    ) -> Result<(), Failure> {
        let now = now_ms();
        let payload = Payload::MessageDeferred(MessageDeferred {
            message_id: self.message.id.clone(),
            until: Some(Timestamp::from_millis(now.saturating_add(in_ms(wait)))),
            error: Some(error.clone()),
            attempt: count(attempt),
            verdict: None,
        });
        let effect = ["deferred", &attempt.to_string(), &error.code];
        self.publish(&event::about(self.out, &effect, payload, now)).await?;
        self.line.shared.metrics.outcome(&self.line.name, "deferred");
        Ok(())
    }

    /// The customer opted out with the provider: written down for every purpose, and said.
    pub(super) async fn opt_out(&self, error: &DeliveryError) -> Result<(), Failure> {
        if self.out.contact.is_empty() {
            return Ok(());
        }
        let at_ms = now_ms();
        let source = format!("provider {}", error.code);
        let statement = Statement {
            choice: Choice::OptedOut,
            source: source.clone(),
            cause: self.out.delivery_id.clone(),
            at_ms,
        };
        for class in MessageClass::ALL {
            let subject =
                Subject::new(&self.out.tenant, &self.out.contact, Some(&self.line.name), class.as_str());
            self.line.shared.consent.record(&subject, &statement).await?;
        }
        let changed = ConsentChanged {
            channel: self.line.name.clone(),
            purpose: String::new(),
            granted: false,
            source,
        };
        self.publish(&event::about(self.out, &["opted_out"], Payload::ConsentChanged(changed), at_ms))
            .await?;
        Ok(())
    }

    /// Publishes a public event; returns its place in the stream when it is stored. In order, because a conversation has
    /// one message in hand.
    pub(super) async fn publish(&self, event: &Event) -> Result<u64, Failure> {
        let now = event.time.as_ref().map_or_else(now_ms, Timestamp::millis);
        let (subject, envelope) =
            event::public(event, now).map_err(|error| Failure::poison("subject", error.to_string()))?;
        self.owned.fence.check().map_err(|_| Failure::Lost)?;
        Ok(self.line.shared.fabric.publish(&subject, &envelope, None).await?.seq)
    }

    fn age_ms(&self) -> i64 {
        self.out.accepted_at.as_ref().map_or(0, |accepted| now_ms() - accepted.millis())
    }
}

fn sent(message_id: String, parts: &[Sent], transcoding: Vec<Reason>) -> MessageSent {
    let mut ids = parts.iter().flat_map(|part| part.ids.iter().cloned());
    let counted = |part: &Sent| if parts.len() > 1 { part.parts.max(1) } else { part.parts };
    MessageSent {
        message_id,
        provider_message_id: ids.next().unwrap_or_default(),
        provider_part_ids: ids.collect(),
        attempt: parts.iter().map(|part| count(part.attempt)).max().unwrap_or_default(),
        transcoding,
        parts: parts.iter().map(counted).sum(),
    }
}
