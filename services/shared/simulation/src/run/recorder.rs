//! Writes down what happens, as far as it counts.

use super::customer::{Customers, Leg, Stage};
use crate::{
    arrivals::as_number,
    measure::{GroupOutcome, Outcome, QueueOutcome},
    plan::Plan,
};

/// The outcome of a replication while it comes to be. A customer's wait counts where it began while it counted.
pub(super) struct Recorder<'a> {
    plan: &'a Plan,
    outcome: Outcome,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let outcome = Outcome {
            queues: plan.queues.iter().map(|_| QueueOutcome::new(&plan.grid)).collect(),
            groups: plan.groups.iter().map(|_| GroupOutcome::new(&plan.grid)).collect(),
            brought: vec![(0, 0.0); plan.work.len()],
            entries: 0,
            decisions: 0,
            refused: std::collections::BTreeMap::new(),
        };
        Self { plan, outcome }
    }

    pub(super) fn applied(&mut self, decisions: usize) {
        self.outcome.entries += 1;
        self.outcome.decisions += decisions as u64;
    }

    pub(super) fn refused(&mut self, code: &str) {
        match self.outcome.refused.get_mut(code) {
            Some(count) => *count += 1,
            None => {
                self.outcome.refused.insert(code.to_owned(), 1);
            }
        }
    }

    pub(super) fn came(&mut self, now: i64, work: usize, brings: f64) {
        if self.plan.grid.counts(now) {
            let (customers, brought) = &mut self.outcome.brought[work];
            *customers += 1;
            *brought += brings;
        }
    }

    /// The queue a wait is counted in; none where it does not count.
    fn counted(&mut self, leg: &Leg) -> Option<&mut QueueOutcome> {
        let counts = self.plan.grid.counts(leg.since) && !leg.again;
        counts.then(|| &mut self.outcome.queues[leg.queue])
    }

    pub(super) fn offered(&mut self, leg: &Leg) {
        let part = self.plan.grid.part(leg.since);
        self.outcome.queues[leg.queue].waiting.add(&self.plan.grid, leg.since, 1.0);
        if let Some(queue) = self.counted(leg) {
            queue.offered += 1;
            queue.parts[part].offered += 1;
        }
    }

    pub(super) fn delayed(&mut self, leg: &Leg) {
        if let Some(queue) = self.counted(leg) {
            queue.delayed += 1;
        }
    }

    pub(super) fn waits_again(&mut self, now: i64, leg: &Leg) {
        self.outcome.queues[leg.queue].waiting.add(&self.plan.grid, now, 1.0);
    }

    fn waits_no_more(&mut self, now: i64, leg: &Leg) {
        self.outcome.queues[leg.queue].waiting.add(&self.plan.grid, now, -1.0);
    }

    pub(super) fn answered(&mut self, now: i64, leg: &Leg, group: usize) {
        self.waits_no_more(now, leg);
        self.took(now, group);
        let target = self.plan.queues[leg.queue].target;
        let part = self.plan.grid.part(leg.since);
        if let Some(queue) = self.counted(leg) {
            let wait = now - leg.since;
            queue.answered += 1;
            queue.waited += as_number(wait);
            queue.waits.add(wait);
            if wait <= target {
                queue.within += 1;
                queue.parts[part].within += 1;
            }
            if let Some(told) = leg.told.filter(|_| wait > 0) {
                let (told, wait) = (f64::from(told) * 1_000.0, as_number(wait));
                queue.told.0 += 1;
                queue.told.1 += told;
                queue.told.2 += wait;
                queue.told.3 += (told - wait).abs();
            }
        }
    }

    pub(super) fn called_back(&mut self, now: i64, leg: &Leg, group: usize) {
        self.took(now, group);
        if let Some(queue) = self.counted(leg) {
            queue.called_back.0 += as_number(now - leg.since);
            queue.called_back.1 += 1;
        }
    }

    fn took(&mut self, now: i64, group: usize) {
        if self.plan.grid.counts(now) {
            self.outcome.groups[group].answered += 1;
        }
    }

    pub(super) fn abandoned(&mut self, now: i64, leg: &Leg) {
        self.waits_no_more(now, leg);
        let part = self.plan.grid.part(leg.since);
        if let Some(queue) = self.counted(leg) {
            queue.abandoned += 1;
            queue.parts[part].abandoned += 1;
            queue.waited_in_vain += as_number(now - leg.since);
        }
    }

    pub(super) fn turned_away(&mut self, now: i64, leg: &Leg) {
        self.waits_no_more(now, leg);
        if let Some(queue) = self.counted(leg) {
            queue.turned_away += 1;
        }
    }

    pub(super) fn callback(&mut self, now: i64, leg: &Leg) {
        self.waits_no_more(now, leg);
        if let Some(queue) = self.counted(leg) {
            queue.callbacks += 1;
        }
    }

    pub(super) fn relaxed(&mut self, leg: &mut Leg) {
        if !std::mem::replace(&mut leg.relaxed, true)
            && let Some(queue) = self.counted(leg)
        {
            queue.relaxed += 1;
        }
    }

    /// The wait goes on in another queue, where it is counted as if it had begun there.
    pub(super) fn overflowed(&mut self, now: i64, leg: &mut Leg, to: usize, waits: bool) {
        if waits {
            self.waits_no_more(now, leg);
        }
        if let Some(queue) = self.counted(leg) {
            queue.overflowed += 1;
        }
        leg.queue = to;
        if waits {
            self.waits_again(now, leg);
        }
        let (since, part) = (leg.since, self.plan.grid.part(leg.since));
        if let Some(queue) = self.counted(leg) {
            queue.offered += 1;
            // Who has only just come is counted as delayed with those who find nobody.
            queue.delayed += u64::from(now > since);
            queue.parts[part].offered += 1;
        }
    }

    pub(super) fn rang_out(&mut self, leg: &Leg, group: Option<usize>) {
        if let Some(queue) = self.counted(leg) {
            queue.rona += 1;
            if let Some(group) = group {
                self.outcome.groups[group].rona += 1;
            }
        }
    }

    pub(super) fn rejected(&mut self, leg: &Leg, group: Option<usize>) {
        if let Some(queue) = self.counted(leg) {
            queue.rejected += 1;
            if let Some(group) = group {
                self.outcome.groups[group].rejected += 1;
            }
        }
    }

    pub(super) fn busy(&mut self, now: i64, group: usize, by: f64) {
        self.outcome.groups[group].busy.add(&self.plan.grid, now, by);
    }

    pub(super) fn staffed(&mut self, now: i64, group: usize, by: f64) {
        self.outcome.groups[group].staffed.add(&self.plan.grid, now, by);
    }

    pub(super) fn scheduled(&mut self, now: i64, group: usize, by: f64) {
        self.outcome.groups[group].scheduled.add(&self.plan.grid, now, by);
    }

    /// The end.
    pub(super) fn finish(mut self, customers: &Customers) -> Outcome {
        for customer in customers.all() {
            if matches!(customer.stage, Stage::Waiting)
                && let Some(queue) = self.counted(&customer.leg)
            {
                queue.unfinished += 1;
            }
        }
        let grid = &self.plan.grid;
        for queue in &mut self.outcome.queues {
            queue.waiting.finish(grid);
        }
        for group in &mut self.outcome.groups {
            for level in [&mut group.busy, &mut group.staffed, &mut group.scheduled] {
                level.finish(grid);
            }
        }
        self.outcome
    }
}
