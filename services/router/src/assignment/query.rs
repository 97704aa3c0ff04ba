//! The desk's questions, answered by the owner from its memory.

use bytes::Bytes;
use futures::StreamExt as _;
use heliograph_assignment::{ConversationView as Seen, PhaseView};
use heliograph_fabric::{Broker, Stream};
use heliograph_proto::{
    Message as _, Timestamp,
    v1::{
        BadQuery, ConversationView, DeskState, LogPosition, NotKnown, QueueView, Region, ReservationCreated,
        ReservationView, RoutingAnswer, RoutingQuery, routing_answer::Answer, routing_query::Query,
    },
};
use tokio::sync::mpsc;

use super::{annex::Known, convert::presence_on_wire, state::State};
use crate::naming::SCOPE;

/// A question that came in.
#[derive(Debug)]
pub(super) struct Question {
    payload: Bytes,
    pub(super) reply: async_nats::Subject,
    /// Where HG_EVENTS ended when the question came in.
    floor: u64,
}

/// Takes questions until the receiver is gone. Each gets the end of HG_EVENTS as it is before the state is looked at:
/// what is decided after that stands behind it.
pub(super) async fn take<B: Broker>(broker: B, mut asked: B::Questions, questions: mpsc::Sender<Question>) {
    while let Some(message) = asked.next().await {
        let Some(reply) = message.reply else { continue };
        // No answer is an answer too: the asker tries again.
        let Ok(floor) = broker.end_of(Stream::Events).await else { continue };
        if questions.send(Question { payload: message.payload, reply, floor }).await.is_err() {
            return;
        }
    }
}

/// The answer, and the kind of question for metrics.
pub(super) fn answer(state: &State, question: &Question, now_ms: i64) -> (RoutingAnswer, &'static str) {
    let (kind, answer) = match RoutingQuery::decode(question.payload.clone()) {
        Ok(RoutingQuery { tenant, query: Some(query) }) => look(state, &tenant, &query, now_ms),
        Ok(_) => ("bad", bad("no question this release knows")),
        Err(error) => ("bad", bad(error.to_string())),
    };
    let position =
        LogPosition { partition: state.partition.into(), sequence: state.machine.applied(), index: 0 };
    (RoutingAnswer { position: Some(position), sequence: question.floor, answer: Some(answer) }, kind)
}

fn bad(reason: impl Into<String>) -> Answer {
    Answer::BadQuery(BadQuery { reason: reason.into() })
}

fn look(state: &State, tenant: &str, query: &Query, now_ms: i64) -> (&'static str, Answer) {
    let not_known = || Answer::NotKnown(NotKnown {});
    match query {
        Query::AgentState(asked) => {
            let found = desk(state, tenant, &asked.agent, now_ms).map(Answer::AgentState);
            ("agent_state", found.unwrap_or_else(not_known))
        }
        Query::Conversation(asked) => {
            let found = state.machine.conversation(tenant, &asked.conversation);
            let found = found.map(|seen| Answer::Conversation(conversation(state, &seen)));
            ("conversation", found.unwrap_or_else(not_known))
        }
        Query::OpenConversation(asked) => {
            let scope = if asked.scope.is_empty() { SCOPE } else { &asked.scope };
            let found = state.machine.open_conversation(tenant, &asked.contact, scope);
            let found = found.map(|seen| Answer::Conversation(conversation(state, &seen)));
            ("open_conversation", found.unwrap_or_else(not_known))
        }
    }
}

fn desk(state: &State, tenant: &str, agent: &str, now_ms: i64) -> Option<DeskState> {
    let view = state.machine.agent(tenant, agent)?;
    let find = |id: &str| state.machine.conversation(tenant, id);
    let reservations = view.reservations.iter().map(|ringing| {
        let seen = find(&ringing.conversation);
        ReservationView {
            reservation: Some(ReservationCreated {
                reservation_id: ringing.reservation.to_string(),
                agent: agent.to_owned(),
                queue: seen.as_ref().map_or_else(String::new, |seen| seen.queue.to_string()),
                expires_at: Some(Timestamp::from_millis(ringing.expires_at.0)),
            }),
            conversation: seen.map(|seen| conversation(state, &seen)),
        }
    });
    let work = view.assigned.iter().chain(&view.wrap_ups);
    let queues = state.machine.queues(tenant).into_iter().map(|queue| QueueView {
        name: queue.queue.to_string(),
        waiting: i32::try_from(queue.waiting).unwrap_or(i32::MAX),
        oldest_wait_ms: queue.oldest.map_or(0, |oldest| (now_ms - oldest.0).max(0)),
    });
    Some(DeskState {
        sequence: 0,
        presence: presence_on_wire(view.presence).into(),
        reservations: reservations.collect(),
        conversations: work.filter_map(|id| find(id)).map(|seen| conversation(state, &seen)).collect(),
        queues: queues.collect(),
    })
}

fn conversation(state: &State, seen: &Seen) -> ConversationView {
    let known = state.annex.get(&seen.about.id);
    let verdict = known.and_then(Known::verdict);
    let (name, agent) = match &seen.phase {
        PhaseView::Unassigned => ("open", ""),
        PhaseView::Waiting { .. } => ("waiting", ""),
        PhaseView::Reserved { agent, .. } => ("reserved", &**agent),
        PhaseView::Assigned { agent } => ("assigned", &**agent),
        PhaseView::WrapUp { agent, .. } => ("wrap_up", &**agent),
    };
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
    }
}
