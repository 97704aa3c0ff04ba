//! Answers for the owner of every routing partition.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use futures::StreamExt as _;
use heliograph_fabric::{Fabric, Stream};
use heliograph_proto::{
    Message as _,
    v1::{
        ConversationView, DeskState, LogPosition, NotKnown, PoolState, QueuesState, RoutingAnswer,
        RoutingQuery, routing_answer::Answer, routing_query::Query,
    },
};
use tokio::task::AbortHandle;

#[derive(Default)]
struct Known {
    states: HashMap<(String, String), DeskState>,
    conversations: HashMap<(String, String), ConversationView>,
    pools: HashMap<String, PoolState>,
    applied: u64,
}

/// States by tenant and agent. Whoever asks gets the end of HG_EVENTS as the state's place, as from the router.
pub(crate) struct FakeRouter {
    known: Arc<Mutex<Known>>,
    fabric: Fabric,
    task: Mutex<Option<AbortHandle>>,
}

impl FakeRouter {
    pub(crate) async fn start(fabric: Fabric) -> Self {
        let router = Self { known: Arc::default(), fabric, task: Mutex::new(None) };
        router.resume().await;
        router
    }

    /// What is answered about an agent from now on.
    pub(crate) fn set(&self, tenant: &str, agent: &str, state: DeskState) {
        self.known.lock().unwrap().states.insert((tenant.to_owned(), agent.to_owned()), state);
    }

    /// What is answered about a conversation from now on.
    pub(crate) fn set_conversation(&self, tenant: &str, view: ConversationView) {
        let key = (tenant.to_owned(), view.id.clone());
        self.known.lock().unwrap().conversations.insert(key, view);
    }

    /// What is answered about a tenant's pool and queues from now on.
    pub(crate) fn set_pool(&self, tenant: &str, pool: PoolState) {
        self.known.lock().unwrap().pools.insert(tenant.to_owned(), pool);
    }

    /// Up to which entry of the log the states are.
    pub(crate) fn applied(&self, sequence: u64) {
        self.known.lock().unwrap().applied = sequence;
    }

    /// Nobody owns a partition.
    pub(crate) fn pause(&self) {
        if let Some(task) = self.task.lock().unwrap().take() {
            task.abort();
        }
    }

    /// Somebody owns them again.
    pub(crate) async fn resume(&self) {
        let mut asked = self.fabric.client().subscribe("hg.query.routing.*").await.unwrap();
        self.fabric.client().flush().await.unwrap();
        let (known, fabric) = (Arc::clone(&self.known), self.fabric.clone());
        let task = tokio::spawn(async move {
            while let Some(message) = asked.next().await {
                let sequence = fabric.last_sequence(Stream::Events).await.unwrap();
                let partition = message.subject.rsplit('.').next().unwrap().parse().unwrap();
                let query = RoutingQuery::decode(message.payload).unwrap();
                let answer = {
                    let known = known.lock().unwrap();
                    let tenant = query.tenant;
                    let found = match query.query {
                        Some(Query::AgentState(asked)) => {
                            known.states.get(&(tenant, asked.agent)).cloned().map(Answer::AgentState)
                        }
                        Some(Query::Conversation(asked)) => {
                            let view = known.conversations.get(&(tenant, asked.conversation)).cloned();
                            view.map(Answer::Conversation)
                        }
                        Some(Query::Pool(_)) => known.pools.get(&tenant).cloned().map(Answer::Pool),
                        Some(Query::Queues(_)) => known
                            .pools
                            .get(&tenant)
                            .map(|pool| Answer::Queues(QueuesState { queues: pool.queues.clone() })),
                        _ => continue,
                    };
                    let answer = found.unwrap_or(Answer::NotKnown(NotKnown {}));
                    let position = Some(LogPosition { partition, sequence: known.applied, index: 0 });
                    RoutingAnswer { position, sequence, answer: Some(answer) }
                };
                fabric.client().publish(message.reply.unwrap(), answer.encode_to_vec().into()).await.unwrap();
            }
        });
        *self.task.lock().unwrap() = Some(task.abort_handle());
    }
}

impl Drop for FakeRouter {
    fn drop(&mut self) {
        self.pause();
    }
}
