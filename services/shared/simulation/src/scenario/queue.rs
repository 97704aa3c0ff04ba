//! A queue of a scenario: everything that the engine knows of one, with lengths of time as people write them.

use std::collections::BTreeSet;

use heliograph_assignment::{self as engine, AgentChoice, OverflowWhen};
use heliograph_domain::resources::Period;
use serde::Deserialize;

use super::{Wanted, WantedSkill, skills::needs};
use crate::week::{Stretch, Timetable};

/// One queue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// Levels of priority that all its work has beside its own.
    pub priority: i32,
    /// Within what time work should find an agent.
    pub target: Period,
    /// A wait of this length counts as one level of priority more; ten times the target unless given.
    pub aging: Option<Period>,
    /// How long an offer rings.
    pub ring: Period,
    /// How long an agent may wrap up after a conversation.
    pub wrap_up: Period,
    /// What every piece of work in it requires.
    pub required: Vec<Wanted>,
    /// Skills every piece of work in it prefers.
    pub preferred: Vec<WantedSkill>,
    /// Which of the agents who may take work is asked.
    pub choice: AgentChoice,
    /// Whether a customer's last agent is asked first.
    pub sticky: Option<Sticky>,
    /// How less is asked for the longer work waits.
    pub relax: Vec<Relax>,
    /// When work goes on to another queue.
    pub overflow: Vec<Overflow>,
    /// When it is open; always unless given.
    pub hours: Vec<Stretch>,
    /// What becomes of work that arrives while it is closed.
    pub closed: Closed,
    /// What becomes of work that waited too long.
    pub max_wait: Option<MaxWait>,
    /// How often those who wait are told their place; never unless given.
    pub announce: Option<Period>,
    /// Whether customers may ask to be called back.
    pub callback: bool,
}

impl Default for Queue {
    fn default() -> Self {
        let engine = engine::QueueSpec::default();
        Self {
            priority: engine.priority,
            target: Period::seconds(engine.target_seconds),
            aging: None,
            ring: Period::seconds(engine.ring_seconds),
            wrap_up: Period::seconds(engine.wrap_up_seconds),
            required: Vec::new(),
            preferred: Vec::new(),
            choice: engine.choice,
            sticky: None,
            relax: Vec::new(),
            overflow: Vec::new(),
            hours: Vec::new(),
            closed: Closed::Wait,
            max_wait: None,
            announce: None,
            callback: engine.callback,
        }
    }
}

/// A customer's last agent is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// How long the last agent is remembered after a conversation.
    pub remember: Period,
    /// How long work waits for that agent alone; not at all unless given.
    #[serde(default)]
    pub wait: Period,
}

/// Less is asked after a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relax {
    /// How long after the arrival in the queue.
    pub after: Period,
    /// How many levels less will do.
    #[serde(default)]
    pub lower: u8,
    /// Skills no longer asked for.
    #[serde(default)]
    pub drop: BTreeSet<String>,
    /// Agents up to this ring are asked.
    #[serde(default)]
    pub ring: u8,
}

/// Work goes on to another queue. Exactly one of `after`, `waiting`, `estimated` and `nobody_online`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overflow {
    /// The queue it goes to.
    pub to: String,
    /// It has waited in this queue for so long.
    #[serde(default)]
    pub after: Option<Period>,
    /// It arrives, and so many wait already.
    #[serde(default)]
    pub waiting: Option<u32>,
    /// It arrives, and the wait is estimated to be longer.
    #[serde(default)]
    pub estimated: Option<Period>,
    /// Nobody who serves the queue is online.
    #[serde(default)]
    pub nobody_online: bool,
}

/// What becomes of work that arrives while its queue is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// It waits until the queue opens.
    #[default]
    Wait,
    /// It goes to another queue.
    Overflow(String),
    /// It is turned away.
    Close,
}

/// What becomes of work that waited too long.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxWait {
    /// How long after the first arrival.
    pub after: Period,
    /// What then.
    pub then: WaitEnd,
}

/// See [`MaxWait`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    /// It becomes a callback.
    Callback,
    /// It is turned away.
    Close,
    /// It goes to another queue.
    Overflow(String),
}

impl Overflow {
    /// When; none where it is not exactly one thing.
    pub(crate) fn when(&self) -> Option<OverflowWhen> {
        match (self.after, self.waiting, self.estimated, self.nobody_online) {
            (Some(after), None, None, false) => Some(OverflowWhen::After(seconds(after))),
            (None, Some(waiting), None, false) => Some(OverflowWhen::Waiting(waiting)),
            (None, None, Some(wait), false) => Some(OverflowWhen::Estimated(seconds(wait))),
            (None, None, None, true) => Some(OverflowWhen::NobodyOnline),
            _ => None,
        }
    }
}

