//! What was taken in before, for longer than the broker's own window.
//!
//! Providers repeat for days. The records live in Redis; while it is away nothing is remembered, nothing is lost, and
//! the broker's window (2 minutes) still holds.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use heliograph_store::{
    replies::{Customer, Replies},
    seen::Seen,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout_at},
};

use super::recall::Recall;
use crate::{Account, Handle, Reply};

/// Remembers ids.
#[async_trait]
pub trait Memory: Send + Sync + 'static {
    /// Which of `ids` were remembered, in their order; none of them when nobody knows.
    async fn recall(&self, tenant: &str, ids: Vec<String>) -> Vec<bool>;

    /// Remembers `ids` soon. Called after they are durable; may forget.
    fn remember(&self, tenant: &str, ids: Vec<String>);

    /// Keeps handles for replies soon, in order; may forget.
    fn keep(&self, _account: AccountName, _replies: Vec<Reply>) {}

    /// Keeps handles of messages soon; may forget.
    fn keep_handles(&self, _account: AccountName, _handles: Vec<Handle>) {}
}

/// Whose handles are kept.
#[derive(Clone, Debug)]
pub struct AccountName {
    /// Tenant.
    pub tenant: String,
    /// Channel.
    pub channel: String,
    /// Account.
    pub name: String,
}

impl<S> From<&Account<S>> for AccountName {
    fn from(Account { tenant, channel, name, .. }: &Account<S>) -> Self {
        Self { tenant: tenant.clone(), channel: channel.clone(), name: name.clone() }
    }
}

/// A memory of this process alone, for tests and where there is no Redis.
#[derive(Debug, Default)]
pub struct LocalMemory(Mutex<HashSet<(String, String)>>);

#[async_trait]
impl Memory for LocalMemory {
    async fn recall(&self, tenant: &str, ids: Vec<String>) -> Vec<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.into_iter().map(|id| known.contains(&(tenant.to_owned(), id))).collect()
    }

    fn remember(&self, tenant: &str, ids: Vec<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(ids.into_iter().map(|id| (tenant.to_owned(), id)));
    }
}

/// Longer than this no trip to Redis takes; what is not answered by then is taken for new.
const PATIENCE: Duration = Duration::from_millis(500);
/// Questions and notes that wait; when there are more, they are not asked and not noted.
const BACKLOG: usize = 4096;
/// The most that go to Redis in one trip.
const BATCH: usize = 512;
/// Nobody waits for a note: it waits this long for others, which share its trip.
const NOTE_AFTER: Duration = Duration::from_millis(5);

/// Redis. Requests that arrive together go there in one trip: a webhook at a time would cost a trip each.
pub(super) struct RedisMemory {
    questions: mpsc::Sender<Question>,
    notes: mpsc::Sender<(String, Vec<String>)>,
    replies: mpsc::Sender<(AccountName, Reply)>,
    handles: mpsc::Sender<(AccountName, Vec<Handle>)>,
}

struct Question {
    tenant: String,
    ids: Vec<String>,
    answer: oneshot::Sender<Vec<bool>>,
}

impl RedisMemory {
    /// Starts the tasks, which end when this is dropped.
    pub(super) fn start(seen: Seen, replies: Replies, recall: Recall) -> Self {
        let (questions, asked) = mpsc::channel(BACKLOG);
        let (notes, noted) = mpsc::channel(BACKLOG);
        tokio::spawn(answer_questions(seen.clone(), asked));
        tokio::spawn(write_notes(seen, noted));
        let (kept_replies, kept) = mpsc::channel(BACKLOG);
        tokio::spawn(keep_replies(replies, kept));
        let (handles, given) = mpsc::channel(BACKLOG);
        tokio::spawn(keep_handles(recall, given));
        Self { questions, notes, replies: kept_replies, handles }
    }
}

