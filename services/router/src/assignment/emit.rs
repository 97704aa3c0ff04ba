//! Decisions as events and outbound work, with the content the machine never saw.

use std::collections::HashMap;

use heliograph_assignment::{
    self as machine, Choice, Decision, Kind as What, Place, Position, Reason as Why, Sender as Author, Target,
};
use heliograph_domain::ids;
use heliograph_proto::{
    Struct, Timestamp, Value,
    v1::{
        Address, AgentPresenceChanged, CommandAccepted, CommandRefused, ConversationAssigned,
        ConversationClosed, ConversationOpened, ConversationQueued, ConversationRequeued,
        ConversationTransferred, ConversationWrapUp, Direction, Event, LogPosition, Message, MessageAccepted,
        MessageClass, MessageReceived, OutboundMessage, Reason, Reply, ReservationAccepted,
        ReservationCreated, ReservationRejected, ReservationRescinded, ReservationTimedOut, RoutingEntry,
        SendRequested, Sender, SenderKind, SkillWanted, command, event::Payload, routing_entry::Kind,
    },
};

use heliograph_store::{contacts, trail};

use super::{
    annex::{Annex, Known},
    convert::{presence_on_wire, proposed},
};
use crate::needs::{leaf_to_wire, need_to_wire};

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
    pub(crate) position: Position,
    pub(crate) at_ms: i64,
}

