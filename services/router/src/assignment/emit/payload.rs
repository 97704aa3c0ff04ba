//! Each decision as what its event says.

use heliograph_assignment::{self as machine, Kind as What, Need, Place, Purpose, Skill, Target};
use heliograph_proto::{
    Timestamp,
    v1::{
        AgentPresenceChanged, CallbackCancelled, CallbackScheduled, CommandAccepted, CommandRefused,
        ConsultEnded, ConsultStarted, ConversationAssigned, ConversationClosed, ConversationOpened,
        ConversationOverflowed, ConversationPosition, ConversationPrioritized, ConversationQueued,
        ConversationRelaxed, ConversationRequeued, ConversationTransferred, ConversationWaitTimedOut,
        ConversationWrapUp, Direction, MessageReceived, OutboundMessage, QueuePlace, ReservationAccepted,
        ReservationCreated, ReservationPurpose, ReservationRejected, ReservationRescinded,
        ReservationTimedOut, SkillWanted, SupervisorJoined, SupervisorLeft, event::Payload,
        routing_entry::Kind,
    },
};

use super::{
    super::{
        annex::Known,
        convert::{advised, handed_over, need_on_wire, presence_on_wire, proposed, skill_on_wire},
    },
    Decided,
};

impl Decided<'_> {
    /// The event's payload, and the outbound work that goes with it. None for what is nobody's business.
    pub(super) fn payload(&self, known: Option<&Known>) -> Option<(Payload, Option<OutboundMessage>)> {
        let payload = match &self.decision.kind {
            What::Duplicate { .. }
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
            kind => self.agents(kind).or_else(|| waiting(kind, known)).or_else(|| self.held(kind, known))?,
        };
        Some((payload, None))
    }

    /// What agents are asked, do and are.
    fn agents(&self, kind: &What) -> Option<Payload> {
        let payload = match kind {
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
            What::ConsultStarted { agent, by } => {
                Payload::ConsultStarted(ConsultStarted { agent: agent.to_string(), by: by.to_string() })
            }
            What::ConsultEnded { agent, by } => {
                let note = advised(self.entry).unwrap_or_default().to_owned();
                Payload::ConsultEnded(ConsultEnded { agent: agent.to_string(), by: by.to_string(), note })
            }
            What::SupervisorJoined { agent } => {
                Payload::SupervisorJoined(SupervisorJoined { agent: agent.to_string() })
            }
            What::SupervisorLeft { agent } => {
                Payload::SupervisorLeft(SupervisorLeft { agent: agent.to_string() })
            }
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
            _ => return None,
        };
        Some(payload)
    }

    /// Whose a conversation is, from its first message to its end.
    fn held(&self, kind: &What, known: Option<&Known>) -> Option<Payload> {
        let payload = match kind {
            What::ConversationOpened { direction, .. } => {
                let direction = match direction {
                    machine::Direction::Inbound => Direction::Inbound,
                    machine::Direction::Outbound => Direction::Outbound,
                };
                let about = self.decision.conversation.as_ref();
                Payload::ConversationOpened(ConversationOpened {
                    scope: about.map_or_else(String::new, |about| about.scope.to_string()),
                    direction: direction.into(),
                    address: known.and_then(Known::address),
                    region: known.and_then(Known::verdict).and_then(|verdict| verdict.region),
                })
            }
            What::ReservationCreated { reservation, agent, queue, expires_at, purpose, .. } => {
                Payload::ReservationCreated(ReservationCreated {
                    reservation_id: reservation.to_string(),
                    agent: agent.to_string(),
                    queue: queue.to_string(),
                    expires_at: Some(Timestamp::from_millis(expires_at.0)),
                    ..for_what(*purpose, known)
                })
            }
            What::ConversationAssigned { agent, queue } => {
                Payload::ConversationAssigned(ConversationAssigned {
                    agent: agent.to_string(),
                    queue: queue.to_string(),
                })
            }
            What::ConversationTransferred { from, to } => {
                let mut transferred =
                    ConversationTransferred { from_agent: from.to_string(), ..Default::default() };
                match to {
                    Target::Agent(agent) => transferred.to_agent = agent.to_string(),
                    Target::Queue(queue) => transferred.to_queue = queue.to_string(),
                    Target::Skills(wanted) => transferred.to_skills = skills(wanted, &[]),
                }
                if let Some((_, handover)) = handed_over(self.entry, self.at_ms) {
                    (transferred.note, transferred.context) = (handover.note, handover.context);
                }
                Payload::ConversationTransferred(transferred)
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
            _ => return None,
        };
        Some(payload)
    }
}

