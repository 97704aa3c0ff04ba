//! What an agent shows the customer beside messages: that it types, and how far it has read. Pure.

use std::collections::HashMap;

use heliograph_domain::{event::type_of, ids};
use heliograph_fabric::{Envelope, subjects};
use heliograph_proto::v1::{AgentRead, AgentTyping, Event, MessageReference, event::Payload};

use crate::{auth::Identity, routing::SOURCE, view::Held};

/// So often at most is it said that an agent types in a conversation, in milliseconds.
const EVERY_MS: i64 = 3_000;
/// Conversations remembered.
const REMEMBERED: usize = 256;

/// What an agent does.
#[derive(Debug)]
pub(super) enum What {
    /// It types, or stopped.
    Types { on: bool },
    /// It has read the customer's messages up to one, which came by a channel's account.
    Read { up_to: MessageReference, channel: String, account: String },
}

/// A fact to publish.
#[derive(Debug)]
pub(super) struct Fact {
    pub(super) subject: String,
    pub(super) envelope: Envelope,
}

/// What was said last.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// By conversation: whether the agent types, and since when that is known.
    typing: HashMap<String, (bool, i64)>,
}

impl Shown {
    /// The fact behind what an agent does in a conversation of its own; none where that was said already or names nothing.
    pub(super) fn fact(
        &mut self,
        identity: &Identity,
        conversation: &str,
        held: &Held,
        what: What,
        now_ms: i64,
    ) -> Option<Fact> {
        let Identity { tenant, agent, .. } = identity;
        let (channel, account, key, payload) = match what {
            What::Types { on } => {
                if !self.says(conversation, on, now_ms) {
                    return None;
                }
                let key = vec![agent.clone(), on.to_string(), now_ms.to_string()];
                let payload = Payload::AgentTyping(AgentTyping { agent: agent.clone(), on });
                (held.channel.clone(), held.account.clone(), key, payload)
            }
            What::Read { up_to, channel, account } => {
                if up_to.message_id.is_empty() && up_to.provider_message_id.is_empty() {
                    return None;
                }
                // Whoever reads it first has read it for the customer: a message makes one such fact.
                let key = vec![up_to.message_id.clone(), up_to.provider_message_id.clone()];
                let payload = Payload::AgentRead(AgentRead { agent: agent.clone(), up_to: Some(up_to) });
                (channel, account, key, payload)
            }
        };
        let name = type_of(&payload);
        let mut parts = vec![tenant.as_str(), name, conversation];
        parts.extend(key.iter().map(String::as_str));
        let id = ids::derive(ids::EVENT, &parts);
        let subject = subjects::event(tenant, &held.region, &channel, conversation, name).ok()?;
        let or_none = |name: &str| if name.is_empty() { subjects::NONE.to_owned() } else { name.to_owned() };
        let event = Event {
            id: id.clone(),
            r#type: name.to_owned(),
            tenant: tenant.clone(),
            region: or_none(&held.region),
            channel: or_none(&channel),
            account,
            conversation: conversation.to_owned(),
            contact: held.contact.clone(),
            time: Some(heliograph_proto::Timestamp::from_millis(now_ms)),
            payload: Some(payload),
            ..Event::default()
        };
        let envelope = Envelope::of(id, name, SOURCE, now_ms, &event).about(conversation.to_owned());
        Some(Fact { subject, envelope })
    }

    /// Whether this is to be said now. That the agent stopped is said at once, if it was said that it types.
    fn says(&mut self, conversation: &str, on: bool, now_ms: i64) -> bool {
        let due = match self.typing.get(conversation) {
            Some((_, at)) if on => now_ms - at >= EVERY_MS,
            Some((was, _)) => *was,
            None => on,
        };
        if due {
            if self.typing.len() >= REMEMBERED {
                self.typing.retain(|_, (_, at)| now_ms - *at < EVERY_MS);
            }
            let since = match self.typing.get(conversation) {
                // Stopping does not open the door for starting again sooner.
                Some((_, at)) if !on => *at,
                _ => now_ms,
            };
            self.typing.insert(conversation.to_owned(), (on, since));
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;

    #[test]
    fn typing_is_said_every_three_seconds_and_its_end_once() {
        let mut typing = Shown::default();
        assert!(!typing.says("c", false, 0), "nothing to end");
        assert!(typing.says("c", true, 0));
        assert!(!typing.says("c", true, 2_999));
        assert!(typing.says("d", true, 2_999), "conversations are apart");
        assert!(typing.says("c", true, 3_000));
        assert!(typing.says("c", false, 3_100));
        assert!(!typing.says("c", false, 3_200));
        assert!(!typing.says("c", true, 5_999), "no faster by stopping in between");
        assert!(typing.says("c", true, 6_000));
    }
}