impl Queue {
    /// The queues it sends work to, with the field that says so.
    pub(crate) fn sends_to(&self) -> Vec<(String, &str)> {
        let mut named: Vec<(String, &str)> = Vec::new();
        for (at, overflow) in self.overflow.iter().enumerate() {
            named.push((format!("overflow[{at}].to"), &overflow.to));
        }
        if let Closed::Overflow(to) = &self.closed {
            named.push(("closed.overflow".to_owned(), to));
        }
        if let Some(MaxWait { then: WaitEnd::Overflow(to), .. }) = &self.max_wait {
            named.push(("max_wait.then.overflow".to_owned(), to));
        }
        named
    }

    /// Its lengths of time that the engine counts in whole seconds, with their fields.
    pub(crate) fn lengths(&self) -> Vec<(String, Period)> {
        let mut lengths = vec![
            ("target".to_owned(), self.target),
            ("ring".to_owned(), self.ring),
            ("wrap_up".to_owned(), self.wrap_up),
        ];
        let mut add = |field: &str, length: Option<Period>| {
            lengths.extend(length.map(|length| (field.to_owned(), length)));
        };
        add("aging", self.aging);
        add("announce", self.announce);
        add("sticky.remember", self.sticky.map(|sticky| sticky.remember));
        add("sticky.wait", self.sticky.map(|sticky| sticky.wait));
        add("max_wait.after", self.max_wait.as_ref().map(|max| max.after));
        for (at, relax) in self.relax.iter().enumerate() {
            add(&format!("relax[{at}].after"), Some(relax.after));
        }
        for (at, overflow) in self.overflow.iter().enumerate() {
            add(&format!("overflow[{at}].after"), overflow.after);
            add(&format!("overflow[{at}].estimated"), overflow.estimated);
        }
        lengths
    }

    /// The queue as the engine has it, open as its hours say from `from` to `to`; `epoch` is the clock's zero.
    pub(crate) fn spec(&self, epoch: i64, from: i64, to: i64) -> engine::QueueSpec {
        let at = |time: i64| engine::Timestamp(epoch + time);
        let open = (!self.hours.is_empty()).then(|| {
            let stretches = Timetable::new(&self.hours).between(from, to);
            stretches.into_iter().map(|(from, to)| (at(from), at(to))).collect()
        });
        engine::QueueSpec {
            priority: self.priority,
            target_seconds: seconds(self.target),
            aging_seconds: self.aging.map_or(0, seconds),
            ring_seconds: seconds(self.ring),
            wrap_up_seconds: seconds(self.wrap_up),
            required: needs(&self.required).unwrap_or_default(),
            preferred: self.preferred.iter().map(WantedSkill::skill).collect(),
            choice: self.choice,
            sticky: self.sticky.map(|sticky| engine::Sticky {
                remember_seconds: seconds(sticky.remember),
                wait_seconds: seconds(sticky.wait),
            }),
            relax: self.relax.iter().map(Relax::spec).collect(),
            overflow: self
                .overflow
                .iter()
                .filter_map(|overflow| {
                    Some(engine::Overflow { when: overflow.when()?, to: overflow.to.as_str().into() })
                })
                .collect(),
            open,
            closed: match &self.closed {
                Closed::Wait => engine::Closed::Wait,
                Closed::Overflow(to) => engine::Closed::Overflow(to.as_str().into()),
                Closed::Close => engine::Closed::Close,
            },
            max_wait: self.max_wait.as_ref().map(|max| engine::MaxWait {
                after_seconds: seconds(max.after),
                then: match &max.then {
                    WaitEnd::Callback => engine::WaitEnd::Callback,
                    WaitEnd::Close => engine::WaitEnd::Close,
                    WaitEnd::Overflow(to) => engine::WaitEnd::Overflow(to.as_str().into()),
                },
            }),
            announce_seconds: self.announce.map_or(0, seconds),
            callback: self.callback,
        }
    }
}

impl Relax {
    fn spec(&self) -> engine::Relax {
        engine::Relax {
            after_seconds: seconds(self.after),
            lower: self.lower,
            drop: self.drop.iter().map(|skill| skill.as_str().into()).collect(),
            ring: self.ring,
        }
    }
}

/// Whole seconds, as the engine counts; as many as it can count where there are more.
pub(crate) fn seconds(period: Period) -> u32 {
    u32::try_from(period.as_millis() / 1_000).unwrap_or(u32::MAX)
}
