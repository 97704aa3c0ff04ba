//! The state as the desk reads it: the machine's views, with what the annex knows beside them.

mod pool;

use heliograph_assignment::{AgentView, ConversationView as Seen, PhaseView, QueueSummary, Text};
use heliograph_proto::{
    Timestamp,
    v1::{
        ConsultView, ConversationView, DeskState, Presence, QueueView, Region, ReservationCreated,
        ReservationView, Waiting,
    },
};

use super::{
    annex::Known,
    convert::presence_on_wire,
    emit::{count, for_what},
    state::State,
};

/// What one tenant may see.
#[derive(Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) state: &'a State,
    pub(super) tenant: &'a str,
    pub(super) now_ms: i64,
}

impl Shown<'_> {
    /// An agent's work, and the queues.
    pub(super) fn desk(&self, agent: &str) -> Option<DeskState> {
        let view = self.state.machine.agent(self.tenant, agent)?;
        let reservations = view.reservations.iter().map(|ringing| {
            let seen = self.state.machine.conversation(self.tenant, &ringing.conversation);
            let known = self.state.annex.get(&ringing.conversation);
            ReservationView {
                reservation: Some(ReservationCreated {
                    reservation_id: ringing.reservation.to_string(),
                    agent: agent.to_owned(),
                    queue: seen.as_ref().map_or_else(String::new, |seen| seen.queue.to_string()),
                    expires_at: Some(time(ringing.expires_at)),
                    ..for_what(ringing.purpose, known)
                }),
                conversation: seen.map(|seen| conversation(self.state, &seen)),
            }
        });
        let work = view.assigned.iter().chain(&view.wrap_ups);
        Some(DeskState {
            sequence: 0,
            presence: presence_on_wire(view.presence).into(),
            reservations: reservations.collect(),
            conversations: work.filter_map(|id| self.conversation(id)).collect(),
            queues: self.queues(),
            consults: advised(&view).filter_map(|id| self.conversation(id)).collect(),
            joined: view.joined.iter().filter_map(|id| self.conversation(id)).collect(),
            when_done: view.when_done.map_or(Presence::Unspecified, presence_on_wire).into(),
        })
    }

    /// An open conversation.
    pub(super) fn conversation(&self, id: &str) -> Option<ConversationView> {
        let seen = self.state.machine.conversation(self.tenant, id)?;
        Some(conversation(self.state, &seen))
    }

    /// Every queue.
    pub(super) fn queues(&self) -> Vec<QueueView> {
        let queues = self.state.machine.queues(self.tenant);
        queues.into_iter().map(|queue| self.queue(&queue)).collect()
    }

    fn queue(&self, queue: &QueueSummary) -> QueueView {
        let config = self.state.machine.config(self.tenant);
        let spec = config.and_then(|config| config.queues.get(&queue.queue));
        QueueView {
            name: queue.queue.to_string(),
            waiting: count(queue.waiting),
            oldest_wait_ms: queue.oldest.map_or(0, |oldest| (self.now_ms - oldest.0).max(0)),
            agents_online: count(queue.agents_online),
            estimated_wait_seconds: queue.estimated_wait.map(count),
            opens_at: queue.opens_at.map(time),
            target_seconds: spec.map_or(0, |spec| count(spec.target_seconds)),
        }
    }
}

/// An open conversation with its address, its verdict and what was said about it.
pub(super) fn conversation(state: &State, seen: &Seen) -> ConversationView {
    let known = state.annex.get(&seen.about.id);
    let verdict = known.and_then(Known::verdict);
    let (name, agent) = match &seen.phase {
        PhaseView::Unassigned => ("open", ""),
        PhaseView::Waiting { .. } => ("waiting", ""),
        PhaseView::Reserved { agent, .. } => ("reserved", &**agent),
        PhaseView::Assigned { agent } => ("assigned", &**agent),
        PhaseView::WrapUp { agent, .. } => ("wrap_up", &**agent),
    };
    let waiting = match &seen.phase {
        PhaseView::Waiting { position, since, estimated_wait, step } => Some(Waiting {
            position: count(*position),
            since: Some(time(*since)),
            estimated_wait_seconds: estimated_wait.map(count),
            step: count(*step),
        }),
        _ => None,
    };
    let consult = seen.consult.as_ref().map(|consult| ConsultView {
        agent: consult.agent.to_string(),
        by: consult.by.to_string(),
        note: known.and_then(Known::consult).map(|asked| asked.note).unwrap_or_default(),
        reservation_id: consult.ringing.as_ref().map_or_else(String::new, |(id, _)| id.to_string()),
        expires_at: consult.ringing.as_ref().map(|(_, at)| time(*at)),
    });
    let region = verdict.as_ref().and_then(|verdict| verdict.region.clone());
    let placed = seen.about.address.region.as_deref();
    ConversationView {
        id: seen.about.id.to_string(),
        contact: seen.about.contact.to_string(),
        address: known.and_then(Known::address),
        region: region.or_else(|| placed.map(|name| Region { name: name.to_owned(), ..Region::default() })),
        state: name.to_owned(),
        queue: seen.queue.to_string(),
        agent: agent.to_owned(),
        verdict,
        window: known.and_then(Known::window),
        work_class: seen.class.to_string(),
        priority: seen.priority,
        language: seen.language.as_deref().unwrap_or_default().to_owned(),
        opened_at: Some(time(seen.opened_at)),
        waiting,
        callback: known.and_then(Known::callback),
        consult,
        joined: seen.joined.iter().map(ToString::to_string).collect(),
        handovers: known.map(Known::handovers).unwrap_or_default(),
    }
}

/// What an agent advises on; what only rings is among the reservations.
fn advised(agent: &AgentView) -> impl Iterator<Item = &Text> {
    let rings = |id: &&Text| agent.reservations.iter().any(|it| it.conversation == **id);
    agent.consults.iter().filter(move |id| !rings(id))
}

fn time(at: heliograph_assignment::Timestamp) -> Timestamp {
    Timestamp::from_millis(at.0)
}
