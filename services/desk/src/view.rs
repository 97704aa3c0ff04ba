//! What one agent may see of the public stream. Pure.
//!
//! An agent sees facts that name it, everything of the conversations it is offered, has or advises on, and its queues
//! filling up.
//! A supervisor sees all of the tenant.

use std::collections::{HashMap, HashSet, VecDeque};

use heliograph_proto::v1::{
    ConversationView, DeskState, Event, LogPosition, ReservationCreated, ReservationPurpose, event::Payload,
};

use crate::auth::Identity;

/// Closed conversations whose late receipts are still shown.
const CLOSED_KEPT: usize = 50;

/// What a conversation before the agent is to them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Part {
    /// It rings.
    #[default]
    Offered,
    /// They are asked for advice; it rings.
    Asked,
    /// They answer the customer.
    Answers,
    /// They advise whoever answers.
    Advises,
    /// They take part as a supervisor, and may answer too.
    Joined,
}

impl Part {
    /// Whether the agent may write to the customer.
    pub(crate) fn may_write(self) -> bool {
        matches!(self, Self::Answers | Self::Joined)
    }

    /// Whether it goes when the conversation goes to somebody else. Who advises or takes part stays until that is ended.
    fn goes_with_it(self) -> bool {
        matches!(self, Self::Offered | Self::Answers)
    }
}

/// A conversation before the agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) region: String,
    pub(crate) channel: String,
    pub(crate) account: String,
    pub(crate) contact: String,
    pub(crate) part: Part,
}

/// How an event changes what is before the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It rings.
    Offered(Part),
    /// The agent took what rang.
    Accepted,
    /// It is the agent's in this part.
    Began(Part),
    /// It does not ring any more, or the part is over.
    Ended(Part),
    /// It goes to somebody else; `mine` says that it was this agent's until then.
    Left {
        mine: bool,
    },
    Closed {
        mine: bool,
    },
}

/// The agent's view at one place of the stream.
#[derive(Debug, Clone)]
pub(crate) struct View {
    agent: String,
    queues: Vec<String>,
    supervisor: bool,
    held: HashMap<String, Held>,
    closed: VecDeque<String>,
}

impl View {
    /// The view that goes with a state.
    pub(crate) fn of(identity: &Identity, state: &DeskState) -> Self {
        let mut view = Self {
            agent: identity.agent.clone(),
            queues: identity.profile.queues.clone(),
            supervisor: identity.supervisor,
            held: HashMap::new(),
            closed: VecDeque::new(),
        };
        let mut hold = |conversation: &ConversationView, part| {
            view.held.insert(conversation.id.clone(), held(conversation, part));
        };
        for offer in &state.reservations {
            let part = offer.reservation.as_ref().map_or(Part::Offered, ringing);
            if let Some(conversation) = &offer.conversation {
                hold(conversation, part);
            }
        }
        state.consults.iter().for_each(|conversation| hold(conversation, Part::Advises));
        state.joined.iter().for_each(|conversation| hold(conversation, Part::Joined));
        state.conversations.iter().for_each(|conversation| hold(conversation, Part::Answers));
        view
    }

