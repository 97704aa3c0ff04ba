//! The same centre under simple rules: what the engine is compared with.
//!
//! A static policy says once and for all which idle agent an arrival gets and which work an agent takes who becomes free.
//! Here these are carried out by a small simulator of their own, which shares nothing with the engine but the customers:
//! they come at the same moments and bring the same work. Every policy of a family is tried, so the best one is known.

mod policy;
mod race;
mod search;

pub use search::Optimal;
pub(crate) use search::{Comparison, Policies, Trial};

use crate::{
    closed_form::{always_there, can_serve, room},
    scenario::Scenario,
};

/// Kinds of work and groups of agents that a search can be through with.
const MOST: usize = 3;

/// Who can serve whom, and how fast.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Model {
    /// Agents of each group.
    pub(crate) agents: Vec<u32>,
    /// By kind of work and group: how fast agents are; none where they cannot.
    pub(crate) speed: Vec<Vec<Option<f64>>>,
}

impl Model {
    /// The model of a scenario; else what it has that static policies do not know of.
    pub(crate) fn of(scenario: &Scenario) -> Result<Self, &'static str> {
        if scenario.work.len() > MOST || scenario.agents.len() > MOST {
            return Err("there are more than three kinds of work or groups of agents");
        }
        let mut speed = Vec::new();
        for work in &scenario.work {
            let queue = scenario.queues.get(&work.queue).ok_or("a queue is unknown")?;
            if work.patience.is_some() || work.callback.is_some() {
                return Err("customers leave");
            }
            if queue.wrap_up.as_millis() > 0 {
                return Err("agents wrap up");
            }
            if queue.max_wait.is_some() || queue.hours.is_some() {
                return Err("a queue sends work away");
            }
            let mut speeds = Vec::new();
            for group in &scenario.agents {
                always_there(group)?;
                let able = can_serve(group, work, queue);
                if able && room(group, work, scenario)? != 1 {
                    return Err("agents have several conversations at a time");
                }
                speeds.push(able.then(|| group.speed.at(&work.name)));
            }
            if speeds.iter().all(Option::is_none) {
                return Err("nobody can serve one kind of work");
            }
            speed.push(speeds);
        }
        Ok(Self { agents: scenario.agents.iter().map(|group| group.count).collect(), speed })
    }

    /// Kinds of work that a group can serve.
    pub(crate) fn classes_of(&self, group: usize) -> Vec<usize> {
        (0..self.speed.len()).filter(|class| self.speed[*class][group].is_some()).collect()
    }

    /// Groups that can serve a kind of work.
    pub(crate) fn groups_of(&self, class: usize) -> Vec<usize> {
        (0..self.agents.len()).filter(|group| self.speed[class][*group].is_some()).collect()
    }
}
