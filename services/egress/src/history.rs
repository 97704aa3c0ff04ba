//! What was sent to a contact lately, for frequency caps: remembered in Redis, and read from the transcripts where Redis
//! does not know.

use std::collections::HashMap;

use heliograph_fabric::{Stream, subjects::EventFilter};
use heliograph_policy::{MessageClass, Sent};
use heliograph_proto::v1::{Event, event::Payload};
use heliograph_store::{
    now_ms,
    sent::{Asking, Delivered, KEPT, SentAt},
};
use jiff::Timestamp;

use crate::{
    error::{Failure, chain},
    judge::{Asked, moment},
    line::Shared,
    time::in_ms,
};

/// A message that was sent before.
#[derive(Debug, Clone)]
pub(crate) struct Earlier {
    at: Timestamp,
    channel: String,
    class: MessageClass,
}

impl Earlier {
    /// As policy looks at it.
    pub(crate) fn as_fact(&self) -> Sent<'_> {
        Sent { at: self.at, channel: &self.channel, class: self.class }
    }

    fn of(sent: SentAt) -> Self {
        let class = MessageClass::named(&sent.class).unwrap_or_default();
        Self { at: moment(sent.at_ms), channel: sent.channel, class }
    }
}

impl Shared {
    /// What was sent to the contact lately, the newest first, as far back as the policy's caps look. Nothing is asked
    /// where there are none.
    ///
    /// # Errors
    /// When neither Redis knows nor the transcripts can be read.
    pub(crate) async fn sent_lately(&self, asked: &Asked) -> Result<Vec<Earlier>, Failure> {
        let reach = asked.book.policy.caps_reach();
        if reach.is_zero() || asked.contact_id.is_empty() {
            return Ok(Vec::new());
        }
        let since = now_ms().saturating_sub(in_ms(reach));
        let (tenant, contact) = (&asked.tenant, &asked.contact_id);
        let rebuild = || Box::pin(self.sent_as_told(asked, since));
        let step = asked.contact.as_ref().map_or(0, |contact| contact.step);
        let asking = Asking { tenant, contact, step, since_ms: since, limit: KEPT, keep: reach };
        let sent = self.sent.recent_or_rebuild(asking, rebuild).await?;
        Ok(sent.into_iter().map(Earlier::of).collect())
    }

    /// Remembers that a message is being sent. Losing it loses no more than Redis does.
    pub(crate) async fn remember_sent(&self, asked: &Asked, delivery_id: &str, channel: &str) {
        let reach = asked.book.policy.caps_reach();
        if reach.is_zero() || asked.contact_id.is_empty() {
            return;
        }
        let sent =
            SentAt { at_ms: now_ms(), channel: channel.to_owned(), class: asked.class.as_str().to_owned() };
        let delivered = Delivered { delivery_id: delivery_id.to_owned(), sent };
        if let Err(error) = self.sent.record(&asked.tenant, &asked.contact_id, &delivered, reach).await {
            tracing::debug!(error = chain(&error), "a message was not remembered for frequency caps");
        }
    }

    /// The messages that were sent to the contact since then, as the transcripts of their conversations tell.
    async fn sent_as_told(&self, asked: &Asked, since_ms: i64) -> Result<Vec<Delivered>, Failure> {
        let Some(contact) = &asked.contact else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for held in self.trail.of_addresses(&asked.tenant, &contact.addresses).await? {
            let filter = EventFilter {
                tenant: &asked.tenant,
                conversation: Some(&held.conversation),
                kind: Some("message"),
                ..EventFilter::default()
            };
            let filter = filter.subject().map_err(|error| Failure::poison("subject", error.to_string()))?;
            let records = self.fabric.read_subject(Stream::Events, &filter).await;
            let records = records.map_err(|error| Failure::Away(chain(&error)))?;
            let events = records.iter().filter_map(|record| record.envelope().ok()?.decode::<Event>().ok());
            found.extend(sent_in(events, since_ms));
        }
        Ok(found)
    }
}

/// What was sent in one conversation since then. What a message was for is told when it is accepted.
fn sent_in(events: impl Iterator<Item = Event>, since_ms: i64) -> Vec<Delivered> {
    let mut classes: HashMap<String, MessageClass> = HashMap::new();
    let mut found = Vec::new();
    for event in events {
        match event.payload {
            Some(Payload::MessageAccepted(accepted)) => {
                if let Some(message) = accepted.message {
                    let class = message.message_class().into();
                    classes.insert(message.id, class);
                }
            }
            Some(Payload::MessageSent(sent)) => {
                let at_ms = event.time.as_ref().map_or(0, heliograph_proto::Timestamp::millis);
                if at_ms >= since_ms {
                    let class = classes.get(&sent.message_id).copied().unwrap_or_default();
                    let sent = SentAt { at_ms, channel: event.channel, class: class.as_str().to_owned() };
                    found.push(Delivered { delivery_id: event.cause, sent });
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_proto::v1::{self, Message, MessageAccepted, MessageSent};

    #[test]
    fn a_transcript_tells_what_was_sent_and_what_for() {
        let event = |at_ms: i64, cause: &str, payload| Event {
            channel: "sms".to_owned(),
            cause: cause.to_owned(),
            time: Some(heliograph_proto::Timestamp::from_millis(at_ms)),
            payload: Some(payload),
            ..Event::default()
        };
        let accepted = |id: &str, class: v1::MessageClass| {
            let message = Message { id: id.to_owned(), message_class: class.into(), ..Message::default() };
            Payload::MessageAccepted(MessageAccepted { message: Some(message), ..MessageAccepted::default() })
        };
        let sent = |id: &str| {
            Payload::MessageSent(MessageSent { message_id: id.to_owned(), ..MessageSent::default() })
        };
        let events = [
            event(1, "", accepted("a", v1::MessageClass::Marketing)),
            event(2, "dlv_a", sent("a")),
            event(3, "", accepted("b", v1::MessageClass::Marketing)),
            event(9, "dlv_b", sent("b")),
            event(9, "dlv_c", sent("c")),
        ];
        let told = sent_in(events.into_iter(), 5);
        let told: Vec<_> =
            told.iter().map(|found| (found.delivery_id.as_str(), found.sent.class.as_str())).collect();
        assert_eq!(told, [("dlv_b", "marketing"), ("dlv_c", "service")]);
    }
}
