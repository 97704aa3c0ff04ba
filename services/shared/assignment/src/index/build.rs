//! Everything from the facts.

use std::collections::BTreeSet;

use super::{Index, Line, Member};
use crate::{
    state::{Phase, Pool},
    text::Text,
};

impl Index {
    /// The index that follows from `pool`.
    pub(crate) fn build(pool: &Pool) -> Self {
        let mut index = Self::default();
        let classes: BTreeSet<&Text> =
            pool.config.agents.values().flat_map(|spec| spec.capacity.keys()).collect();
        index.classes = classes.into_iter().cloned().collect();
        for name in pool.config.queues.keys() {
            index.line_or_new(pool, name);
        }
        for (slot, (name, spec)) in pool.config.agents.iter().enumerate() {
            let slot = slot as u32;
            let lines: Vec<u32> = spec.queues.keys().map(|queue| index.line_or_new(pool, queue)).collect();
            for line in &lines {
                index.lines[*line as usize].agents.push(slot);
            }
            for (skill, level) in &spec.skills {
                index.skilled.entry(skill.clone()).or_default().push((slot, *level));
            }
            index.members.push(Member::new(name, spec, lines));
            index.slots.insert(name.clone(), slot);
            index.refresh(pool, slot);
        }
        for (number, conversation) in pool.conversations.sorted() {
            index.by_id.insert(conversation.about.id.clone(), *number);
            if let Some((reservation, _)) =
                conversation.consult.as_ref().and_then(|consult| consult.ringing.as_ref())
            {
                index.reservations.insert(reservation.clone(), *number);
            }
            match &conversation.phase {
                Phase::Waiting => index.wait(pool, *number, conversation),
                Phase::Reserved { reservation, .. } => {
                    index.reservations.insert(reservation.clone(), *number);
                }
                Phase::Unassigned | Phase::Assigned { .. } | Phase::WrapUp { .. } => {}
            }
        }
        index
    }

    /// Lines that have agents, work, or a configuration.
    pub(crate) fn heard_of(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter()
    }
}