    /// The view before `gap`, of which `state` is what came out: what a client had before it that resumes there.
    pub(crate) fn before<'a>(
        identity: &Identity,
        state: &DeskState,
        gap: impl IntoIterator<Item = &'a Event>,
    ) -> Self {
        let mut view = Self::of(identity, state);
        let mut decided = HashSet::new();
        for event in gap {
            let Some(change) = change(event, &view.agent) else { continue };
            // What happened first in the gap tells what was before it.
            if !decided.insert(event.conversation.clone()) {
                continue;
            }
            let had = match change {
                Change::Offered(_) | Change::Began(_) => None,
                Change::Accepted => Some(Part::Offered),
                Change::Ended(part) => Some(part),
                Change::Left { mine } | Change::Closed { mine } => mine.then_some(Part::Answers),
            };
            // Whose the conversation is says nothing of who advises or takes part.
            let stays = matches!(change, Change::Left { .. })
                && view.held.get(&event.conversation).is_some_and(|held| !held.part.goes_with_it());
            if let Some(part) = had {
                view.held.insert(event.conversation.clone(), holding(event, part));
            } else if !stays {
                view.held.remove(&event.conversation);
            }
        }
        view
    }

    /// Whether the agent may see `event`, which comes next, and what follows from it for those after it.
    pub(crate) fn see(&mut self, event: &Event) -> bool {
        let visible = self.visible(event);
        self.rename(event);
        let part = self.held.get(&event.conversation).map(|held| held.part);
        match change(event, &self.agent) {
            Some(Change::Offered(part) | Change::Began(part)) => self.hold(event, part),
            // What was asked for advice is advised on once that begins.
            Some(Change::Accepted) if part != Some(Part::Asked) => self.hold(event, Part::Answers),
            // An offer that ended may have been one for advice.
            Some(Change::Ended(ended))
                if part == Some(ended) || (ended, part) == (Part::Offered, Some(Part::Asked)) =>
            {
                self.held.remove(&event.conversation);
            }
            Some(Change::Left { .. }) if part.is_some_and(Part::goes_with_it) => {
                self.held.remove(&event.conversation);
            }
            Some(Change::Closed { .. }) => self.close(&event.conversation),
            _ => {}
        }
        visible
    }

    /// The conversation, if it is before the agent.
    pub(crate) fn held(&self, conversation: &str) -> Option<&Held> {
        self.held.get(conversation)
    }

    /// Contacts whose conversations are before the agent.
    pub(crate) fn contacts(&self) -> Vec<String> {
        let contacts = self.held.values().map(|held| held.contact.clone());
        contacts.filter(|contact| !contact.is_empty()).collect()
    }

    /// Whether a contact's own page may be read: a conversation of theirs is before the agent.
    pub(crate) fn may_meet(&self, contact: &str) -> bool {
        self.supervisor || (!contact.is_empty() && self.held.values().any(|held| held.contact == contact))
    }

    /// Whether the conversation's history may be read without looking whether it once was the agent's.
    pub(crate) fn may_read(&self, conversation: &str) -> bool {
        self.supervisor || self.held.contains_key(conversation)
    }

    fn visible(&self, event: &Event) -> bool {
        if self.supervisor
            || party(event) == Some(self.agent.as_str())
            || self.held.contains_key(&event.conversation)
        {
            return true;
        }
        match &event.payload {
            Some(Payload::ConversationQueued(queued)) => self.queues.contains(&queued.queue),
            Some(Payload::ConversationTransferred(moved)) => moved.to_agent == self.agent,
            Some(Payload::ContactUpdated(_) | Payload::ConsentChanged(_) | Payload::ContactSplit(_)) => {
                self.may_meet(&event.contact)
            }
            Some(Payload::ContactJoined(joined)) => {
                self.may_meet(&event.contact) || self.may_meet(&joined.previous_contact)
            }
            _ => event.r#type.starts_with("message.") && self.closed.contains(&event.conversation),
        }
    }

    /// Contacts change their ids when addresses are joined and split.
    fn rename(&mut self, event: &Event) {
        if event.contact.is_empty() {
            return;
        }
        if let Some(Payload::ContactJoined(joined)) = &event.payload {
            for held in self.held.values_mut().filter(|held| held.contact == joined.previous_contact) {
                if !held.contact.is_empty() {
                    held.contact.clone_from(&event.contact);
                }
            }
        }
        if let Some(held) = self.held.get_mut(&event.conversation) {
            held.contact.clone_from(&event.contact);
        }
    }

    fn close(&mut self, conversation: &str) {
        if self.held.remove(conversation).is_none() {
            return;
        }
        if self.closed.len() >= CLOSED_KEPT {
            self.closed.pop_front();
        }
        self.closed.push_back(conversation.to_owned());
    }

    fn hold(&mut self, event: &Event, part: Part) {
        let held = self.held.entry(event.conversation.clone()).or_insert_with(|| holding(event, part));
        held.part = part;
    }
}

