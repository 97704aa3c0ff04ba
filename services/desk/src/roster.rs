//! Who is here: sessions of an agent on this desk, and telling the routing log that a working agent lives, or left.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use heliograph_proto::v1::{Disconnected, Heartbeat, command::Action};
use heliograph_runtime::Shutdown;
use tokio::{
    sync::watch,
    time::{Instant, MissedTickBehavior, interval_at, sleep},
};

use crate::routing::Routing;

/// An agent of a tenant.
type Key = (String, String);

/// One agent with sessions here, or whose last session went a moment ago.
#[derive(Debug)]
struct Here {
    sessions: watch::Sender<usize>,
    /// Takes work, or is away: the routing log wants to hear of it. Offline agents are left alone.
    working: AtomicBool,
}

/// The agents with sessions on this desk. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Roster {
    agents: Arc<Mutex<HashMap<Key, Arc<Here>>>>,
    routing: Routing,
    heartbeat: Duration,
    grace: Duration,
    shutdown: Shutdown,
}

/// One open session of an agent.
#[derive(Debug)]
pub(crate) struct Attendance {
    here: Arc<Here>,
}

impl Attendance {
    /// Says whether the agent is anything but offline.
    pub(crate) fn set_working(&self, working: bool) {
        self.here.working.store(working, Ordering::Relaxed);
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        self.here.sessions.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Roster {
    pub(crate) fn new(routing: Routing, heartbeat: Duration, grace: Duration, shutdown: Shutdown) -> Self {
        Self { agents: Arc::default(), routing, heartbeat, grace, shutdown }
    }

    /// A session of the agent begins.
    pub(crate) fn enter(&self, tenant: &str, agent: &str) -> Attendance {
        let key = (tenant.to_owned(), agent.to_owned());
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = agents.get(&key) {
            here.sessions.send_modify(|count| *count += 1);
            return Attendance { here: Arc::clone(here) };
        }
        let here = Arc::new(Here { sessions: watch::Sender::new(1), working: AtomicBool::new(false) });
        agents.insert(key.clone(), Arc::clone(&here));
        tokio::spawn(self.clone().attend(key, Arc::clone(&here)));
        Attendance { here }
    }

    /// Runs for as long as the agent is here.
    async fn attend(self, key: Key, here: Arc<Here>) {
        let mut sessions = here.sessions.subscribe();
        let mut beats = interval_at(Instant::now() + self.heartbeat, self.heartbeat);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let left = *sessions.borrow_and_update() == 0;
            tokio::select! {
                // A desk that stops says nothing: its agents are on another one in a moment, and routing misses
                // their heartbeats if not.
                () = self.shutdown.draining() => return,
                changed = sessions.changed() => if changed.is_err() { return },
                () = sleep(self.grace), if left => {
                    if self.forget(&key, &here) {
                        self.tell(&key, &here, Action::Disconnected(Disconnected {})).await;
                        return;
                    }
                }
                _ = beats.tick(), if !left => self.tell(&key, &here, Action::Heartbeat(Heartbeat {})).await,
            }
        }
    }

    /// Takes the agent off the roster, unless it is back.
    fn forget(&self, key: &Key, here: &Here) -> bool {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = *here.sessions.borrow() == 0;
        if gone {
            agents.remove(key);
        }
        gone
    }

    async fn tell(&self, (tenant, agent): &Key, here: &Here, action: Action) {
        if !here.working.load(Ordering::Relaxed) {
            return;
        }
        if let Err(error) = self.routing.append_own(tenant, agent, action).await {
            tracing::warn!(tenant, agent, %error, "the routing log was not told of an agent's presence");
        }
    }
}
