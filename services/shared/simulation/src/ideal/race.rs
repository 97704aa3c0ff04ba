//! A small simulator of static policies.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use super::{
    Model,
    policy::{Choice, Limit, Policy, Routing},
};
use crate::{
    plan::Plan,
    random::{Purpose, Random},
};

/// Who comes in one replication: the same as the engine sees.
pub(super) struct Customers {
    /// In order of arrival: when, which kind, and milliseconds of work for an agent of speed 1.
    coming: Vec<(i64, usize, f64)>,
    from: i64,
    to: i64,
}

impl Customers {
    pub(super) fn new(plan: &Plan, seed: u64, replication: u32) -> Self {
        let mut coming = Vec::new();
        for (class, work) in plan.scenario.work.iter().enumerate() {
            let stream = |purpose| Random::stream(seed, u64::from(replication), purpose, class);
            let (mut arrivals, mut service) = (stream(Purpose::Arrivals), stream(Purpose::Service));
            let mut times = work.arrivals.from(plan.start);
            while let Some(at) = times.next(&mut arrivals).filter(|at| *at < plan.grid.to) {
                coming.push((at, class, work.service.draw(&mut service)));
            }
        }
        coming.sort_by_key(|(at, class, _)| (*at, *class));
        Self { coming, from: plan.grid.from, to: plan.grid.to }
    }
}

/// The centre at one moment.
struct Race<'a> {
    model: &'a Model,
    policy: &'a Policy,
    lots: Random,
    idle: Vec<u32>,
    queues: Vec<VecDeque<(i64, f64)>>,
    /// When agents become free, and of which group they are.
    busy: BinaryHeap<Reverse<(i64, usize)>>,
    from: i64,
    waited: i64,
    answered: u64,
}

/// Mean wait under a policy of those who came while it counted and were answered before the end, in seconds.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn mean_wait(model: &Model, policy: &Policy, customers: &Customers, lots: Random) -> f64 {
    let mut race = Race {
        model,
        policy,
        lots,
        idle: model.agents.clone(),
        queues: vec![VecDeque::new(); model.speed.len()],
        busy: BinaryHeap::new(),
        from: customers.from,
        waited: 0,
        answered: 0,
    };
    for (at, class, work) in &customers.coming {
        race.free_until(*at);
        race.queues[*class].push_back((*at, *work));
        if let Some(group) = race.route(*class) {
            race.serve(*class, group, *at);
        }
    }
    race.free_until(customers.to - 1);
    race.waited as f64 / 1_000.0 / race.answered.max(1) as f64
}

impl Race<'_> {
    /// Agents become free, up to and with `until`, and take what waits.
    fn free_until(&mut self, until: i64) {
        while let Some(Reverse((at, group))) =
            self.busy.peek().copied().filter(|Reverse((at, _))| *at <= until)
        {
            self.busy.pop();
            self.idle[group] += 1;
            if let Some(class) = self.choose(group) {
                self.serve(class, group, at);
            }
        }
    }

    /// Whether a group may give an idle agent to the first who waits of a kind of work.
    fn may(&self, class: usize, group: usize) -> bool {
        let waiting = self.queues[class].len();
        if self.idle[group] == 0 || waiting == 0 || self.model.speed[class][group].is_none() {
            return false;
        }
        match self.policy.limit[group] {
            Limit::Reserve { class: kept_from, agents } if kept_from == class => self.idle[group] > agents,
            Limit::Threshold { class: helped, waiting: enough } if helped == class => waiting >= enough,
            _ => true,
        }
    }

    /// The group whose agent an arrival gets.
    fn route(&mut self, class: usize) -> Option<usize> {
        match &self.policy.routing[class] {
            Routing::Order(order) => order.iter().copied().find(|group| self.may(class, *group)),
            Routing::MostIdle => {
                let able = (0..self.idle.len()).filter(|group| self.may(class, *group));
                able.max_by_key(|group| (self.idle[*group], Reverse(*group)))
            }
            Routing::Lot => {
                let able: Vec<usize> = (0..self.idle.len()).filter(|group| self.may(class, *group)).collect();
                let agents: u32 = able.iter().map(|group| self.idle[*group]).sum();
                let mut drawn = self.lots.below(agents as usize) as u32;
                able.into_iter().find(|group| {
                    let here = drawn < self.idle[*group];
                    drawn = drawn.saturating_sub(self.idle[*group]);
                    here
                })
            }
        }
    }

    /// The kind of work that a free agent takes.
    fn choose(&self, group: usize) -> Option<usize> {
        let mut able = (0..self.queues.len()).filter(|class| self.may(*class, group));
        match &self.policy.choice[group] {
            Choice::Oldest => able.min_by_key(|class| self.queues[*class].front().map(|(at, _)| *at)),
            Choice::Longest => able.max_by_key(|class| (self.queues[*class].len(), Reverse(*class))),
            Choice::Priority(order) => {
                let able: Vec<usize> = able.by_ref().collect();
                order.iter().copied().find(|class| able.contains(class))
            }
        }
    }

    fn serve(&mut self, class: usize, group: usize, now: i64) {
        let Some((since, work)) = self.queues[class].pop_front() else { return };
        self.idle[group] -= 1;
        let speed = self.model.speed[class][group].unwrap_or(1.0);
        self.busy.push(Reverse((now + crate::arrivals::whole(work / speed), group)));
        if since >= self.from {
            self.waited += now - since;
            self.answered += 1;
        }
    }
}
