//! What the desk reads: plain copies of the state, changing nothing.

use serde::{Deserialize, Serialize};

use crate::{
    config::PoolConfig,
    decision::{ConversationRef, Place, Purpose},
    entry::Presence,
    index::{Index, Line},
    machine::Machine,
    place,
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
    /// How much of what they can carry they carry, in thousandths.
    pub occupancy: u16,
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
        let (pool, index) = self.pool(tenant)?;
        let (name, state) = (pool.config.agents.get_key_value(agent)?.0, pool.agents.get(agent)?);
        let ids = |numbers: &std::collections::BTreeSet<Number>| {
            let open = numbers.iter().filter_map(|number| pool.conversations.get(number));
            open.map(|conversation| conversation.about.id.clone()).collect()
        };
        let mut view = AgentView {
            agent: name.clone(),
            presence: state.presence,
            connected: state.presence != Presence::Offline && state.grace_until.is_none(),
            idle_since: state.idle_since,
            occupancy: index.slot(name).map_or(0, |slot| index.member(slot).occupancy),
            reservations: Vec::new(),
            assigned: Vec::new(),
            wrap_ups: Vec::new(),
            consults: ids(&state.consults),
            joined: ids(&state.joined),
            when_done: state.when_done,
        };
        for number in &state.work {
            let Some(conversation) = pool.conversations.get(number) else { continue };
            let id = conversation.about.id.clone();
            match &conversation.phase {
                Phase::Reserved { reservation, expires_at, .. } => view.reservations.push(ReservationView {
                    reservation: reservation.clone(),
                    conversation: id,
                    expires_at: *expires_at,
                    purpose: if conversation.callback.is_some() { Purpose::Callback } else { Purpose::Work },
                }),
                Phase::Assigned { .. } => view.assigned.push(id),
                Phase::WrapUp { .. } => view.wrap_ups.push(id),
                Phase::Unassigned | Phase::Waiting => {}
            }
        }
        for number in &state.consults {
            let Some(conversation) = pool.conversations.get(number) else { continue };
            let ringing = conversation.consult.as_ref().and_then(|consult| consult.ringing.as_ref());
            if let Some((reservation, expires_at)) = ringing {
                view.reservations.push(ReservationView {
                    reservation: reservation.clone(),
                    conversation: conversation.about.id.clone(),
                    expires_at: *expires_at,
                    purpose: Purpose::Consult,
                });
            }
        }
        Some(view)
    }

    /// The tenant's agents, by name.
    pub fn agents(&self, tenant: &str) -> Vec<AgentView> {
        let names = self.pool(tenant).into_iter().flat_map(|(pool, _)| pool.config.agents.keys());
        names.filter_map(|name| self.agent(tenant, name)).collect()
    }

    /// One open conversation.
    pub fn conversation(&self, tenant: &str, conversation: &str) -> Option<ConversationView> {
        let (pool, index) = self.pool(tenant)?;
        conversation_view(pool, index, *index.by_id.get(conversation)?, self.now())
    }

    /// The contact's open conversation in `scope`.
    pub fn open_conversation(&self, tenant: &str, contact: &str, scope: &str) -> Option<ConversationView> {
        let (pool, index) = self.pool(tenant)?;
        conversation_view(pool, index, *pool.contacts.get(contact)?.open.get(scope)?, self.now())
    }

    /// Ids of the tenant's open conversations, in order of opening.
    pub fn conversations(&self, tenant: &str) -> Vec<Text> {
        let open = self.pool(tenant).map(|(pool, _)| pool.conversations.sorted()).unwrap_or_default();
        open.into_values().map(|conversation| conversation.about.id.clone()).collect()
    }

    /// At most `most` of the conversations that wait in `queue`, the next first.
    pub fn waiting(&self, tenant: &str, queue: &str, most: usize) -> Vec<ConversationView> {
        let Some((pool, index)) = self.pool(tenant) else { return Vec::new() };
        let next = index.line(queue).into_iter().flat_map(Line::in_order).take(most);
        next.filter_map(|number| conversation_view(pool, index, number, self.now())).collect()
    }

    /// One queue. A queue nobody configured is empty.
    pub fn queue(&self, tenant: &str, queue: &str) -> Option<QueueSummary> {
        let (pool, index) = self.pool(tenant)?;
        let line = index.line(queue);
        let waiting = line.map_or(0, Line::waiting);
        Some(QueueSummary {
            queue: queue.into(),
            waiting,
            oldest: line.and_then(Line::oldest),
            agents_online: line.map_or(0, |line| line.ready),
            estimated_wait: place::estimate(pool, index, queue, None, waiting + 1),
            opens_at: line.filter(|line| !line.open).and_then(|line| line.spec.opens_after(self.now())),
        })
    }

    /// The tenant's queues that are configured, have agents or have waiting work, by name.
    pub fn queues(&self, tenant: &str) -> Vec<QueueSummary> {
        let Some((pool, index)) = self.pool(tenant) else { return Vec::new() };
        let names: std::collections::BTreeSet<&Text> =
            pool.config.queues.keys().chain(index.heard_of().map(|line| &line.name)).collect();
        names.into_iter().filter_map(|name| self.queue(tenant, name)).collect()
    }

    /// What is configured for the tenant; none of whom nothing was heard.
    pub fn config(&self, tenant: &str) -> Option<&PoolConfig> {
        self.pool(tenant).map(|(pool, _)| &*pool.config)
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

fn conversation_view(pool: &Pool, index: &Index, number: Number, now: Timestamp) -> Option<ConversationView> {
    let conversation = pool.conversations.get(&number)?;
    let phase = match conversation.phase.clone() {
        Phase::Unassigned => PhaseView::Unassigned,
        Phase::Waiting => {
            let Place { position, estimated_wait, .. } = place::place(pool, index, number, now);
            let (since, step) = (conversation.arrived, conversation.wait.steps.into());
            PhaseView::Waiting { position, since, estimated_wait, step }
        }
        Phase::Reserved { reservation, agent, expires_at, .. } => {
            PhaseView::Reserved { reservation, agent, expires_at }
        }
        Phase::Assigned { agent, .. } => PhaseView::Assigned { agent },
        Phase::WrapUp { agent, ends_at, .. } => PhaseView::WrapUp { agent, ends_at },
    };
    Some(ConversationView {
        about: (*conversation.about).clone(),
        phase,
        queue: conversation.ask.map_or_else(|| "".into(), |ask| pool.asks.get(ask).queue.clone()),
        class: conversation.class.clone(),
        priority: conversation.priority,
        language: conversation.language.clone(),
        opened_at: conversation.opened_at,
        consult: conversation.consult.as_ref().map(|consult| ConsultView {
            agent: consult.agent.clone(),
            by: consult.by.clone(),
            ringing: consult.ringing.clone(),
        }),
        joined: conversation.joined.iter().cloned().collect(),
        callback: conversation.callback.as_ref().map(|callback| callback.not_before),
    })
}
