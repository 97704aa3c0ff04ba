//! Decisions as events and outbound work, with the content the machine never saw.

mod outbound;
mod payload;
mod reasons;
mod tell;

use heliograph_assignment::{Decision, Kind as What, PoolConfig, Position};
use heliograph_domain::ids;
use heliograph_proto::{
    Timestamp,
    v1::{
        Address, Event, LogPosition, OutboundMessage, Reason, RoutingEntry, TenantArriving, event::Payload,
        routing_entry::Kind,
    },
};
use heliograph_store::{contacts, trail};

use super::annex::Annex;
pub(crate) use payload::{count, for_what};

/// Set in the index of what is told to a customer, whose place is that of the decision otherwise.
const TOLD: u32 = 1 << 31;

/// One thing to publish.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Emission {
    /// What has the same lane leaves in order.
    pub(crate) lane: String,
    pub(crate) item: Item,
}

/// What is published.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    /// To HG_EVENTS.
    Event(Box<Event>),
    /// To HG_OUTBOUND.
    Outbound(Box<OutboundMessage>),
    /// To HG_TRAIL.
    Trail(Box<Trail>),
    /// To another partition of HG_ROUTING.
    Onward(Box<Onward>),
}

/// What goes to the partition that has the tenant now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Onward {
    pub(crate) to: u16,
    pub(crate) tenant: String,
    /// How often the tenant had moved when it came there.
    pub(crate) generation: u32,
    /// The entry it follows from, and which part it is.
    pub(crate) place: LogPosition,
    /// A part of the tenant; none for the entry itself.
    pub(crate) arriving: Option<TenantArriving>,
}

impl Onward {
    /// Names it for the broker, so that it is stored once: the entry itself has stood in the stream before.
    pub(crate) fn id(&self) -> String {
        let LogPosition { partition, sequence, index } = self.place;
        ids::derive("ent", &["onward", &partition.to_string(), &sequence.to_string(), &index.to_string()])
    }
}

/// That a conversation was held with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trail {
    /// Names it for the broker, so that it is stored once.
    pub(crate) id: String,
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) at_ms: i64,
}

/// A decision and the entry it followed from.
pub(crate) struct Decided<'a> {
    pub(crate) entry: &'a RoutingEntry,
    pub(crate) decision: &'a Decision,
    /// What was decided after it at the same entry.
    pub(crate) following: &'a [Decision],
    /// What is configured for the tenant.
    pub(crate) config: Option<&'a PoolConfig>,
    pub(crate) position: Position,
    pub(crate) at_ms: i64,
}

/// Appends what follows from a decision. `held` is the address that the conversation is held with for the
/// first time.
pub(crate) fn emit(about: &Decided<'_>, annex: &Annex, held: Option<&Held>, out: &mut Vec<Emission>) {
    let lane = about.lane();
    let mut push = |item| out.push(Emission { lane: lane.clone(), item });
    // The trail first: whoever hears of the event finds it.
    if let Some(trail) = held.and_then(|held| about.trail(held)) {
        push(Item::Trail(Box::new(trail)));
    }
    let known = about.decision.conversation.as_ref().and_then(|conversation| annex.get(&conversation.id));
    let Some((payload, outbound)) = about.payload(known) else { return };
    let mut event = about.event(about.id(ids::EVENT), payload);
    let manner = annex.manner(&about.decision.tenant);
    // Where the channel shows it, the event is all that is needed.
    let shown = manner.is_some_and(|manner| manner.shown_by.contains(&event.channel));
    let told = tell::told(about, known, manner.map_or("", |manner| &manner.locale), shown);
    let said = told.as_ref().filter(|_| !shown).and_then(|told| about.say(told, known));
    event.told = told.filter(|_| shown).map(Box::new);
    push(Item::Event(Box::new(event)));
    for (event, outbound) in outbound.map(|work| (None, work)).into_iter().chain(said) {
        if let Some(event) = event {
            push(Item::Event(event));
        }
        push(Item::Outbound(Box::new(outbound)));
    }
}

