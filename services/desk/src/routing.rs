//! The routing partition of a tenant: asking its owner, and appending commands to its log.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use heliograph_domain::ids;
use heliograph_fabric::{
    Envelope, Fabric, Places, PublishError, RoutingLog,
    publish::within,
    subjects::{self, SubjectError},
};
use heliograph_proto::{
    Message as _,
    v1::{
        AgentStateQuery, Command, ConversationQuery, ConversationView, DeskState, LogPosition, PoolQuery,
        PoolState, QueuesQuery, QueuesState, RoutingAnswer, RoutingEntry, RoutingQuery, command::Action,
        routing_answer::Answer, routing_entry::Kind, routing_query::Query,
    },
};
use heliograph_store::now_ms;

/// What stands in `ce-source` of everything the desk publishes.
pub(crate) const SOURCE: &str = "heliograph/desk";
/// How long an owner may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How many partitions are asked after a tenant that moves.
const HOPS: usize = 4;

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// Nobody owns the partition now, or the owner is busy restoring it.
    #[error("nobody answers for routing partition {partition}: {reason}")]
    NoAnswer {
        /// The partition.
        partition: u16,
        /// What was met.
        reason: String,
    },
    /// The owner does not know the agent yet.
    #[error("routing does not know the agent yet")]
    NotKnown,
    /// The owner refused the question.
    #[error("the owner of the partition refused the question: {0}")]
    Refused(String),
}

/// Why a command is not in the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppendError {
    /// The tenant cannot stand in a subject.
    #[error(transparent)]
    Subject(#[from] SubjectError),
    /// Not known to be stored.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

impl AppendError {
    /// Whether it passes with the broker's trouble.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Publish(error) if error.is_away())
    }
}

/// An agent's state as of a place in the log and one in the public stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct AgentState {
    /// The state; its `sequence` is the place in the public stream.
    pub(crate) state: DeskState,
    /// Facts decided up to here are in it.
    pub(crate) position: Option<LogPosition>,
}

/// The routing partitions. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Routing {
    fabric: Fabric,
    log: RoutingLog,
    deadline: Duration,
}

impl Routing {
    pub(crate) fn new(fabric: Fabric, partitions: u16, deadline: Duration) -> Self {
        let log = RoutingLog::new(&Places::follow(&fabric, partitions), None);
        Self { fabric, log, deadline }
    }

    /// An agent of the tenant's begins here, and may have been at another desk a moment ago.
    pub(crate) fn begin(&self, tenant: &str) {
        self.log.look_again(tenant);
    }

    /// Asks the owner of the tenant's partition once.
    pub(crate) async fn agent_state(&self, tenant: &str, agent: &str) -> Result<AgentState, QueryError> {
        let query = Query::AgentState(AgentStateQuery { agent: agent.to_owned() });
        let answer = self.ask(tenant, query).await?;
        match answer.answer {
            Some(Answer::AgentState(state)) => {
                let state = DeskState { sequence: answer.sequence, ..state };
                Ok(AgentState { state, position: answer.position })
            }
            Some(Answer::NotKnown(_)) => Err(QueryError::NotKnown),
            other => Err(self.unexpected(tenant, other)),
        }
    }

    /// An open conversation as the owner of the tenant's partition knows it; none when it is not open.
    pub(crate) async fn conversation(
        &self,
        tenant: &str,
        conversation: &str,
    ) -> Result<Option<ConversationView>, QueryError> {
        let query = Query::Conversation(ConversationQuery { conversation: conversation.to_owned() });
        match self.ask(tenant, query).await?.answer {
            Some(Answer::Conversation(view)) => Ok(Some(view)),
            Some(Answer::NotKnown(_)) => Ok(None),
            other => Err(self.unexpected(tenant, other)),
        }
    }

