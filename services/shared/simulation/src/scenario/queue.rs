//! A queue of a scenario. Its fields are those of the resource `Queue`, so that the one can be copied from the other.

use heliograph_assignment::{QueueSpec, Timestamp};
use heliograph_domain::resources::{
    self, AgentsBy, Announce, Closed, MaxWait, Overflow, Period, Relax, ServiceLevel, SkillDemands, Sticky,
};
use serde::Deserialize;

use super::Calendar;
use crate::{plan::EPOCH, week::Timetable};

/// One queue.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// The name people read; of no consequence here.
    #[serde(default)]
    pub display_name: String,
    /// How long an offer rings.
    #[serde(default = "half_a_minute")]
    pub ring_timeout: Period,
    /// How long an agent may wrap up after a conversation.
    #[serde(default = "half_a_minute")]
    pub wrap_up: Period,
    /// What all its work asks for.
    #[serde(default)]
    pub skills: SkillDemands,
    /// Levels of priority of all its work, beside its own.
    #[serde(default)]
    pub priority: u8,
    /// Within what time work should find an agent.
    #[serde(default)]
    pub service_level: ServiceLevel,
    /// A wait of this length counts as one level of priority more; ten times the target unless given.
    #[serde(default)]
    pub aging: Option<Period>,
    /// Which of the agents who may take work is asked.
    #[serde(default)]
    pub agents_by: AgentsBy,
    /// Whether a customer's last agent is asked first.
    #[serde(default)]
    pub sticky: Option<Sticky>,
    /// How less is asked for the longer work waits.
    #[serde(default)]
    pub relax: Vec<Relax>,
    /// When work goes on to another queue.
    #[serde(default)]
    pub overflow: Vec<Overflow>,
    /// The calendar by which it opens; always open unless given.
    #[serde(default)]
    pub hours: Option<String>,
    /// What becomes of work that arrives while it is closed.
    #[serde(default)]
    pub closed: Closed,
    /// What becomes of work that waited too long.
    #[serde(default)]
    pub max_wait: Option<MaxWait>,
    /// How often those who wait are told their place.
    #[serde(default)]
    pub announce: Option<Announce>,
    /// Whether customers may ask to be called back.
    #[serde(default)]
    pub callback: bool,
}

fn half_a_minute() -> Period {
    Period::seconds(30)
}

impl Queue {
    /// The queue as a resource.
    pub(crate) fn resource(&self) -> resources::QueueSpec {
        resources::QueueSpec {
            display_name: self.display_name.clone(),
            ring_timeout: self.ring_timeout,
            wrap_up: self.wrap_up,
            skills: self.skills.clone(),
            priority: self.priority,
            service_level: self.service_level,
            aging: self.aging,
            agents_by: self.agents_by,
            sticky: self.sticky,
            relax: self.relax.clone(),
            overflow: self.overflow.clone(),
            hours: self.hours.clone(),
            closed: self.closed.clone(),
            max_wait: self.max_wait.clone(),
            announce: self.announce,
            callback: self.callback,
        }
    }

    /// The queue as the engine has it, open as its calendar says from `from` to `to`.
    pub(crate) fn spec(&self, calendar: Option<&Calendar>, (from, to): (i64, i64)) -> QueueSpec {
        let at = |time: i64| Timestamp(EPOCH + time);
        let open = calendar.map(|calendar| {
            let stretches = Timetable::new(&calendar.hours).between(from, to);
            stretches.into_iter().map(|(from, to)| (at(from), at(to))).collect()
        });
        QueueSpec::declared(&self.resource(), open)
    }
}
