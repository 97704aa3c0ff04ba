//! What becomes of a conversation the longer it waits in its queue.

use std::fmt;

use heliograph_domain::resources::{ClosedThen, OverflowWhen, Period, QueueSpec, WaitEnd};

/// Something that happens to what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// How long after the arrival; none for what is looked at when it arrives.
    pub after: Option<Period>,
    /// What happens.
    pub what: What,
}

/// What happens to what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// So many levels less will do than at first.
    Lower(u8),
    /// A skill is no longer asked for.
    Drop {
        /// The skill.
        skill: String,
        /// Whether it was asked for at all.
        asked: bool,
    },
    /// Agents up to this ring are asked.
    Ring(u8),
    /// It goes on to a queue.
    Overflow {
        /// When, beside the time.
        when: OverflowWhen,
        /// The queue.
        to: String,
    },
    /// The queue is closed.
    Closed {
        /// What then.
        then: ClosedThen,
        /// The queue it goes to, if it does.
        to: Option<String>,
    },
    /// It waited too long.
    End {
        /// What then.
        then: WaitEnd,
        /// The queue it goes to, if it does.
        to: Option<String>,
    },
}

impl What {
    /// The word for it, in explanations.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lower(_) => "relax.lower",
            Self::Drop { .. } => "relax.drop",
            Self::Ring(_) => "relax.ring",
            Self::Overflow { .. } => "overflow",
            Self::Closed { .. } => "closed",
            Self::End { .. } => "max_wait",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower(1) => f.write_str("1 level less will do than at first"),
            Self::Lower(levels) => write!(f, "{levels} levels less will do than at first"),
            Self::Drop { skill, asked: true } => write!(f, "{skill} is no longer asked for"),
            Self::Drop { skill, asked: false } => {
                write!(f, "{skill} is no longer asked for, and never was")
            }
            Self::Ring(ring) => write!(f, "agents up to ring {ring} are asked"),
            Self::Overflow { when, to } => {
                match when {
                    OverflowWhen::After(_) => {}
                    OverflowWhen::Waiting(1) => f.write_str("if somebody waits already: ")?,
                    OverflowWhen::Waiting(count) => write!(f, "if {count} wait already: ")?,
                    OverflowWhen::Estimated(wait) => {
                        write!(f, "if more than {wait} of waiting is expected: ")?;
                    }
                    OverflowWhen::NobodyOnline => f.write_str("if nobody is online: ")?,
                }
                write!(f, "on to queue {to}")
            }
            Self::Closed { then, to } => {
                f.write_str("the queue is closed: ")?;
                match then {
                    ClosedThen::Wait => f.write_str("it waits until it opens"),
                    ClosedThen::Overflow => write!(f, "on to queue {}", to.as_deref().unwrap_or_default()),
                    ClosedThen::Close => f.write_str("the conversation is closed"),
                }
            }
            Self::End { then, to } => match then {
                WaitEnd::Callback => f.write_str("it becomes a callback"),
                WaitEnd::Close => f.write_str("the conversation is closed"),
                WaitEnd::Overflow => write!(f, "on to queue {}", to.as_deref().unwrap_or_default()),
            },
        }
    }
}

/// What happens to what waits in a queue: first what is looked at when it arrives, then by time. `closed` says whether the
/// queue is, and `asked` are the skills that are asked for.
pub(crate) fn timeline(queue: &QueueSpec, closed: bool, asked: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    if closed {
        let (then, to) = (queue.closed.then, queue.closed.to.clone());
        steps.push(Step { after: None, what: What::Closed { then, to } });
    }
    for overflow in &queue.overflow {
        let after = match overflow.when {
            OverflowWhen::After(after) => Some(after),
            _ => None,
        };
        let what = What::Overflow { when: overflow.when, to: overflow.to.clone() };
        steps.push(Step { after, what });
    }
    let mut lowered = 0_u8;
    for step in &queue.relax {
        let after = Some(step.after);
        if let Some(lower) = step.lower {
            lowered = lowered.saturating_add(lower);
            steps.push(Step { after, what: What::Lower(lowered) });
        }
        for skill in &step.drop {
            let what = What::Drop { skill: skill.clone(), asked: asked.contains(skill) };
            steps.push(Step { after, what });
        }
        if let Some(ring) = step.ring {
            steps.push(Step { after, what: What::Ring(ring) });
        }
    }
    if let Some(wait) = &queue.max_wait {
        let what = What::End { then: wait.then, to: wait.to.clone() };
        steps.push(Step { after: Some(wait.after), what });
    }
    // What stands together stays together; nothing comes before everything with a time.
    steps.sort_by_key(|step| step.after);
    steps
}
