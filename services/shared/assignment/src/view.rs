//! What the desk reads: plain copies of the state, changing nothing.

use serde::{Deserialize, Serialize};

use crate::{
    config::PoolConfig,
    decision::{ConversationRef, Purpose},
    entry::Presence,
    index::Index,
    machine::Machine,
    state::{Number, Phase, Pool},
    text::{Text, Timestamp},
};

/// An agent and their work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentView {
    /// Agent.
    pub agent: Text,
    /// Presence.
    pub presence: Presence,
    /// Whether the desk is connected, as far as is known.
    pub connected: bool,
    /// When the workload last changed, or the agent came online.
    pub idle_since: Timestamp,
    /// What rings.
    pub reservations: Vec<ReservationView>,
    /// Assigned conversations, by id.
    pub assigned: Vec<Text>,
    /// Conversations in wrap-up, by id.
    pub wrap_ups: Vec<Text>,
    /// Conversations of colleagues the agent advises on, by id.
    pub consults: Vec<Text>,
    /// Conversations the agent takes part in as a supervisor, by id.
    pub joined: Vec<Text>,
    /// The presence they asked for once the work in hand is done.
    pub when_done: Option<Presence>,
}

/// A reservation that rings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    /// Reservation id.
    pub reservation: Text,
    /// Conversation id.
    pub conversation: Text,
    /// When it rings out.
    pub expires_at: Timestamp,
    /// What for.
    pub purpose: Purpose,
}

/// A colleague who is asked for advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsultView {
    /// Who advises.
    pub agent: Text,
    /// Who asked.
    pub by: Text,
    /// While it rings: the reservation, and when it rings out.
    pub ringing: Option<(Text, Timestamp)>,
}

/// An open conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationView {
    /// Id, contact, and where replies go.
    pub about: ConversationRef,
    /// Where it stands.
    pub phase: PhaseView,
    /// Queue; empty before it was ever queued.
    pub queue: Text,
    /// Channel class.
    pub class: Text,
    /// Priority.
    pub priority: i32,
    /// Language tag.
    pub language: Option<Text>,
    /// When it opened.
    pub opened_at: Timestamp,
    /// A colleague who is asked for advice.
    pub consult: Option<ConsultView>,
    /// Supervisors who take part.
    pub joined: Vec<Text>,
    /// The customer is called back when it is their turn; not before that time, if there is one.
    pub callback: Option<Option<Timestamp>>,
}

/// Where an open conversation stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseView {
    /// Asks for no agent.
    Unassigned,
    /// Waits in its queue.
    Waiting {
        /// Position, from 1.
        position: u32,
        /// Since when.
        since: Timestamp,
        /// How long from now, probably, in seconds; none where nothing is known yet.
        estimated_wait: Option<u32>,
        /// Steps of relaxation taken.
        step: u32,
    },
    /// Rings.
    Reserved {
        /// Reservation id.
        reservation: Text,
        /// Agent.
        agent: Text,
        /// When it rings out.
        expires_at: Timestamp,
    },
    /// Is an agent's.
    Assigned {
        /// Agent.
        agent: Text,
    },
    /// Is being wrapped up.
    WrapUp {
        /// Agent.
        agent: Text,
        /// When it ends by itself.
        ends_at: Timestamp,
    },
}

/// A queue at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSummary {
    /// Queue.
    pub queue: Text,
    /// How many wait.
    pub waiting: u32,
    /// Arrival of the one that has waited longest.
    pub oldest: Option<Timestamp>,
    /// Agents of the queue who are online.
    pub agents_online: u32,
    /// How long somebody who came now would wait, probably, in seconds; none where nothing is known yet.
    pub estimated_wait: Option<u32>,
    /// When the queue opens; none while it is open.
    pub opens_at: Option<Timestamp>,
}

impl Machine {
    /// One agent; none if not configured.
    pub fn agent(&self, tenant: &str, agent: &str) -> Option<AgentView> {
        let (pool, _) = self.pool(tenant)?;
        let (name, state) = pool.agents.get_key_value(agent)?;
        let mut view = AgentView {
            agent: name.clone(),
            presence: state.presence,
            connected: state.presence != Presence::Offline && state.grace_until.is_none(),
            idle_since: state.idle_since,
            reservations: Vec::new(),
            assigned: Vec::new(),
            wrap_ups: Vec::new(),
            consults: Vec::new(),
            joined: Vec::new(),
            when_done: None,
        };
        for number in &state.work {
            let Some(conversation) = pool.conversations.get(number) else { continue };
            let id = conversation.about.id.clone();
            match &conversation.phase {
                Phase::Reserved { reservation, expires_at, .. } => view.reservations.push(ReservationView {
                    reservation: reservation.clone(),
                    conversation: id,
                    expires_at: *expires_at,
                    purpose: Purpose::Work,
                }),
                Phase::Assigned { .. } => view.assigned.push(id),
                Phase::WrapUp { .. } => view.wrap_ups.push(id),
                Phase::Unassigned | Phase::Waiting => {}
            }
        }
        Some(view)
    }

