//! The desk's questions, answered by the owner from its memory.

use bytes::Bytes;
use futures::StreamExt as _;
use heliograph_fabric::{Broker, Stream};
use heliograph_proto::{
    Message as _,
    v1::{
        BadQuery, LogPosition, NotKnown, QueuesState, RoutingAnswer, RoutingQuery, TenantElsewhere,
        routing_answer::Answer, routing_query::Query,
    },
};
use tokio::sync::mpsc;

use super::{
    show::{self, Shown},
    state::State,
};
use crate::naming::{SCOPE, routing_partition};

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
pub(super) fn answer(
    state: &State,
    question: &Question,
    partitions: u16,
    now_ms: i64,
) -> (RoutingAnswer, &'static str) {
    let (kind, answer) = match RoutingQuery::decode(question.payload.clone()) {
        Ok(RoutingQuery { tenant, query: Some(query) }) => match elsewhere(state, &tenant, partitions) {
            Some(at) => ("elsewhere", Answer::Elsewhere(TenantElsewhere { partition: at.into() })),
            None => look(state, &tenant, &query, now_ms),
        },
        Ok(_) => ("bad", bad("no question this release knows")),
        Err(error) => ("bad", bad(error.to_string())),
    };
    let position =
        LogPosition { partition: state.partition.into(), sequence: state.machine.applied(), index: 0 };
    (RoutingAnswer { position: Some(position), sequence: question.floor, answer: Some(answer) }, kind)
}

/// Where to ask about a tenant that is not here. One that was never here may be on its way; who asks at its first home
/// again is told of it once it has come.
fn elsewhere(state: &State, tenant: &str, partitions: u16) -> Option<u16> {
    let home = routing_partition(tenant, partitions);
    match state.residence.here(tenant, home == state.partition) {
        Some(_) => None,
        None => Some(state.residence.went(tenant).unwrap_or(home)),
    }
}

fn bad(reason: impl Into<String>) -> Answer {
    Answer::BadQuery(BadQuery { reason: reason.into() })
}

fn look(state: &State, tenant: &str, query: &Query, now_ms: i64) -> (&'static str, Answer) {
    let not_known = || Answer::NotKnown(NotKnown {});
    let shown = Shown { state, tenant, now_ms };
    match query {
        Query::AgentState(asked) => {
            let found = shown.desk(&asked.agent).map(Answer::AgentState);
            ("agent_state", found.unwrap_or_else(not_known))
        }
        Query::Conversation(asked) => {
            let found = shown.conversation(&asked.conversation).map(Answer::Conversation);
            ("conversation", found.unwrap_or_else(not_known))
        }
        Query::Queues(_) => ("queues", Answer::Queues(QueuesState { queues: shown.queues() })),
        Query::Pool(asked) => ("pool", Answer::Pool(shown.pool(*asked))),
        Query::OpenConversation(asked) => {
            let scope = if asked.scope.is_empty() { SCOPE } else { &asked.scope };
            let found = state.machine.open_conversation(tenant, &asked.contact, scope);
            let found = found.map(|seen| Answer::Conversation(show::conversation(state, &seen)));
            ("open_conversation", found.unwrap_or_else(not_known))
        }
    }
}
