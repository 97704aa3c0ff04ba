//! The queues and the board of each tenant, asked of routing every now and then while somebody looks, and shared by all
//! sessions of the process.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use heliograph_proto::v1::{PoolState, QueueView, QueuesState};
use heliograph_store::resources::ResourceView;
use tokio::{
    sync::{Notify, watch},
    task::AbortHandle,
    time::{MissedTickBehavior, interval},
};

use crate::{auth, routing::Routing};

/// How much older the oldest wait must be to be told anew, in milliseconds: clients count on by themselves.
const WAIT_STEP_MS: i64 = 10_000;

/// The boards of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Boards {
    routing: Routing,
    resources: ResourceView,
    every: Duration,
    tenants: Arc<Mutex<HashMap<String, Weak<Board>>>>,
}

/// One tenant's. It is asked for as long as somebody holds it.
#[derive(Debug)]
pub(crate) struct Board {
    queues: watch::Receiver<Arc<QueuesState>>,
    pool: watch::Receiver<Arc<PoolState>>,
    looking: Arc<Looking>,
    task: AbortHandle,
}

/// How many look at the whole board.
#[derive(Debug, Default)]
struct Looking {
    count: AtomicUsize,
    more: Notify,
}

impl Drop for Board {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Somebody looks at the whole board.
#[derive(Debug)]
pub(crate) struct Look {
    pool: watch::Receiver<Arc<PoolState>>,
    looking: Arc<Looking>,
}

impl Look {
    /// The board whenever it has changed; at first as it was seen last, if that was ever.
    pub(crate) async fn changed(&mut self) -> Arc<PoolState> {
        // Without anybody who asks there is no change any more.
        if self.pool.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        Arc::clone(&self.pool.borrow_and_update())
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.looking.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Boards {
    pub(crate) fn new(routing: Routing, resources: ResourceView, every: Duration) -> Self {
        Self { routing, resources, every, tenants: Arc::default() }
    }

    /// The tenant's.
    pub(crate) fn of(&self, tenant: &str) -> Arc<Board> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|_, board| board.strong_count() > 0);
        if let Some(board) = tenants.get(tenant).and_then(Weak::upgrade) {
            return board;
        }
        let (queues, queues_seen) = watch::channel(Arc::default());
        let (pool, pool_seen) = watch::channel(Arc::default());
        let looking = Arc::new(Looking::default());
        let asking = Asking {
            routing: self.routing.clone(),
            resources: self.resources.clone(),
            tenant: tenant.to_owned(),
            queues,
            pool,
            looking: Arc::clone(&looking),
        };
        let task = tokio::spawn(asking.run(self.every)).abort_handle();
        let board = Arc::new(Board { queues: queues_seen, pool: pool_seen, looking, task });
        tenants.insert(tenant.to_owned(), Arc::downgrade(&board));
        board
    }
}

impl Board {
    /// The queues, whenever they have changed.
    pub(crate) fn queues(&self) -> watch::Receiver<Arc<QueuesState>> {
        self.queues.clone()
    }

    /// The whole board, from now on.
    pub(crate) fn look(&self) -> Look {
        self.looking.count.fetch_add(1, Ordering::Relaxed);
        self.looking.more.notify_one();
        let mut pool = self.pool.clone();
        if pool.borrow().agents_total > 0 {
            pool.mark_changed();
        }
        Look { pool, looking: Arc::clone(&self.looking) }
    }
}

struct Asking {
    routing: Routing,
    resources: ResourceView,
    tenant: String,
    queues: watch::Sender<Arc<QueuesState>>,
    pool: watch::Sender<Arc<PoolState>>,
    looking: Arc<Looking>,
}

impl Asking {
    async fn run(self, every: Duration) {
        let mut due = interval(every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = due.tick() => {}
                // Whoever begins to look is not kept waiting.
                () = self.looking.more.notified() => {}
            }
            let asked = if self.looking.count.load(Ordering::Relaxed) > 0 {
                self.routing.pool(&self.tenant).await.map(|pool| {
                    let queues = QueuesState { queues: pool.queues.clone() };
                    tell(&self.pool, self.with_names(pool), same_pool);
                    queues
                })
            } else {
                self.routing.queues(&self.tenant).await
            };
            match asked {
                Ok(queues) => tell(&self.queues, queues, |old, new| same_queues(&old.queues, &new.queues)),
                // What was seen last stands until somebody answers.
                Err(error) => tracing::debug!(tenant = self.tenant, %error, "the queues were not told"),
            }
        }
    }

    /// Routing knows agents by their resources alone.
    fn with_names(&self, mut pool: PoolState) -> PoolState {
        let resources = self.resources.snapshot();
        for agent in &mut pool.agents {
            if let Some(spec) = auth::agent(&resources, &self.tenant, &agent.name) {
                agent.display_name.clone_from(&spec.display_name);
            }
        }
        pool
    }
}

fn tell<T>(sender: &watch::Sender<Arc<T>>, new: T, same: impl Fn(&T, &T) -> bool) {
    sender.send_if_modified(|known| {
        let news = !same(known, &new);
        if news {
            *known = Arc::new(new);
        }
        news
    });
}

/// Whether nothing changed but how long the oldest has waited, and that by little.
fn same_queues(old: &[QueueView], new: &[QueueView]) -> bool {
    let step = |queue: &QueueView| QueueView {
        oldest_wait_ms: queue.oldest_wait_ms / WAIT_STEP_MS,
        ..queue.clone()
    };
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| step(old) == step(new))
}

fn same_pool(old: &PoolState, new: &PoolState) -> bool {
    let bare = |pool: &PoolState| PoolState { queues: Vec::new(), ..pool.clone() };
    same_queues(&old.queues, &new.queues) && bare(old) == bare(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(waiting: i32, oldest_wait_ms: i64) -> QueueView {
        QueueView { waiting, oldest_wait_ms, ..QueueView::default() }
    }

    #[test]
    fn a_wait_that_grows_is_told_every_now_and_then_and_anything_else_at_once() {
        assert!(same_queues(&[queue(1, 2_000)], &[queue(1, 9_000)]));
        assert!(!same_queues(&[queue(1, 2_000)], &[queue(1, 11_000)]));
        assert!(!same_queues(&[queue(1, 2_000)], &[queue(2, 2_000)]));
        assert!(!same_queues(&[], &[queue(0, 0)]));
        let pool = |open_total| PoolState { open_total, queues: vec![queue(1, 0)], ..PoolState::default() };
        assert!(same_pool(&pool(1), &PoolState { queues: vec![queue(1, 5)], ..pool(1) }));
        assert!(!same_pool(&pool(1), &pool(2)));
    }
}