    /// The tenant's agents, by name.
    pub fn agents(&self, tenant: &str) -> Vec<AgentView> {
        let names = self.pool(tenant).into_iter().flat_map(|(pool, _)| pool.agents.keys());
        names.filter_map(|name| self.agent(tenant, name)).collect()
    }

    /// One open conversation.
    pub fn conversation(&self, tenant: &str, conversation: &str) -> Option<ConversationView> {
        let (pool, index) = self.pool(tenant)?;
        conversation_view(pool, index, *index.by_id.get(conversation)?)
    }

    /// The contact's open conversation in `scope`.
    pub fn open_conversation(&self, tenant: &str, contact: &str, scope: &str) -> Option<ConversationView> {
        let (pool, index) = self.pool(tenant)?;
        conversation_view(pool, index, *pool.contacts.get(contact)?.open.get(scope)?)
    }

    /// At most `most` of the conversations that wait in `queue`, the next first.
    pub fn waiting(&self, tenant: &str, queue: &str, most: usize) -> Vec<ConversationView> {
        let Some((pool, index)) = self.pool(tenant) else { return Vec::new() };
        let next = index.in_line(queue).take(most);
        next.filter_map(|number| conversation_view(pool, index, number)).collect()
    }

    /// One queue. A queue nobody configured is empty.
    pub fn queue(&self, tenant: &str, queue: &str) -> Option<QueueSummary> {
        let (_, index) = self.pool(tenant)?;
        Some(QueueSummary {
            queue: queue.into(),
            waiting: index.waiting(queue),
            oldest: index.oldest(queue),
            agents_online: index.ready(queue),
            estimated_wait: None,
            opens_at: None,
        })
    }

    /// The tenant's queues that are configured, have agents or have waiting work, by name.
    pub fn queues(&self, tenant: &str) -> Vec<QueueSummary> {
        let Some((pool, index)) = self.pool(tenant) else { return Vec::new() };
        let names: std::collections::BTreeSet<&Text> =
            pool.config.queues.keys().chain(index.queues()).collect();
        names.into_iter().filter_map(|name| self.queue(tenant, name)).collect()
    }

    /// What is configured for the tenant; none of whom nothing was heard.
    pub fn config(&self, tenant: &str) -> Option<&PoolConfig> {
        self.pool(tenant).map(|(pool, _)| &pool.config)
    }

    /// Tenants heard of, by name.
    pub fn tenants(&self) -> impl Iterator<Item = &Text> {
        self.pools().keys()
    }

    /// How many conversations of `tenant` are open.
    pub fn open_count(&self, tenant: &str) -> usize {
        self.pool(tenant).map_or(0, |(pool, _)| pool.conversations.len())
    }
}

fn conversation_view(pool: &Pool, index: &Index, number: Number) -> Option<ConversationView> {
    let conversation = pool.conversations.get(&number)?;
    let phase = match conversation.phase.clone() {
        Phase::Unassigned => PhaseView::Unassigned,
        Phase::Waiting => PhaseView::Waiting {
            position: index.position(&conversation.profile.queue, conversation.key(number)),
            since: conversation.arrived,
            estimated_wait: None,
            step: 0,
        },
        Phase::Reserved { reservation, agent, expires_at, .. } => {
            PhaseView::Reserved { reservation, agent, expires_at }
        }
        Phase::Assigned { agent } => PhaseView::Assigned { agent },
        Phase::WrapUp { agent, ends_at, .. } => PhaseView::WrapUp { agent, ends_at },
    };
    Some(ConversationView {
        about: (*conversation.about).clone(),
        phase,
        queue: conversation.profile.queue.clone(),
        class: conversation.profile.class.clone(),
        priority: conversation.priority,
        language: conversation.language.clone(),
        opened_at: conversation.opened_at,
        consult: None,
        joined: Vec::new(),
        callback: None,
    })
}
