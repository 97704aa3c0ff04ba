//! Configuration: replaced whole, and everything in hand is looked at again under the new rules. Hours change queues by
//! the clock in the same way.

use std::sync::Arc;

use crate::{
    config::{PoolConfig, QueueSpec},
    decision::Reason,
    entry::Presence,
    index::{Index, over_capacity},
    state::{Agent, Number, Phase, Stand},
    step::Step,
    text::Text,
    timer::Timer,
};

impl Step<'_> {
    /// A new configuration. Assigned conversations stay where they are; offers the new rules forbid are withdrawn.
    pub(crate) fn configure(&mut self, config: &PoolConfig) {
        if *self.pool.config == *config {
            return;
        }
        let agents = self.pool.agents.sorted();
        let gone: Vec<Text> =
            agents.into_keys().filter(|name| !config.agents.contains_key(*name)).cloned().collect();
        for name in &gone {
            self.set_presence(name, Presence::Offline, &Reason::new("agent_removed", ""));
            self.pool.agents.remove(name);
        }
        self.pool.config = Arc::new(config.clone());
        for name in config.agents.keys() {
            if self.pool.agents.get(name).is_none() {
                self.pool.agents.insert(name.clone(), Agent::default());
            }
        }
        self.keep_hours();
        let waiting = self.unlearn_waiting();
        // What was touched so far has numbers of the old index; every agent is looked at below.
        self.touched.clear();
        *self.index = Index::build(self.pool);
        for number in waiting {
            self.arm_wait(number);
        }
        let names: Vec<Text> = config.agents.keys().cloned().collect();
        for name in names {
            self.withdraw(&name);
            self.touch(&name);
        }
    }

    /// Opens and closes queues as the configuration has it now, and forgets queues that are gone.
    fn keep_hours(&mut self) {
        let config = Arc::clone(&self.pool.config);
        let old = std::mem::take(&mut self.pool.queues);
        for (name, queue) in old {
            if let Some(due) = queue.changes_at {
                self.disarm(due, Timer::Hours(name.clone()));
            }
            if config.queues.contains_key(&name) {
                self.pool.queues.insert(name, queue);
            }
        }
        for (name, spec) in &config.queues {
            self.set_hours(name, spec);
        }
    }

    /// Notes whether a queue is open now, and when that changes. True if it was not so before.
    fn set_hours(&mut self, name: &Text, spec: &QueueSpec) -> bool {
        let now = self.now;
        let (closed, changes_at) = (!spec.is_open(now), spec.changes_after(now));
        let queue = self.pool.queues.entry(name.clone()).or_default();
        let changed = queue.closed != closed;
        queue.closed = closed;
        queue.changes_at = changes_at;
        if let Some(due) = changes_at {
            self.arm(due, Timer::Hours(name.clone()));
        }
        changed
    }

    /// A queue opens or closes. What waited for it to open is offered.
    pub(crate) fn hours(&mut self, name: &Text) {
        let Some(spec) = self.pool.config.queues.get(name).cloned() else { return };
        if !self.set_hours(name, &spec) {
            return;
        }
        let open = !self.pool.queues[name].closed;
        self.index.set_open(self.pool, name, open);
        if open && let Some(line) = self.index.line(name) {
            self.returned.extend(line.in_order());
        }
    }

    /// Takes the timers of everything that waits away, before they mean something else; and nothing is kept for an agent
    /// who is gone or sent elsewhere.
    fn unlearn_waiting(&mut self) -> Vec<Number> {
        let conversations = self.pool.conversations.sorted();
        let waiting: Vec<Number> = conversations
            .into_iter()
            .filter(|(_, conversation)| conversation.phase == Phase::Waiting)
            .map(|(number, _)| *number)
            .collect();
        for number in &waiting {
            self.disarm_wait(*number);
            let entered = self.now.0 - self.conversation(*number).wait.entered.0;
            let queue = self.queue_of(*number);
            let steps = self.pool.config.queues.get(&queue).map_or(0, |spec| {
                spec.relax.iter().take_while(|step| i64::from(step.after_seconds) * 1_000 <= entered).count()
            });
            let conversation = &self.pool.conversations[number];
            let kept = match &conversation.wait.stand {
                Stand::Held { agent, .. } => self.pool.config.agents.get(agent).is_some_and(|spec| {
                    spec.queues.contains_key(&queue) && self.pool.agents.get(agent).is_some_and(Agent::ready)
                }),
                Stand::Open | Stand::Asleep { .. } => true,
            };
            let wait = &mut self.conversation(*number).wait;
            wait.steps = u8::try_from(steps).unwrap_or(u8::MAX);
            if !kept {
                wait.stand = Stand::Open;
            }
        }
        waiting
    }

    /// Withdraws what rings at `agent` and may not any more: first what they no longer suit, then the newest of
    /// what is too much.
    fn withdraw(&mut self, agent: &Text) {
        for unsuited in [true, false] {
            let work: Vec<Number> =
                self.pool.agents.get(agent).into_iter().flat_map(|state| &state.work).copied().collect();
            for number in work.into_iter().rev() {
                let conversation = &self.pool.conversations[&number];
                let Phase::Reserved { direct, .. } = &conversation.phase else { continue };
                let forbidden = if unsuited {
                    let spec = self.pool.config.agents.get(agent);
                    let suits = |profile: crate::ask::Profile| spec.is_some_and(|spec| profile.suits(spec));
                    !direct && !self.profile(number).is_some_and(suits)
                } else {
                    over_capacity(self.pool, agent, &conversation.class)
                };
                if forbidden {
                    self.rescind(number, Reason::new("configuration_changed", ""));
                }
            }
        }
    }
}