/// How a conversation waits.
fn waiting(kind: &What, known: Option<&Known>) -> Option<Payload> {
    let payload = match kind {
        What::ConversationQueued { place, required, preferred, priority, language } => {
            Payload::ConversationQueued(ConversationQueued {
                queue: place.queue.to_string(),
                position: count(place.position),
                skills: skills(required, preferred),
                no_agent_online: place.no_agent_online,
                place: Some(place_on_wire(place)),
                priority: *priority,
                language: language.as_deref().unwrap_or_default().to_owned(),
            })
        }
        What::ConversationRequeued { place, agent } => Payload::ConversationRequeued(ConversationRequeued {
            agent: agent.to_string(),
            queue: place.queue.to_string(),
            place: Some(place_on_wire(place)),
        }),
        What::ConversationRelaxed { queue, step, required, ring } => {
            Payload::ConversationRelaxed(ConversationRelaxed {
                queue: queue.to_string(),
                step: count(*step),
                skills: skills(required, &[]),
                ring: i32::from(*ring),
            })
        }
        What::ConversationOverflowed { from, place } => {
            Payload::ConversationOverflowed(ConversationOverflowed {
                from_queue: from.to_string(),
                place: Some(place_on_wire(place)),
            })
        }
        What::PositionAnnounced { place } => {
            Payload::ConversationPosition(ConversationPosition { place: Some(place_on_wire(place)) })
        }
        What::WaitTimedOut { queue, since } => Payload::ConversationWaitTimedOut(ConversationWaitTimedOut {
            queue: queue.to_string(),
            waiting_since: Some(Timestamp::from_millis(since.0)),
        }),
        What::CallbackScheduled { place, .. } => Payload::CallbackScheduled(CallbackScheduled {
            callback: known.and_then(Known::callback),
            place: Some(place_on_wire(place)),
        }),
        What::CallbackCancelled { place } => {
            Payload::CallbackCancelled(CallbackCancelled { place: Some(place_on_wire(place)) })
        }
        What::ConversationPrioritized { by, priority, place } => {
            Payload::ConversationPrioritized(ConversationPrioritized {
                agent: by.to_string(),
                priority: *priority,
                place: place.as_ref().map(place_on_wire),
            })
        }
        _ => return None,
    };
    Some(payload)
}

/// What a reservation is for, with what goes with that.
pub(crate) fn for_what(purpose: Purpose, known: Option<&Known>) -> ReservationCreated {
    let created = ReservationCreated::default();
    match purpose {
        Purpose::Work => ReservationCreated { purpose: ReservationPurpose::Work.into(), ..created },
        Purpose::Callback => ReservationCreated {
            purpose: ReservationPurpose::Callback.into(),
            callback: known.and_then(Known::callback),
            ..created
        },
        Purpose::Consult => ReservationCreated {
            purpose: ReservationPurpose::Consult.into(),
            consult: known.and_then(Known::consult),
            ..created
        },
    }
}

/// A place in a queue on the wire.
fn place_on_wire(place: &Place) -> QueuePlace {
    QueuePlace {
        queue: place.queue.to_string(),
        position: count(place.position),
        waiting: count(place.waiting),
        no_agent_online: place.no_agent_online,
        estimated_wait_seconds: place.estimated_wait.map(count),
        opens_at: place.opens_at.map(|at| Timestamp::from_millis(at.0)),
    }
}

fn skills(required: &[Need], preferred: &[Skill]) -> Vec<SkillWanted> {
    required.iter().map(need_on_wire).chain(preferred.iter().map(skill_on_wire)).collect()
}

/// A count on the wire.
pub(crate) fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
