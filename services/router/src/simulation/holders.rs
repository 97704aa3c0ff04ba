//! Who holds which conversation, as it can be told from the events alone.

use std::collections::BTreeMap;

use heliograph_proto::v1::{Event, event::Payload};

use super::town::AGENTS;

/// Conversations by tenant and id, with who holds them and by which reservation.
#[derive(Default)]
pub(super) struct Holders {
    held: BTreeMap<(String, String), (String, String)>,
}

impl Holders {
    /// Goes through the events in the order in which they were decided.
    pub(super) fn follow(mut self, told: &[&Event], wrong: &mut Vec<String>) {
        for event in told {
            if let Err(complaint) = self.step(event) {
                wrong.push(format!("{complaint}, by {} of {:?}", event.r#type, event.position));
            }
        }
    }

    fn step(&mut self, event: &Event) -> Result<(), String> {
        let key = (event.tenant.clone(), event.conversation.clone());
        match &event.payload {
            Some(Payload::ReservationCreated(it)) => {
                if let Some((holder, _)) = self.held.get(&key) {
                    return Err(format!("{} is offered {} while {holder} has it", it.agent, key.1));
                }
                self.held.insert(key, (it.agent.clone(), it.reservation_id.clone()));
                self.has_room(&event.tenant, &it.agent)
            }
            Some(Payload::ReservationAccepted(it)) => self.is_of(&key, &it.agent, &it.reservation_id),
            Some(Payload::ReservationRejected(it)) => self.ends(&key, &it.agent, &it.reservation_id),
            Some(Payload::ReservationTimedOut(it)) => self.ends(&key, &it.agent, &it.reservation_id),
            Some(Payload::ReservationRescinded(it)) => self.ends(&key, &it.agent, &it.reservation_id),
            Some(Payload::ConversationAssigned(it)) => match self.held.get(&key) {
                Some((holder, _)) if *holder == it.agent => Ok(()),
                holder => Err(format!("{} is given {} while {holder:?} has it", it.agent, key.1)),
            },
            Some(
                Payload::ConversationRequeued(_)
                | Payload::ConversationTransferred(_)
                | Payload::ConversationClosed(_),
            ) => {
                self.held.remove(&key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn is_of(&self, key: &(String, String), agent: &str, reservation: &str) -> Result<(), String> {
        match self.held.get(key) {
            Some((holder, by)) if holder == agent && by == reservation => Ok(()),
            other => Err(format!("{agent} holds {} by {reservation}, or so it says: {other:?}", key.1)),
        }
    }

    fn ends(&mut self, key: &(String, String), agent: &str, reservation: &str) -> Result<(), String> {
        self.is_of(key, agent, reservation)?;
        self.held.remove(key);
        Ok(())
    }

    fn has_room(&self, tenant: &str, agent: &str) -> Result<(), String> {
        let held = self.held.iter().filter(|((of, _), (holder, _))| of == tenant && holder == agent).count();
        let room = AGENTS.iter().find(|(name, _)| *name == agent).map_or(0, |(_, room)| *room);
        if held > room as usize {
            return Err(format!("{agent} of {tenant} holds {held} and has room for {room}"));
        }
        Ok(())
    }
}
