//! From a file to a scenario that makes sense.

use std::collections::BTreeSet;

use heliograph_assignment::RINGS;
use heliograph_domain::{
    ids,
    nearest::nearest,
    resources::{ClosedThen, Form, Problem, Problems, WaitEnd},
};

use super::{Group, Queue, Scenario, Work};
use crate::{distribution::Distribution, week::Stretch};

/// Agents a scenario may have.
const MOST_AGENTS: u32 = 100_000;

impl Scenario {
    /// Reads a scenario of YAML or JSON. `file` is only named in problems.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place and its field. Syntax errors hide what comes after them.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        let form: Form<Self> = Form::read(file, text)?;
        let problems = Examiner::new(&form).examine();
        if problems.is_empty() { Ok(form.value) } else { Err(Problems(problems)) }
    }
}

struct Examiner<'a> {
    form: &'a Form<Scenario>,
    problems: Vec<Problem>,
}

impl<'a> Examiner<'a> {
    fn new(form: &'a Form<Scenario>) -> Self {
        Self { form, problems: Vec::new() }
    }

    fn examine(mut self) -> Vec<Problem> {
        let scenario = &self.form.value;
        if scenario.length.as_millis() < 1_000 {
            self.wrong("length", "must be 1s at least");
        }
        if scenario.replications == 0 {
            self.wrong("replications", "must be 1 at least");
        }
        for (name, calendar) in &scenario.calendars {
            self.stretches(&format!("calendars.{name}.hours"), &calendar.hours);
        }
        for (name, queue) in &scenario.queues {
            self.queue(name, queue);
        }
        if scenario.work.is_empty() {
            self.wrong("work", "nobody comes; list one kind of work at least");
        }
        let mut names = BTreeSet::new();
        for (at, work) in scenario.work.iter().enumerate() {
            self.name(&format!("work[{at}].name"), &work.name, &mut names);
            self.work(&format!("work[{at}]"), work);
        }
        let mut names = BTreeSet::new();
        for (at, group) in scenario.agents.iter().enumerate() {
            self.name(&format!("agents[{at}].name"), &group.name, &mut names);
            self.group(&format!("agents[{at}]"), group);
        }
        let agents = scenario.agents.iter().map(|group| group.count).fold(0, u32::saturating_add);
        if !(1..=MOST_AGENTS).contains(&agents) {
            self.wrong("agents", format!("1 to {MOST_AGENTS} agents, not {agents}"));
        }
        if scenario.check.closed_form.is_some()
            && let Err(why) = crate::closed_form::model(scenario)
        {
            self.wrong("check.closed_form", format!("no closed form is known for this: {why}"));
        }
        if scenario.check.optimum.is_some()
            && let Err(why) = crate::ideal::Model::of(scenario)
        {
            self.wrong("check.optimum", format!("static policies cannot be compared here: {why}"));
        }
        self.problems
    }

    fn wrong(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(self.form.problem(path, message));
    }

    fn queue(&mut self, name: &str, queue: &Queue) {
        let path = format!("queues.{name}");
        if !ids::is_name(name) {
            self.wrong(&path, "a name has lower-case letters, digits and inner hyphens");
        }
        if queue.ring_timeout.as_millis() == 0 {
            self.wrong(&format!("{path}.ring_timeout"), "must be more than 0s");
        }
        if queue.service_level.target.as_millis() == 0 {
            self.wrong(&format!("{path}.service_level.target"), "must be more than 0s");
        }
        for (field, to) in queue.resource().onward() {
            // The resource names its fields from `spec` on.
            self.known_queue(&field.replacen("spec", &path, 1), to);
        }
        if queue.closed.then == ClosedThen::Overflow && queue.closed.to.is_none() {
            self.wrong(&format!("{path}.closed"), "say where to: to: QUEUE");
        }
        if queue.max_wait.as_ref().is_some_and(|wait| wait.then == WaitEnd::Overflow && wait.to.is_none()) {
            self.wrong(&format!("{path}.max_wait"), "say where to: to: QUEUE");
        }
        for (at, relax) in queue.relax.iter().enumerate() {
            if relax.ring.is_some_and(|ring| !RINGS.contains(&ring)) {
                self.wrong(&format!("{path}.relax[{at}].ring"), "rings go from 1 to 9");
            }
        }
        if let Some(calendar) = &queue.hours {
            let known: Vec<&str> = self.form.value.calendars.keys().map(String::as_str).collect();
            self.known(&format!("{path}.hours"), "calendar", calendar, &known);
        }
    }

