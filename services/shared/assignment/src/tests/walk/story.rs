//! What a reader of the decisions knows, held against what is.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{TENANT, invariants::may_take};
use crate::{
    Decision, Entry, Inbound, Kind, Machine, Text,
    state::{Number, Phase},
};

/// What is known of everything from decisions alone.
#[derive(Default)]
pub(super) struct Story {
    phases: BTreeMap<Text, String>,
    advised: BTreeMap<Text, Text>,
    joined: BTreeSet<(Text, Text)>,
    /// Every id made, and every message received of a contact still remembered.
    made: BTreeSet<Text>,
    received: BTreeSet<(Text, Text)>,
    /// A second machine, for walks that need one.
    pub(super) other: Option<Machine>,
}

impl Story {
    pub(super) fn hear(&mut self, decisions: &[Decision]) {
        for decision in decisions {
            self.hear_one(decision);
        }
    }

    fn hear_one(&mut self, decision: &Decision) {
        let Some(about) = &decision.conversation else { return };
        let id = &about.id;
        let phase = match &decision.kind {
            Kind::ConversationOpened { .. } => {
                assert!(self.made.insert(id.clone()), "an id made twice");
                "unassigned".to_owned()
            }
            Kind::MessageReceived { message_id, .. } => {
                let message = (about.contact.clone(), message_id.clone());
                assert!(self.received.insert(message), "a message received twice");
                return;
            }
            Kind::ReservationCreated { reservation, agent, purpose, .. } => {
                assert!(self.made.insert(reservation.clone()), "an id made twice");
                if *purpose == crate::Purpose::Consult {
                    return;
                }
                format!("reserved {agent}")
            }
            Kind::ConversationQueued { .. }
            | Kind::ConversationRequeued { .. }
            | Kind::ConversationOverflowed { .. } => "waiting".to_owned(),
            Kind::ConversationAssigned { agent, .. } => format!("assigned {agent}"),
            Kind::WrapUpStarted { agent, .. } => format!("wrapping {agent}"),
            Kind::ConversationClosed { .. } => {
                assert!(self.phases.remove(id).is_some(), "closed what was not open");
                return;
            }
            Kind::ConsultStarted { agent, .. } => {
                assert!(self.advised.insert(id.clone(), agent.clone()).is_none());
                return;
            }
            Kind::ConsultEnded { .. } => {
                self.advised.remove(id);
                return;
            }
            Kind::SupervisorJoined { agent } => {
                assert!(self.joined.insert((id.clone(), agent.clone())));
                return;
            }
            Kind::SupervisorLeft { agent } => {
                assert!(self.joined.remove(&(id.clone(), agent.clone())));
                return;
            }
            _ => return,
        };
        self.phases.insert(id.clone(), phase);
    }

    pub(super) fn check(&mut self, machine: &Machine) {
        let (pool, _) = machine.pool(TENANT).unwrap();
        self.received.retain(|(contact, _)| pool.contacts.get(contact).is_some());
        let open = pool.conversations.sorted();
        let phases: BTreeMap<Text, String> =
            open.values().map(|it| (it.about.id.clone(), phase_name(&it.phase))).collect();
        assert_eq!(self.phases, phases, "the decisions tell the whole story");
        let advised: BTreeMap<Text, Text> = open
            .values()
            .filter_map(|it| {
                let consult = it.consult.as_ref().filter(|consult| consult.ringing.is_none())?;
                Some((it.about.id.clone(), consult.agent.clone()))
            })
            .collect();
        assert_eq!(self.advised, advised);
        let joined =
            open.values().flat_map(|it| it.joined.iter().map(|agent| (it.about.id.clone(), agent.clone())));
        assert_eq!(self.joined, joined.collect());
    }
}

fn phase_name(phase: &Phase) -> String {
    match phase {
        Phase::Unassigned => "unassigned".to_owned(),
        Phase::Waiting => "waiting".to_owned(),
        Phase::Reserved { agent, .. } => format!("reserved {agent}"),
        Phase::Assigned { agent, .. } => format!("assigned {agent}"),
        Phase::WrapUp { agent, .. } => format!("wrapping {agent}"),
    }
}

/// What was known before an entry that says something of what must follow.
pub(super) struct Before {
    entry: Option<Inbound>,
    /// Whether only one thing happens: of several timers, each is settled before the next.
    at_once: bool,
    /// Conversations that waited.
    waiting: BTreeSet<Number>,
}

impl Before {
    pub(super) fn look(machine: &Machine, entry: &Entry) -> Self {
        let (pool, _) = machine.pool(TENANT).unwrap();
        let waiting = pool.conversations.sorted().into_iter();
        Self {
            entry: if let Entry::Inbound(inbound) = entry { Some(inbound.clone()) } else { None },
            at_once: !matches!(entry, Entry::TimerDue(_)),
            waiting: waiting
                .filter(|(_, it)| it.phase == Phase::Waiting)
                .map(|(number, _)| *number)
                .collect(),
        }
    }

    pub(super) fn check(&self, machine: &Machine, decisions: &[Decision]) {
        self.check_message(decisions);
        if self.at_once {
            self.check_order(machine, decisions);
        }
    }

    /// A message is received or known already; a word for the system wakes nobody.
    fn check_message(&self, decisions: &[Decision]) {
        let Some(entry) = &self.entry else { return };
        let count = |is: fn(&Kind) -> bool| decisions.iter().filter(|it| is(&it.kind)).count();
        let received = count(|kind| matches!(kind, Kind::MessageReceived { .. }));
        assert_eq!(received + count(|kind| matches!(kind, Kind::Duplicate { .. })), 1);
        if entry.unattended {
            let others = count(|kind| {
                !matches!(
                    kind,
                    Kind::ConversationOpened { .. } | Kind::MessageReceived { .. } | Kind::Duplicate { .. }
                )
            });
            assert_eq!(others, 0, "a word for the system led to {decisions:?}");
        }
    }

    /// Whoever was offered work that had waited: nothing more urgent of the same queue, which they may take as well and
    /// which still waits, was left.
    fn check_order(&self, machine: &Machine, decisions: &[Decision]) {
        let (pool, index) = machine.pool(TENANT).unwrap();
        for decision in decisions {
            let Kind::ReservationCreated { agent, queue, choice: Some(_), .. } = &decision.kind else {
                continue;
            };
            let Some(about) = &decision.conversation else { continue };
            let (Some(number), Some(line)) = (index.by_id.get(&about.id), index.line(queue)) else {
                continue;
            };
            let Some(state) = pool.agents.get(agent) else { continue };
            let taken = &pool.conversations[number];
            // As if they had not taken it: what they might have taken instead.
            let mut free = state.clone();
            if free.work.remove(number) {
                free.give_back(&taken.class);
            }
            for other in line.in_order().filter(|other| self.waiting.contains(other)) {
                let conversation = &pool.conversations[&other];
                if line.place(conversation) < line.place(taken)
                    && conversation.wait.stand == taken.wait.stand
                    && conversation.class == taken.class
                {
                    let may = may_take(pool, agent, &free, other, conversation, &line.spec);
                    assert!(!may, "{agent} was offered {taken:?} before {conversation:?}");
                }
            }
        }
    }
}