/// An address that a conversation is held with, and since when.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) address: Address,
    pub(crate) since_ms: i64,
}

impl Decided<'_> {
    /// An id for what this decision makes. Places in the log are its only source, so every replica makes the same.
    fn id(&self, prefix: &str) -> String {
        self.derived(prefix, "routing")
    }

    /// An id for what is told of this decision.
    fn told_id(&self, prefix: &str) -> String {
        self.derived(prefix, "told")
    }

    fn derived(&self, prefix: &str, what: &str) -> String {
        let Position { partition, sequence } = self.position;
        let place = [partition.to_string(), sequence.to_string(), self.decision.index.to_string()];
        ids::derive(prefix, &[&self.decision.tenant, what, &place[0], &place[1], &place[2]])
    }

    /// What makes the conversation findable by the address, whosever the address is by then.
    fn trail(&self, held: &Held) -> Option<Trail> {
        let conversation = self.decision.conversation.as_ref()?;
        let Address { channel, account, user_id, .. } = &held.address;
        let address = contacts::Address::new(channel, account, user_id);
        Some(Trail {
            id: self.id("trl"),
            key: trail::key(&self.decision.tenant, &address, &conversation.id),
            value: trail::value(&address, held.since_ms),
            at_ms: self.at_ms,
        })
    }

    fn log_position(&self) -> LogPosition {
        LogPosition {
            partition: self.position.partition.into(),
            sequence: self.position.sequence,
            index: self.decision.index,
        }
    }

    /// Where what is told of this decision stands: behind everything that was decided.
    fn told_position(&self) -> LogPosition {
        LogPosition { index: TOLD | self.decision.index, ..self.log_position() }
    }

    fn lane(&self) -> String {
        if let Some(conversation) = &self.decision.conversation {
            return conversation.id.to_string();
        }
        let agent = match &self.decision.kind {
            What::AgentPresenceChanged { agent, .. }
            | What::CommandRefused { agent, .. }
            | What::CommandAccepted { agent: Some(agent), .. } => agent,
            _ => "",
        };
        format!("{}/{agent}", self.decision.tenant)
    }

    fn cause(&self) -> &str {
        match &self.entry.kind {
            Some(Kind::Proposal(proposal)) => proposal.event.as_ref().map_or("", |event| &event.id),
            Some(Kind::Command(command)) => &command.command_id,
            Some(Kind::Send(send)) => &send.command_id,
            Some(Kind::Callback(asked)) => &asked.command_id,
            Some(Kind::Abandon(left)) => &left.command_id,
            _ => &self.entry.id,
        }
    }

    fn event(&self, id: String, payload: Payload) -> Event {
        let mut why: Vec<Reason> = self.decision.reasons.iter().map(reasons::reason).collect();
        match &self.decision.kind {
            What::ReservationCreated { choice: Some(choice), .. } => why.push(reasons::chosen(choice)),
            // Why this queue: said once, where the conversation begins to wait.
            What::ConversationQueued { .. } => {
                if let Some(Kind::Proposal(proposal)) = &self.entry.kind {
                    why.extend(proposal.wanted.iter().flat_map(|wanted| wanted.reasons.clone()));
                }
            }
            _ => {}
        }
        let mut event = Event {
            id,
            tenant: self.decision.tenant.to_string(),
            time: Some(Timestamp::from_millis(self.at_ms)),
            cause: self.cause().to_owned(),
            reasons: why,
            position: Some(self.log_position()),
            payload: Some(payload),
            ..Event::default()
        };
        if let Some(conversation) = &self.decision.conversation {
            conversation.address.region.as_deref().unwrap_or_default().clone_into(&mut event.region);
            let address = match &self.decision.kind {
                // A message may leave by another way than the customer last wrote.
                What::MessageAccepted { address, .. } => address,
                _ => &conversation.address,
            };
            event.channel = address.channel.to_string();
            event.account = address.account.to_string();
            event.conversation = conversation.id.to_string();
            event.contact = conversation.contact.to_string();
        }
        event
    }
}