/// Appends what follows from a decision. `held` is the address that the conversation is held with for the
/// first time.
pub(crate) fn emit(about: &Decided<'_>, annex: &Annex, held: Option<&Held>, out: &mut Vec<Emission>) {
    let lane = about.lane();
    // The trail first: whoever hears of the event finds it.
    if let Some(trail) = held.and_then(|held| about.trail(held)) {
        out.push(Emission { lane: lane.clone(), item: Item::Trail(Box::new(trail)) });
    }
    let known = about.decision.conversation.as_ref().and_then(|conversation| annex.get(&conversation.id));
    let Some((payload, outbound)) = about.payload(known) else { return };
    out.push(Emission { lane: lane.clone(), item: Item::Event(Box::new(about.event(payload))) });
    if let Some(outbound) = outbound {
        out.push(Emission { lane, item: Item::Outbound(Box::new(outbound)) });
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
        let Position { partition, sequence } = self.position;
        let place = [partition.to_string(), sequence.to_string(), self.decision.index.to_string()];
        ids::derive(prefix, &[&self.decision.tenant, "routing", &place[0], &place[1], &place[2]])
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
            _ => &self.entry.id,
        }
    }

    fn event(&self, payload: Payload) -> Event {
        let mut reasons: Vec<Reason> = self.decision.reasons.iter().map(reason).collect();
        match &self.decision.kind {
            What::ReservationCreated { choice: Some(choice), .. } => reasons.push(chosen(choice)),
            // Why this queue: said once, where the conversation begins to wait.
            What::ConversationQueued { .. } => {
                if let Some(Kind::Proposal(proposal)) = &self.entry.kind {
                    reasons.extend(proposal.wanted.iter().flat_map(|wanted| wanted.reasons.clone()));
                }
            }
            _ => {}
        }
        let mut event = Event {
            id: self.id(ids::EVENT),
            tenant: self.decision.tenant.to_string(),
            time: Some(Timestamp::from_millis(self.at_ms)),
            cause: self.cause().to_owned(),
            reasons,
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

    /// The event's payload, and the outbound work that goes with it. None for what is nobody's business.
    fn payload(&self, known: Option<&Known>) -> Option<(Payload, Option<OutboundMessage>)> {
        let payload = match &self.decision.kind {
            What::Duplicate { .. } => return None,
            // The desk's branch gives each of these its event.
            What::ConversationRelaxed { .. }
            | What::ConversationOverflowed { .. }
            | What::PositionAnnounced { .. }
            | What::WaitTimedOut { .. }
            | What::CallbackScheduled { .. }
            | What::CallbackCancelled { .. }
            | What::ConversationPrioritized { .. }
            | What::ConsultStarted { .. }
            | What::ConsultEnded { .. }
            | What::SupervisorJoined { .. }
            | What::SupervisorLeft { .. }
            | What::PoolMoved { .. }
            | What::PoolArrived { .. }
            | What::Forwarded { .. } => return None,
            What::MessageAccepted { message_id, sender, .. } => {
                return self.accepted(known, message_id, sender);
            }
            What::MessageReceived { .. } => {
                let Some(Kind::Proposal(proposal)) = &self.entry.kind else { return None };
                let (message, verdict) = (proposed(proposal).cloned(), proposal.verdict.clone());
                let windows = proposal.windows.clone();
                Payload::MessageReceived(MessageReceived { message, verdict, windows })
            }
            What::ConversationOpened { direction, .. } => {
                let direction = match direction {
                    machine::Direction::Inbound => Direction::Inbound,
                    machine::Direction::Outbound => Direction::Outbound,
                };
                Payload::ConversationOpened(ConversationOpened {
                    scope: self
                        .decision
                        .conversation
                        .as_ref()
                        .map_or_else(String::new, |it| it.scope.to_string()),
                    direction: direction.into(),
                    address: known.and_then(Known::address),
                    region: known.and_then(Known::verdict).and_then(|verdict| verdict.region),
                })
            }
            What::ConversationQueued {
                place: Place { queue, position, no_agent_online, .. },
                required,
                preferred,
                ..
            } => {
                let skills = required.iter().map(|need| SkillWanted { required: true, ..need_to_wire(need) });
                Payload::ConversationQueued(ConversationQueued {
                    queue: queue.to_string(),
                    position: i32::try_from(*position).unwrap_or(i32::MAX),
                    skills: skills.chain(preferred.iter().map(leaf_to_wire)).collect(),
                    no_agent_online: *no_agent_online,
                })
            }
            What::ReservationCreated { reservation, agent, queue, expires_at, .. } => {
                Payload::ReservationCreated(ReservationCreated {
                    reservation_id: reservation.to_string(),
                    agent: agent.to_string(),
                    queue: queue.to_string(),
                    expires_at: Some(Timestamp::from_millis(expires_at.0)),
                })
            }
            What::ReservationAccepted { reservation, agent } => {
                let (reservation_id, agent) = (reservation.to_string(), agent.to_string());
                Payload::ReservationAccepted(ReservationAccepted { reservation_id, agent })
            }
            What::ReservationRejected { reservation, agent, reason } => {
                Payload::ReservationRejected(ReservationRejected {
                    reservation_id: reservation.to_string(),
                    agent: agent.to_string(),
                    reason: reason.as_deref().unwrap_or_default().to_owned(),
                })
            }
            What::ReservationTimedOut { reservation, agent } => {
                let (reservation_id, agent) = (reservation.to_string(), agent.to_string());
                Payload::ReservationTimedOut(ReservationTimedOut { reservation_id, agent })
            }
            What::ReservationRescinded { reservation, agent } => {
                let (reservation_id, agent) = (reservation.to_string(), agent.to_string());
                Payload::ReservationRescinded(ReservationRescinded { reservation_id, agent })
            }
            What::ConversationAssigned { agent, queue } => {
                Payload::ConversationAssigned(ConversationAssigned {
                    agent: agent.to_string(),
                    queue: queue.to_string(),
                })
            }
            What::ConversationRequeued { place, agent } => {
                Payload::ConversationRequeued(ConversationRequeued {
                    agent: agent.to_string(),
                    queue: place.queue.to_string(),
                })
            }
            What::ConversationTransferred { from, to } => {
                let (to_agent, to_queue) = match to {
                    Target::Skills(_) => (String::new(), String::new()),
                    Target::Agent(agent) => (agent.to_string(), String::new()),
                    Target::Queue(queue) => (String::new(), queue.to_string()),
                };
                Payload::ConversationTransferred(ConversationTransferred {
                    from_agent: from.to_string(),
                    to_agent,
                    to_queue,
                })
            }
            What::WrapUpStarted { agent, ends_at, .. } => Payload::ConversationWrapUp(ConversationWrapUp {
                agent: agent.to_string(),
                until: Some(Timestamp::from_millis(ends_at.0)),
            }),
            What::ConversationClosed { agent, wrap_up } => Payload::ConversationClosed(ConversationClosed {
                agent: agent.as_deref().unwrap_or_default().to_owned(),
                wrap_up_code: wrap_up.as_deref().unwrap_or_default().to_owned(),
                note: known.map_or_else(String::new, |known| known.note.clone()),
            }),
            What::AgentPresenceChanged { agent, from, to } => {
                Payload::AgentPresenceChanged(AgentPresenceChanged {
                    agent: agent.to_string(),
                    from: presence_on_wire(*from).into(),
                    to: presence_on_wire(*to).into(),
                })
            }
            What::CommandAccepted { command_id, agent } => Payload::CommandAccepted(CommandAccepted {
                command_id: command_id.to_string(),
                agent: agent.as_deref().unwrap_or_default().to_owned(),
            }),
            What::CommandRefused { command_id, agent, .. } => Payload::CommandRefused(CommandRefused {
                command_id: command_id.to_string(),
                agent: agent.to_string(),
            }),
        };
        Some((payload, None))
    }

    /// A message to the customer goes to egress, which asks the policy in force when it leaves. The verdict it carries
    /// (of the customer's last message, or of the request) is for people to read.
    fn accepted(
        &self,
        known: Option<&Known>,
        message_id: &str,
        author: &Author,
    ) -> Option<(Payload, Option<OutboundMessage>)> {
        let (mut message, verdict, asked) = match &self.entry.kind {
            Some(Kind::Send(send)) => {
                let SendRequested { expires_at, notice, detour, .. } = send;
                let (expires_at, notice, detour) = (*expires_at, *notice, detour.clone());
                let asked = OutboundMessage { expires_at, notice, detour, ..OutboundMessage::default() };
                (send.message.clone()?, send.verdict.clone(), asked)
            }
            Some(Kind::Command(command)) => {
                let Some(command::Action::Reply(reply)) = &command.action else { return None };
                (said(reply, author, known), known.and_then(Known::verdict), OutboundMessage::default())
            }
            _ => return None,
        };
        message_id.clone_into(&mut message.id);
        message.direction = Direction::Outbound.into();
        message.time = Some(Timestamp::from_millis(self.at_ms));
        if message.message_class() == MessageClass::Unspecified {
            message.message_class = MessageClass::Service.into();
        }
        let conversation = self.decision.conversation.as_ref()?;
        let heard = known.map_or(0, |known| known.last_inbound_ms);
        let outbound = OutboundMessage {
            delivery_id: self.id(ids::DELIVERY),
            tenant: self.decision.tenant.to_string(),
            region: conversation.address.region.as_deref().unwrap_or_default().to_owned(),
            conversation: conversation.id.to_string(),
            contact: conversation.contact.to_string(),
            message: Some(message.clone()),
            verdict: verdict.clone(),
            accepted_at: Some(Timestamp::from_millis(self.at_ms)),
            position: Some(self.log_position()),
            last_inbound_at: (heard > 0).then(|| Timestamp::from_millis(heard)),
            ..asked
        };
        let delivery_id = outbound.delivery_id.clone();
        let accepted = MessageAccepted { message: Some(message), delivery_id, verdict };
        Some((Payload::MessageAccepted(accepted), Some(outbound)))
    }
}

/// An agent's reply as a message.
fn said(reply: &Reply, author: &Author, known: Option<&Known>) -> Message {
    let (kind, id) = match author {
        Author::Agent(agent) => (SenderKind::Agent, agent.to_string()),
        Author::Business => (SenderKind::Api, String::new()),
    };
    Message {
        content: reply.content.clone(),
        reply_to: reply.reply_to.clone(),
        sender: Some(Sender { kind: kind.into(), id, display_name: reply.display_name.clone() }),
        address: reply.address.clone().or_else(|| known.and_then(Known::address)),
        message_class: reply.message_class,
        ..Message::default()
    }
}

/// A reason of the machine, in its own namespace; reasons that have one already keep it.
pub(crate) fn reason(why: &Why) -> Reason {
    let code = if why.code.contains('.') { why.code.to_string() } else { format!("assignment.{}", why.code) };
    Reason { code, text: why.detail.to_string(), detail: None }
}

/// How the agent was chosen.
fn chosen(choice: &Choice) -> Reason {
    let numbers = [
        ("candidates", f64::from(choice.candidates)),
        ("eligible", f64::from(choice.eligible)),
        ("score", choice.score as f64),
        ("occupancy", f64::from(choice.occupancy)),
    ];
    let fields: HashMap<String, Value> =
        numbers.into_iter().map(|(name, number)| (name.to_owned(), Value::from(number))).collect();
    let Choice { candidates, eligible, score, .. } = choice;
    Reason {
        code: "assignment.chosen".to_owned(),
        text: format!(
            "{candidates} online, {eligible} with skills and room; score {score}, then longest idle"
        ),
        detail: Some(Struct::from(fields)),
    }
}
