//! Configuration: replaced whole, and everything in hand is looked at again under the new rules.

use crate::{
    config::PoolConfig,
    decision::Reason,
    entry::Presence,
    index::Index,
    state::{Agent, Number, Phase},
    step::Step,
    text::Text,
};

impl Step<'_> {
    /// A new configuration. Assigned conversations stay where they are; offers the new rules forbid are withdrawn.
    pub(crate) fn configure(&mut self, config: &PoolConfig) {
        if self.pool.config == *config {
            return;
        }
        let gone: Vec<Text> =
            self.pool.agents.keys().filter(|name| !config.agents.contains_key(*name)).cloned().collect();
        for name in &gone {
            self.set_presence(name, Presence::Offline, &Reason::new("agent_removed", ""));
            self.pool.agents.remove(name);
        }
        self.pool.config = config.clone();
        for name in config.agents.keys() {
            if !self.pool.agents.contains_key(name) {
                self.pool.agents.insert(name.clone(), Agent::default());
            }
        }
        *self.index = Index::build(self.pool);
        let names: Vec<Text> = config.agents.keys().cloned().collect();
        for name in names {
            self.withdraw(&name);
            self.touched.insert(name);
        }
    }

    /// Withdraws what rings at `agent` and may not any more: first what they no longer suit, then the newest of
    /// what is too much.
    fn withdraw(&mut self, agent: &Text) {
        for unsuited in [true, false] {
            let work: Vec<Number> =
                self.pool.agents.get(agent).into_iter().flat_map(|state| &state.work).copied().collect();
            for number in work.into_iter().rev() {
                let conversation = &self.pool.conversations[&number];
                let profile = &conversation.profile;
                let Phase::Reserved { direct, .. } = &conversation.phase else { continue };
                let forbidden = if unsuited {
                    !direct && !self.pool.suits(agent, profile)
                } else {
                    self.pool.over_capacity(agent, &profile.class)
                };
                if forbidden {
                    self.rescind(number, Reason::new("configuration_changed", ""));
                }
            }
        }
    }
}
