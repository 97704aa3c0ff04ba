//! What must hold of the events whatever decided them: one open conversation of a contact, a reason for every offer and
//! refusal, and nothing that crosses from one tenant to another.

use std::collections::BTreeMap;

use heliograph_fabric::subjects;
use heliograph_proto::v1::{Event, event::Payload};

/// Follows the events in the order in which they were decided.
#[derive(Default)]
pub(super) struct Rules<'a> {
    /// The open conversation by tenant and contact.
    open: BTreeMap<(&'a str, &'a str), &'a str>,
    /// The tenant of every conversation.
    tenants: BTreeMap<&'a str, &'a str>,
}

impl<'a> Rules<'a> {
    /// `told` in the order in which it was decided. `whose` is the tenant that the entry at a sequence is of.
    pub(super) fn follow(
        mut self,
        told: &[&'a Event],
        whose: impl Fn(u64) -> Option<&'a str>,
        wrong: &mut Vec<String>,
    ) {
        for event in told {
            let place = event.position.unwrap_or_default();
            let of = whose(place.sequence);
            // What follows from a timer is of whom the machine says.
            if of.is_none_or(|of| of != subjects::NONE && of != event.tenant) {
                wrong.push(format!("{} of {} follows from an entry of {of:?}", event.r#type, event.tenant));
            }
            if let Err(complaint) = self.step(event) {
                wrong.push(format!("{complaint}, by {} of {:?}", event.r#type, event.position));
            }
        }
    }

    fn step(&mut self, event: &'a Event) -> Result<(), String> {
        let (tenant, conversation) = (event.tenant.as_str(), event.conversation.as_str());
        if !conversation.is_empty() {
            let of = *self.tenants.entry(conversation).or_insert(tenant);
            if of != tenant {
                return Err(format!("{conversation} is of {of} and of {tenant}"));
            }
        }
        let contact = (tenant, event.contact.as_str());
        match &event.payload {
            Some(Payload::ConversationOpened(_)) => {
                if let Some(open) = self.open.insert(contact, conversation) {
                    return Err(format!("{contact:?} has {open} open, and {conversation} is opened"));
                }
            }
            Some(Payload::ConversationClosed(_)) => {
                self.open.remove(&contact);
            }
            Some(Payload::ReservationCreated(_) | Payload::CommandRefused(_)) if event.reasons.is_empty() => {
                return Err("no reason is given".to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use heliograph_proto::v1::{ConversationClosed, ConversationOpened, LogPosition, ReservationCreated};

    use super::*;

    fn event(tenant: &str, conversation: &str, payload: Payload) -> Event {
        Event {
            tenant: tenant.to_owned(),
            contact: "con_1".to_owned(),
            conversation: conversation.to_owned(),
            payload: Some(payload),
            position: Some(LogPosition { partition: 0, sequence: 7, index: 0 }),
            ..Event::default()
        }
    }

    fn wrong(events: &[Event], whose: Option<&'static str>) -> Vec<String> {
        let mut wrong = Vec::new();
        Rules::default().follow(&events.iter().collect::<Vec<_>>(), |_| whose, &mut wrong);
        wrong
    }

    #[test]
    fn each_rule_is_looked_at() {
        let opened = || Payload::ConversationOpened(ConversationOpened::default());
        let closed = || Payload::ConversationClosed(ConversationClosed::default());
        let one = [event("acme", "one", opened()), event("acme", "one", closed())];
        let two = event("acme", "two", opened());
        let well = [one[0].clone(), one[1].clone(), two.clone()];
        assert!(wrong(&well, Some("acme")).is_empty());
        assert!(wrong(&well, Some(subjects::NONE)).is_empty());
        assert!(wrong(&[one[0].clone(), two.clone()], Some("acme"))[0].contains("has one open"));
        assert_eq!(wrong(&well, Some("beta")).len(), 3);
        assert_eq!(wrong(&well, None).len(), 3);
        assert!(wrong(&[one[0].clone(), event("beta", "one", closed())], Some(subjects::NONE)).len() == 1);
        let offer = event("acme", "one", Payload::ReservationCreated(ReservationCreated::default()));
        assert!(wrong(&[offer], Some("acme"))[0].contains("no reason"));
    }
}
