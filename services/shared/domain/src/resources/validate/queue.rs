//! What a queue must satisfy.

use super::Check;
use crate::resources::{
    AgentsBy, ClosedThen, Kind, OverflowWhen, QueueSpec, Relax, ResourceKey, Serves, Spec, WaitEnd,
};

/// Longest time a customer's last agent is remembered, in milliseconds.
const LONGEST_MEMORY: u64 = 8 * 86_400_000;
/// Most that one thing can count in the choice of an agent.
const MOST_POINTS: u8 = 100;
/// Most levels that a step of relaxation takes away: of 10, one is left.
const MOST_LOWERED: u8 = 9;

impl Check<'_> {
    pub(super) fn queue(&mut self, spec: &QueueSpec) {
        self.display_name(&spec.display_name);
        if spec.ring_timeout.as_millis() == 0 {
            self.fail("spec.ring_timeout", "must be more than 0s");
        }
        self.skills("spec.skills", &spec.skills);
        if spec.service_level.target.as_millis() == 0 {
            self.fail("spec.service_level.target", "must be more than 0s");
        }
        let share = spec.service_level.share;
        if !(share > 0.0 && share <= 1.0) {
            self.fail("spec.service_level.share", "must be more than 0 and at most 1; 80 % is 0.8");
        }
        if spec.aging.is_some_and(|aging| aging.as_millis() == 0) {
            self.fail("spec.aging", "must be more than 0s, or old work of low priority would never win");
        }
        self.agents_by(spec.agents_by);
        if let Some(sticky) = &spec.sticky {
            let remember = sticky.remember.as_millis();
            if remember == 0 || remember > LONGEST_MEMORY {
                let message =
                    format!("{} is out of range; it is more than 0s and at most 8d", sticky.remember);
                self.fail("spec.sticky.remember", message);
            }
        }
        self.relax(&spec.relax);
        self.overflow(spec);
        self.closing(spec);
        if spec.announce.is_some_and(|announce| announce.every.as_millis() == 0) {
            self.fail("spec.announce.every", "must be more than 0s; leave announce out to tell once");
        }
        self.circles(spec);
    }

    fn agents_by(&mut self, choice: AgentsBy) {
        let AgentsBy::Mix(weights) = choice else { return };
        let named = [("idle", weights.idle), ("occupancy", weights.occupancy), ("level", weights.level)];
        if named.iter().all(|(_, weight)| *weight == 0) {
            self.fail("spec.agents_by", "all weights are 0; give at least one of idle, occupancy and level");
        }
        for (name, weight) in named {
            if weight > MOST_POINTS {
                let message = format!("{weight} is out of range; weights go from 0 to {MOST_POINTS}");
                self.fail(&format!("spec.agents_by.{name}"), message);
            }
        }
    }

    fn relax(&mut self, steps: &[Relax]) {
        for (index, step) in steps.iter().enumerate() {
            let path = format!("spec.relax[{index}]");
            let before = index.checked_sub(1).map(|before| steps[before].after);
            if before.is_some_and(|before| before >= step.after) {
                let message = "must be later than the step before; every step counts from the arrival";
                self.fail(&format!("{path}.after"), message);
            }
            if step.lower.is_none() && step.ring.is_none() && step.drop.is_empty() {
                self.fail(&path, "asks for nothing less: name lower, drop or ring");
            }
            if let Some(lower) = step.lower.filter(|lower| !(1..=MOST_LOWERED).contains(lower)) {
                let message = format!("{lower} is out of range; a step lowers by 1 to {MOST_LOWERED} levels");
                self.fail(&format!("{path}.lower"), message);
            }
            if let Some(ring) = step.ring
                && !(Serves::FIRST_RING + 1..=Serves::LAST_RING).contains(&ring)
            {
                let message = format!(
                    "{ring} is out of range; ring 1 is asked at once, and a step opens one of 2 to {}",
                    Serves::LAST_RING
                );
                self.fail(&format!("{path}.ring"), message);
            }
            for (place, skill) in step.drop.iter().enumerate() {
                self.name(&format!("{path}.drop[{place}]"), skill);
            }
        }
    }

    fn overflow(&mut self, spec: &QueueSpec) {
        for (index, overflow) in spec.overflow.iter().enumerate() {
            let path = format!("spec.overflow[{index}]");
            let (field, nothing) = match overflow.when {
                OverflowWhen::After(after) => ("after", after.as_millis() == 0),
                OverflowWhen::Waiting(count) => ("waiting", count == 0),
                OverflowWhen::Estimated(wait) => ("estimated", wait.as_millis() == 0),
                OverflowWhen::NobodyOnline => continue,
            };
            if nothing {
                self.fail(&format!("{path}.{field}"), "must be more than 0, or nothing would ever stay");
            }
        }
    }

    /// When it is closed, and what becomes of what came too late.
    fn closing(&mut self, spec: &QueueSpec) {
        if let Some(calendar) = &spec.hours {
            let tenant = self.tenant_name().to_owned();
            let key = ResourceKey { tenant, kind: Kind::Calendar, name: calendar.clone() };
            let found = self.world.resources.get(&key).map(|found| &found.spec);
            if let Some(Spec::Calendar(found)) = found
                && found.time_zone.is_none()
            {
                let message = format!(
                    "Calendar {calendar:?} has no time_zone; a queue opens by one clock, not by each customer's: name the zone in the calendar"
                );
                self.fail("spec.hours", message);
            }
        } else if spec.closed.then != ClosedThen::Wait {
            self.fail("spec.closed", "a queue without hours is never closed; name a Calendar in hours");
        }
        let closed = (spec.closed.then == ClosedThen::Overflow, spec.closed.to.is_some());
        self.target("spec.closed", closed);
        if let Some(wait) = &spec.max_wait {
            if wait.after.as_millis() == 0 {
                self.fail("spec.max_wait.after", "must be more than 0s");
            }
            self.target("spec.max_wait", (wait.then == WaitEnd::Overflow, wait.to.is_some()));
        }
    }

    /// `then: overflow` names a queue, and nothing else does.
    fn target(&mut self, path: &str, (overflows, named): (bool, bool)) {
        match (overflows, named) {
            (true, false) => self.fail(path, "then: overflow needs to: the queue they go to"),
            (false, true) => self.fail(&format!("{path}.to"), "belongs to then: overflow; leave it out"),
            _ => {}
        }
    }

    /// A conversation must not go round for ever. What takes time, or hangs on how many wait, ends by itself.
    fn circles(&mut self, spec: &QueueSpec) {
        let own = self.document.resource.metadata.name.clone();
        for (path, to) in spec.onward() {
            if to == own {
                self.fail(&path, "conversations would go to the queue they are in; name another one");
            }
        }
        for (path, to) in at_once(spec) {
            if to == own {
                continue;
            }
            if let Some(way) = self.way_back(&own, to) {
                let message = format!(
                    "conversations would go round for ever: {own} → {}; let one of these queues keep or close them",
                    way.join(" → ")
                );
                self.fail(&path, message);
            }
        }
    }

    /// How conversations get from a queue back to `own`, by what happens at once.
    fn way_back(&self, own: &str, from: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![from.to_owned()]];
        let mut seen = vec![from.to_owned()];
        while let Some(way) = ways.pop() {
            let tenant = self.tenant_name().to_owned();
            let key = ResourceKey { tenant, kind: Kind::Queue, name: way.last()?.clone() };
            let Some(Spec::Queue(spec)) = self.world.resources.get(&key).map(|found| &found.spec) else {
                continue;
            };
            for (_, to) in at_once(spec) {
                let longer = || way.iter().cloned().chain([to.to_owned()]).collect();
                if to == own {
                    return Some(longer());
                }
                if !seen.iter().any(|known| known == to) {
                    seen.push(to.to_owned());
                    ways.push(longer());
                }
            }
        }
        None
    }
}

/// Where conversations go on to without having to wait there: while it is closed, nobody is online, or their time is over.
fn at_once(spec: &QueueSpec) -> Vec<(String, &str)> {
    let waits = |path: &str| {
        let overflow = spec.overflow.iter().enumerate();
        overflow
            .filter(|(_, overflow)| overflow.when != OverflowWhen::NobodyOnline)
            .any(|(index, _)| path == format!("spec.overflow[{index}].to"))
    };
    spec.onward().into_iter().filter(|(path, _)| !waits(path)).collect()
}
