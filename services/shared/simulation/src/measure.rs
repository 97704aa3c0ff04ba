//! Counting and measuring: within one run, and over many.

mod control;
mod histogram;
mod interval;
mod level;
mod outcome;
mod summary;

pub(crate) use control::{Control, controlled};
pub(crate) use histogram::Histogram;
pub use interval::Estimate;
pub(crate) use level::{Grid, Level};
pub use outcome::Outcome;
pub(crate) use outcome::{GroupOutcome, QueueOutcome, Tally};
pub use summary::{GroupSummary, QueueSummary, Series, Summary, Waits};
