//! What work asks for. Work that asks for the same is served by the same agents, so it is kept once.

#[cfg(test)]
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    config::{AgentSpec, QueueSpec},
    need::{Need, Skill, merge_needs, merge_skills},
    table::Table,
    text::Text,
};

/// Names an ask within its pool.
pub(crate) type AskId = u32;

/// Asks kept before those that no open conversation has are dropped. What is asked again soon keeps its lanes.
pub(crate) const KEPT: usize = 2_048;

/// What a piece of work asks for by itself, without what its queue adds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) queue: Text,
    pub(crate) class: Text,
    pub(crate) required: Vec<Need>,
    pub(crate) preferred: Vec<Skill>,
}

/// What is asked in the end: with what the queue adds, and after some steps of relaxation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) queue: Text,
    pub(crate) class: Text,
    pub(crate) required: Vec<Need>,
    pub(crate) preferred: Vec<Skill>,
    /// Agents up to this ring are asked.
    pub(crate) ring: u8,
}

impl Profile {
    /// What `ask` comes to in a queue that says `spec`, after `steps` steps.
    pub(crate) fn new(ask: &Ask, spec: &QueueSpec, steps: u8) -> Self {
        let mut required = merge_needs(&ask.required, &spec.required);
        let taken = &spec.relax[..spec.relax.len().min(steps.into())];
        let lower = taken.iter().map(|step| step.lower).max().unwrap_or(0);
        let drop = taken.iter().flat_map(|step| step.drop.iter().cloned()).collect();
        if steps > 0 {
            required = required.iter().filter_map(|need| need.relaxed(lower, &drop)).collect();
        }
        Self {
            queue: ask.queue.clone(),
            class: ask.class.clone(),
            required,
            preferred: merge_skills(&ask.preferred, &spec.preferred),
            ring: taken.iter().map(|step| step.ring).max().unwrap_or(0).max(1),
        }
    }

    /// Whether `agent` serves the queue, stands in a ring that is asked and has what is required.
    pub(crate) fn suits(&self, agent: &AgentSpec) -> bool {
        agent.queues.get(&self.queue).is_some_and(|ring| *ring <= self.ring)
            && self.required.iter().all(|need| need.met_by(agent))
    }

    /// What the agent brings to the work whatever they do: score in the preferred skills, and levels in the required.
    pub(crate) fn merits(&self, agent: &AgentSpec) -> (u32, u32) {
        let required = self.required.iter().map(|need| need.levels(agent)).sum();
        (agent.score(&self.preferred), required)
    }

    /// Skills that everybody who suits it must have: where to look for agents.
    pub(crate) fn certain(&self) -> Vec<&Skill> {
        let mut skills = Vec::new();
        self.required.iter().for_each(|need| need.certain(&mut skills));
        skills
    }
}

/// A pool's asks by id, and how many open conversations have each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asks {
    kept: Table<AskId, Kept>,
    next: AskId,
    /// The same by what is asked. Follows from `kept`, as does the next.
    ids: Table<Arc<Ask>, AskId>,
    /// How many no conversation has.
    idle: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    ask: Arc<Ask>,
    uses: u32,
}

impl Asks {
    /// The ask with that id.
    pub(crate) fn get(&self, id: AskId) -> &Arc<Ask> {
        &self.kept[&id].ask
    }

    /// One more conversation asks for `ask`.
    pub(crate) fn take(&mut self, ask: Ask) -> AskId {
        if let Some(id) = self.ids.get(&ask) {
            let kept = self.kept.get_mut(id).expect("what has an id is kept");
            self.idle -= usize::from(kept.uses == 0);
            kept.uses += 1;
            return *id;
        }
        if self.kept.len() >= KEPT && self.idle * 2 > KEPT {
            self.drop_idle();
        }
        let (id, ask) = (self.next, Arc::new(ask));
        self.next += 1;
        self.kept.insert(id, Kept { ask: Arc::clone(&ask), uses: 1 });
        self.ids.insert(ask, id);
        id
    }

    fn drop_idle(&mut self) {
        let idle: Vec<AskId> =
            self.kept.sorted().into_iter().filter(|(_, kept)| kept.uses == 0).map(|(id, _)| *id).collect();
        for id in idle {
            if let Some(Kept { ask, .. }) = self.kept.remove(&id) {
                self.ids.remove(&ask);
            }
        }
        self.idle = 0;
    }

    /// One conversation less asks for it.
    pub(crate) fn release(&mut self, id: AskId) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.uses -= 1;
            self.idle += usize::from(kept.uses == 0);
        }
    }

    /// How many open conversations have each ask.
    #[cfg(test)]
    pub(crate) fn uses(&self) -> BTreeMap<AskId, u32> {
        self.kept.sorted().into_iter().map(|(id, kept)| (*id, kept.uses)).collect()
    }
}

impl PartialEq for Asks {
    fn eq(&self, other: &Self) -> bool {
        self.kept == other.kept && self.next == other.next
    }
}

impl Eq for Asks {}

#[derive(Serialize, Deserialize)]
struct Written<K> {
    kept: K,
    next: AskId,
}

impl Serialize for Asks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written { kept: &self.kept, next: self.next }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Asks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written { kept, next } = Written::<Table<AskId, Kept>>::deserialize(deserializer)?;
        let mut ids = Table::default();
        let mut idle = 0;
        for (id, kept) in kept.sorted() {
            ids.insert(Arc::clone(&kept.ask), *id);
            idle += usize::from(kept.uses == 0);
        }
        Ok(Self { kept, next, ids, idle })
    }
}