#[async_trait]
impl Memory for RedisMemory {
    async fn recall(&self, tenant: &str, ids: Vec<String>) -> Vec<bool> {
        let nothing = vec![false; ids.len()];
        let (answer, answered) = oneshot::channel();
        let question = Question { tenant: tenant.to_owned(), ids, answer };
        if self.questions.try_send(question).is_err() {
            return nothing;
        }
        answered.await.unwrap_or(nothing)
    }

    fn remember(&self, tenant: &str, ids: Vec<String>) {
        // A full backlog forgets: what is forgotten costs a second, deduplicated trip and no message.
        let _ = self.notes.try_send((tenant.to_owned(), ids));
    }

    fn keep(&self, account: AccountName, replies: Vec<Reply>) {
        for reply in replies {
            // A handle that is forgotten costs a message that the provider charges for.
            let _ = self.replies.try_send((account.clone(), reply));
        }
    }

    fn keep_handles(&self, account: AccountName, handles: Vec<Handle>) {
        // One that is forgotten costs a quote or a read mark.
        let _ = self.handles.try_send((account, handles));
    }
}

async fn keep_handles(recall: Recall, mut given: mpsc::Receiver<(AccountName, Vec<Handle>)>) {
    while let Some((account, handles)) = given.recv().await {
        recall.keep(&account, &handles, None).await;
    }
}

async fn keep_replies(replies: Replies, mut kept: mpsc::Receiver<(AccountName, Reply)>) {
    while let Some((account, reply)) = kept.recv().await {
        let AccountName { tenant, channel, name } = &account;
        let customer = Customer { channel, account: name, user_id: &reply.user_id };
        if let Err(error) = replies.keep(tenant, &customer, &reply.value, reply.valid_for).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "a reply handle is not kept");
        }
    }
}

async fn answer_questions(seen: Seen, mut asked: mpsc::Receiver<Question>) {
    let mut waiting = Vec::new();
    while asked.recv_many(&mut waiting, BATCH).await > 0 {
        // Requests that are ready to run ask first, and share the trip.
        tokio::task::yield_now().await;
        while waiting.len() < BATCH
            && let Ok(question) = asked.try_recv()
        {
            waiting.push(question);
        }
        let mut by_tenant: HashMap<String, Vec<Question>> = HashMap::new();
        for question in waiting.drain(..) {
            by_tenant.entry(question.tenant.clone()).or_default().push(question);
        }
        let deadline = Instant::now() + PATIENCE;
        for (tenant, questions) in by_tenant {
            let ids: Vec<&str> =
                questions.iter().flat_map(|question| &question.ids).map(String::as_str).collect();
            let known = match timeout_at(deadline, seen.check_many(&tenant, &ids)).await {
                Ok(Ok(known)) => known,
                Ok(Err(error)) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "what was seen is not known");
                    vec![false; ids.len()]
                }
                Err(_) => vec![false; ids.len()],
            };
            let mut known = known.into_iter();
            for question in questions {
                let part = known.by_ref().take(question.ids.len()).collect();
                // Nobody listens when the request was given up meanwhile.
                let _ = question.answer.send(part);
            }
        }
    }
}

async fn write_notes(seen: Seen, mut noted: mpsc::Receiver<(String, Vec<String>)>) {
    let mut waiting = Vec::new();
    while noted.recv_many(&mut waiting, BATCH).await > 0 {
        tokio::time::sleep(NOTE_AFTER).await;
        while waiting.len() < BATCH
            && let Ok(note) = noted.try_recv()
        {
            waiting.push(note);
        }
        let mut by_tenant: HashMap<String, Vec<String>> = HashMap::new();
        for (tenant, ids) in waiting.drain(..) {
            by_tenant.entry(tenant).or_default().extend(ids);
        }
        for (tenant, ids) in by_tenant {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            if let Err(error) = seen.mark_many(&tenant, &ids).await {
                tracing::debug!(error = &error as &dyn std::error::Error, "what was seen is not noted");
            }
        }
    }
}