    fn work(&mut self, path: &str, work: &Work) {
        self.known_queue(&format!("{path}.queue"), &work.queue);
        self.class(&format!("{path}.class"), &work.class);
        if let Some((field, problem)) = work.arrivals.problem() {
            self.wrong(&format!("{path}.arrivals.{field}"), problem);
        }
        self.distribution(&format!("{path}.service"), Some(&work.service));
        self.distribution(&format!("{path}.wrap_up"), work.wrap_up.as_ref());
        self.distribution(&format!("{path}.patience"), work.patience.as_ref());
    }

    fn group(&mut self, path: &str, group: &Group) {
        if group.queues.is_empty() {
            self.wrong(&format!("{path}.queues"), "they serve one queue at least");
        }
        for (at, serves) in group.queues.iter().enumerate() {
            self.known_queue(&format!("{path}.queues[{at}]"), &serves.queue);
            if !RINGS.contains(&serves.ring) {
                self.wrong(&format!("{path}.queues[{at}].ring"), "rings go from 1 to 9");
            }
        }
        for class in group.capacity.keys() {
            self.class(&format!("{path}.capacity"), class);
        }
        if group.capacity.values().all(|capacity| *capacity == 0) {
            self.wrong(&format!("{path}.capacity"), "there is room for one conversation at least");
        }
        self.stretches(&format!("{path}.shifts"), &group.shifts);
        if group.rejects.get() + group.misses.get() > 1.0 {
            self.wrong(&format!("{path}.misses"), "rejects and misses are more than all offers");
        }
        if group.speed.numbers().iter().any(|speed| !(*speed > 0.0 && speed.is_finite())) {
            self.wrong(&format!("{path}.speed"), "a speed is more than 0");
        }
        if let super::Speed::ByWork(speeds) = &group.speed {
            for name in speeds.keys() {
                let known = self.form.value.work.iter().map(|work| work.name.as_str());
                self.known(&format!("{path}.speed.{name}"), "kind of work", name, &known.collect::<Vec<_>>());
            }
        }
        if let Some(over) = &group.hands_over {
            self.known_queue(&format!("{path}.hands_over.to"), &over.to);
        }
        self.distribution(&format!("{path}.answers_after"), group.answers_after.as_ref());
        self.distribution(&format!("{path}.back_after"), Some(&group.back_after));
        self.distribution(&format!("{path}.service"), group.service.as_ref());
    }

    fn name(&mut self, path: &str, name: &'a str, names: &mut BTreeSet<&'a str>) {
        if !ids::is_name(name) {
            self.wrong(path, "a name has lower-case letters, digits and inner hyphens");
        }
        if !names.insert(name) {
            self.wrong(path, format!("{name} is there already"));
        }
    }

    fn class(&mut self, path: &str, class: &str) {
        if !ids::is_name(class) {
            self.wrong(path, format!("{class:?} is no class; chat and voice are"));
        }
    }

    fn distribution(&mut self, path: &str, distribution: Option<&Distribution>) {
        if let Some((field, problem)) = distribution.and_then(Distribution::problem) {
            self.wrong(&format!("{path}.{field}"), problem);
        }
    }

    fn stretches(&mut self, path: &str, stretches: &[Stretch]) {
        for (at, stretch) in stretches.iter().enumerate() {
            if let Some(problem) = stretch.problem() {
                self.wrong(&format!("{path}[{at}]"), problem);
            }
        }
    }

    fn known_queue(&mut self, path: &str, name: &str) {
        let known: Vec<&str> = self.form.value.queues.keys().map(String::as_str).collect();
        self.known(path, "queue", name, &known);
    }

    fn known(&mut self, path: &str, what: &str, name: &str, known: &[&str]) {
        if !known.contains(&name) {
            let mut problem = self.form.problem(path, format!("unknown {what} {name:?}"));
            problem.suggestion = nearest(name, known.iter().copied()).map(str::to_owned);
            self.problems.push(problem);
        }
    }
}
