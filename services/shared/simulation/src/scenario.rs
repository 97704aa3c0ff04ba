//! What a scenario file says: who comes, who answers, and under which rules.

mod group;
mod queue;
mod read;
mod share;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use heliograph_domain::resources::{ClockTime, Day, Period};
use serde::Deserialize;

use crate::week::Stretch;

pub use group::{Group, HandOver, Speed};
pub use queue::Queue;
pub use share::Share;
pub use work::{CallbackWish, Work};

/// A contact centre to be simulated.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it is about, for the report.
    #[serde(default)]
    pub about: String,
    /// Day and time at which it begins; Monday at midnight unless given.
    #[serde(default)]
    pub starts: Start,
    /// How long it runs before anything counts.
    #[serde(default)]
    pub warm_up: Period,
    /// How long it runs and counts.
    pub length: Period,
    /// How often it is run, each time with other random numbers; 20 unless given.
    #[serde(default = "twenty")]
    pub replications: u32,
    /// Where the random numbers come from; 1 unless given.
    #[serde(default = "one")]
    pub seed: u64,
    /// Calendars by name, for queues that are not always open.
    #[serde(default)]
    pub calendars: BTreeMap<String, Calendar>,
    /// Queues by name.
    pub queues: BTreeMap<String, Queue>,
    /// Kinds of work that come.
    pub work: Vec<Work>,
    /// Groups of agents.
    pub agents: Vec<Group>,
    /// What one conversation of a class takes from an agent's `total`; 1 unless listed.
    #[serde(default)]
    pub weights: BTreeMap<String, u32>,
    /// Which classes work of a class may interrupt.
    #[serde(default)]
    pub interrupts: BTreeMap<String, BTreeSet<String>>,
    /// Work that an agent rejected is not offered to them again for so long; 30 seconds unless given.
    #[serde(default = "half_a_minute")]
    pub cool_off: Period,
    /// What the result is held against.
    #[serde(default)]
    pub check: Check,
}

/// When queues are open, week after week.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Stretches of the day.
    pub hours: Vec<Stretch>,
}

/// When a scenario begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Day of the week.
    pub day: Day,
    /// Time of the day.
    pub at: ClockTime,
}

impl Default for Start {
    fn default() -> Self {
        Self { day: Day::Mon, at: "00:00".parse().expect("midnight is a time of day") }
    }
}

/// What the result is held against, and how near it must be. Missing it is a failure.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The closed forms of Erlang: each measure within this share of its value, and known as well as that.
    #[serde(default)]
    pub closed_form: Option<Share>,
    /// The best static policy: the mean wait within this share of it.
    #[serde(default)]
    pub optimum: Option<Optimum>,
}

/// The search for the best static policy.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Optimum {
    /// How much longer than with the best static policy the mean wait may be.
    pub within: Share,
    /// Up to how many agents of a shared group are kept free for one kind of work; 3 unless given.
    #[serde(default = "three")]
    pub reserve: u32,
}

fn twenty() -> u32 {
    20
}

fn one() -> u64 {
    1
}

fn three() -> u32 {
    3
}

fn half_a_minute() -> Period {
    Period::seconds(30)
}