    /// The tenant's queues as they are now.
    pub(crate) async fn queues(&self, tenant: &str) -> Result<QueuesState, QueryError> {
        match self.ask(tenant, Query::Queues(QueuesQuery {})).await?.answer {
            Some(Answer::Queues(queues)) => Ok(queues),
            other => Err(self.unexpected(tenant, other)),
        }
    }

    /// Everybody and everything of the tenant as it is now.
    pub(crate) async fn pool(&self, tenant: &str) -> Result<PoolState, QueryError> {
        match self.ask(tenant, Query::Pool(PoolQuery::default())).await?.answer {
            Some(Answer::Pool(pool)) => Ok(pool),
            other => Err(self.unexpected(tenant, other)),
        }
    }

    /// Asks where the tenant is, and where its former owners say it went.
    async fn ask(&self, tenant: &str, query: Query) -> Result<RoutingAnswer, QueryError> {
        let query = RoutingQuery { tenant: tenant.to_owned(), query: Some(query) };
        let mut partition = self.partition(tenant);
        for _ in 0..HOPS {
            let answer = self.ask_at(partition, &query).await?;
            match &answer.answer {
                Some(Answer::Elsewhere(it)) => partition = u16::try_from(it.partition).unwrap_or_default(),
                _ => return Ok(answer),
            }
        }
        Err(QueryError::NoAnswer { partition, reason: "the tenant is on its way to another one".to_owned() })
    }

    async fn ask_at(&self, partition: u16, query: &RoutingQuery) -> Result<RoutingAnswer, QueryError> {
        let subject = subjects::routing_query(partition);
        let no_answer = |reason: String| QueryError::NoAnswer { partition, reason };
        let request = self.fabric.client().request(subject, query.encode_to_vec().into());
        let reply = match tokio::time::timeout(ANSWER_WITHIN, request).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(no_answer(error.to_string())),
            Err(_) => return Err(no_answer("it took too long".to_owned())),
        };
        RoutingAnswer::decode(reply.payload).map_err(|error| no_answer(error.to_string()))
    }

    fn unexpected(&self, tenant: &str, answer: Option<Answer>) -> QueryError {
        if let Some(Answer::BadQuery(bad)) = answer {
            return QueryError::Refused(bad.reason);
        }
        let reason = "it answered something else".to_owned();
        QueryError::NoAnswer { partition: self.partition(tenant), reason }
    }

    /// Appends a command of `agent` and returns once it is durable. The same command again is the same entry.
    pub(crate) async fn append(
        &self,
        tenant: &str,
        agent: &str,
        command: Command,
    ) -> Result<(), AppendError> {
        subjects::routing(0, tenant)?;
        let id = entry_id(tenant, agent, &command.command_id);
        let command = Command { agent: agent.to_owned(), ..command };
        let entry =
            RoutingEntry { id: id.clone(), tenant: tenant.to_owned(), kind: Some(Kind::Command(command)) };
        let envelope = Envelope::of(id, "routing.command", SOURCE, now_ms(), &entry);
        self.log.append(tenant, envelope, within(self.deadline)).await?;
        Ok(())
    }

    /// Appends a command of the desk's own about an agent.
    pub(crate) async fn append_own(
        &self,
        tenant: &str,
        agent: &str,
        action: Action,
    ) -> Result<(), AppendError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // Drawn: each is a new fact, and none is ever sent twice.
        let command_id =
            format!("desk-{:016x}-{}", rand::random::<u64>(), COUNT.fetch_add(1, Ordering::Relaxed));
        let command = Command { command_id, agent: String::new(), action: Some(action) };
        self.append(tenant, agent, command).await
    }

    fn partition(&self, tenant: &str) -> u16 {
        self.log.places().partition(tenant)
    }
}

/// The id of a command's entry, so that a repeated command is the same entry.
pub(crate) fn entry_id(tenant: &str, agent: &str, command_id: &str) -> String {
    ids::derive(ids::COMMAND, &[tenant, agent, command_id])
}
