//! What becomes of conversations that wait.

use serde::{Deserialize, Serialize};

use crate::resources::Period;

/// Less is asked for after a time. What several steps say adds up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relax {
    /// Counted from the arrival.
    pub after: Period,
    /// How many levels less will do; a skill is still needed at level 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<u8>,
    /// Skills no longer asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// Agents up to this ring are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<u8>,
}

/// Conversations go on to another queue, where they keep the place that their first arrival gives them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Overflow {
    /// When.
    pub when: OverflowWhen,
    /// The queue they go to.
    pub to: String,
}

/// When conversations go on to another queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverflowWhen {
    /// One has waited so long in this queue.
    After(Period),
    /// One arrives, and so many wait already.
    Waiting(u32),
    /// One arrives, and the wait is estimated to be longer.
    Estimated(Period),
    /// Nobody who serves the queue is online.
    NobodyOnline,
}

/// An overflow as it stands in a resource.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Period>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    waiting: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    estimated: Option<Period>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nobody_online: Option<bool>,
    to: String,
}

/// An overflow that says too much, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("name exactly one of after, waiting, estimated, nobody_online: true")]
pub struct InvalidOverflow;

impl TryFrom<Written> for Overflow {
    type Error = InvalidOverflow;

    fn try_from(written: Written) -> Result<Self, InvalidOverflow> {
        let Written { after, waiting, estimated, nobody_online, to } = written;
        let when = match (after, waiting, estimated, nobody_online) {
            (Some(after), None, None, None) => OverflowWhen::After(after),
            (None, Some(count), None, None) => OverflowWhen::Waiting(count),
            (None, None, Some(wait), None) => OverflowWhen::Estimated(wait),
            (None, None, None, Some(true)) => OverflowWhen::NobodyOnline,
            _ => return Err(InvalidOverflow),
        };
        Ok(Self { when, to })
    }
}

impl From<Overflow> for Written {
    fn from(overflow: Overflow) -> Self {
        let written = Self { to: overflow.to, ..Self::default() };
        match overflow.when {
            OverflowWhen::After(after) => Self { after: Some(after), ..written },
            OverflowWhen::Waiting(count) => Self { waiting: Some(count), ..written },
            OverflowWhen::Estimated(wait) => Self { estimated: Some(wait), ..written },
            OverflowWhen::NobodyOnline => Self { nobody_online: Some(true), ..written },
        }
    }
}

/// What becomes of conversations that arrive while their queue is closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// What.
    #[serde(default)]
    pub then: ClosedThen,
    /// The queue they go to, with `overflow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Closed {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// See [`Closed`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedThen {
    /// They wait until it opens.
    #[default]
    Wait,
    /// They go to another queue.
    Overflow,
    /// They are closed.
    Close,
}

/// What becomes of conversations that waited too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxWait {
    /// Counted from the first arrival in any queue.
    pub after: Period,
    /// What.
    pub then: WaitEnd,
    /// The queue they go to, with `overflow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// See [`MaxWait`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitEnd {
    /// They become callbacks: they keep their place, and nobody waits on the line.
    Callback,
    /// They are closed.
    Close,
    /// They go to another queue.
    Overflow,
}

/// Customers who wait are told their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Announce {
    /// How often.
    pub every: Period,
}
