//! A kind of work: customers who want the same.

use heliograph_domain::resources::{Period, SkillDemands};
use serde::Deserialize;

use super::Share;
use crate::{arrivals::Arrivals, distribution::Distribution};

/// Customers of one kind.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// What it is called.
    pub name: String,
    /// The queue it waits in.
    pub queue: String,
    /// Channel class it counts as; `chat` unless given.
    #[serde(default = "chat")]
    pub class: String,
    /// When they come.
    pub arrivals: Arrivals,
    /// How long an agent of speed 1 needs for one of them.
    pub service: Distribution,
    /// How long the agent wraps up; as long as the queue lets them, unless given.
    #[serde(default)]
    pub wrap_up: Option<Distribution>,
    /// How long they wait before they leave; for ever, unless given.
    #[serde(default)]
    pub patience: Option<Distribution>,
    /// What it asks for, beside the queue's own.
    #[serde(default)]
    pub skills: SkillDemands,
    /// Its own priority, beside the queue's.
    #[serde(default)]
    pub priority: u8,
    /// Whether their last agent is asked first, where the queue does that.
    #[serde(default = "yes")]
    pub sticky: bool,
    /// How many of them have been here before, and are known.
    #[serde(default)]
    pub returning: Share,
    /// Who asks to be called back; nobody unless given.
    #[serde(default)]
    pub callback: Option<CallbackWish>,
}

/// Who asks to be called back, in queues that do so.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackWish {
    /// How many of those who are told of a long wait.
    pub share: Share,
    /// A wait is long from this estimate on.
    pub over: Period,
}

fn yes() -> bool {
    true
}

fn chat() -> String {
    "chat".to_owned()
}