/// The agent a fact is about: the one it was offered to, given to, taken from.
pub(crate) fn party(event: &Event) -> Option<&str> {
    let agent = match event.payload.as_ref()? {
        Payload::ConversationAssigned(it) => &it.agent,
        Payload::ConversationRequeued(it) => &it.agent,
        Payload::ConversationWrapUp(it) => &it.agent,
        Payload::ConversationClosed(it) => &it.agent,
        Payload::ConversationTransferred(it) => &it.from_agent,
        Payload::ConversationPrioritized(it) => &it.agent,
        Payload::ConsultStarted(it) => &it.agent,
        Payload::ConsultEnded(it) => &it.agent,
        Payload::SupervisorJoined(it) => &it.agent,
        Payload::SupervisorLeft(it) => &it.agent,
        Payload::ReservationCreated(it) => &it.agent,
        Payload::ReservationAccepted(it) => &it.agent,
        Payload::ReservationRejected(it) => &it.agent,
        Payload::ReservationTimedOut(it) => &it.agent,
        Payload::ReservationRescinded(it) => &it.agent,
        Payload::AgentPresenceChanged(it) => &it.agent,
        Payload::CommandAccepted(it) => &it.agent,
        Payload::CommandRefused(it) => &it.agent,
        _ => return None,
    };
    Some(agent)
}

/// Whether an event is already part of a state taken at `position`, though it stands behind the state's sequence.
///
/// Facts of the conversation are sent all the same: a transcript read before they were stored lacks them, and clients
/// fold them by sequence. Offers and presence would only flicker. All partitions are parts of one stream, so that sequences
/// tell what was decided before even where the tenant moved in between.
pub(crate) fn is_in_state(event: &Event, position: Option<&LogPosition>) -> bool {
    let (Some(decided), Some(applied)) = (&event.position, position) else { return false };
    decided.sequence <= applied.sequence
        && matches!(event.r#type.split_once('.'), Some(("reservation" | "agent", _)))
}

/// What an offer is of.
fn ringing(created: &ReservationCreated) -> Part {
    if created.purpose() == ReservationPurpose::Consult { Part::Asked } else { Part::Offered }
}

fn change(event: &Event, agent: &str) -> Option<Change> {
    let mine = party(event) == Some(agent);
    match event.payload.as_ref()? {
        Payload::ReservationCreated(created) if mine => Some(Change::Offered(ringing(created))),
        Payload::ReservationAccepted(_) if mine => Some(Change::Accepted),
        Payload::ConversationAssigned(_) if mine => Some(Change::Began(Part::Answers)),
        Payload::ConsultStarted(_) if mine => Some(Change::Began(Part::Advises)),
        Payload::SupervisorJoined(_) if mine => Some(Change::Began(Part::Joined)),
        Payload::ReservationRejected(_)
        | Payload::ReservationTimedOut(_)
        | Payload::ReservationRescinded(_)
            if mine =>
        {
            Some(Change::Ended(Part::Offered))
        }
        Payload::ConsultEnded(_) if mine => Some(Change::Ended(Part::Advises)),
        Payload::SupervisorLeft(_) if mine => Some(Change::Ended(Part::Joined)),
        Payload::ConversationAssigned(_)
        | Payload::ConversationRequeued(_)
        | Payload::ConversationTransferred(_) => Some(Change::Left { mine }),
        Payload::ConversationClosed(_) => Some(Change::Closed { mine }),
        _ => None,
    }
}

fn held(view: &ConversationView, part: Part) -> Held {
    let address = view.address.clone().unwrap_or_default();
    Held {
        region: view.region.as_ref().map(|region| region.name.clone()).unwrap_or_default(),
        channel: address.channel,
        account: address.account,
        contact: view.contact.clone(),
        part,
    }
}

fn holding(event: &Event, part: Part) -> Held {
    Held {
        region: event.region.clone(),
        channel: event.channel.clone(),
        account: event.account.clone(),
        contact: event.contact.clone(),
        part,
    }
}

#[cfg(test)]
mod tests;
