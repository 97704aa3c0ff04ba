//! A contact centre in a virtual clock: customers come, wait and leave, agents answer, and the assignment engine itself,
//! not a model of it, decides who answers whom.
//!
//! A [`Scenario`] says who comes and who answers. A [`Study`] runs it many times with random numbers from a seed, and its
//! [`Findings`] read the runs together, beside a closed form or the best static policy where the scenario asks for it.
//! Everything here is a function of its arguments: no clock, no I/O, and the same seed gives the same numbers anywhere.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    clippy::many_single_char_names,
    clippy::struct_field_names,
    reason = "statistics divide counts, which stay far below 2^53 and above 0, in the letters of their textbooks; what is \
              compared as equal was computed the same way"
)]

mod arrivals;
mod closed_form;
mod distribution;
pub mod erlang;
mod ideal;
mod measure;
mod plan;
mod random;
pub mod report;
mod run;
mod scenario;
mod study;
mod week;

pub use arrivals::{Arrivals, Busy, Rate};
pub use closed_form::{ClosedForm, Row};
pub use distribution::{Distribution, Erlang, Gamma, Lognormal, Uniform};
pub use ideal::Optimal;
pub use measure::{Estimate, GroupSummary, Outcome, QueueSummary, Series, Summary, Waits};
pub use plan::Plan;
pub use scenario::{
    Calendar, CallbackWish, Check, Group, HandOver, Optimum, Queue, Scenario, Share, Speed, Start, Work,
};
pub use study::{Findings, Piece, Screening, Study};
pub use week::Stretch;

#[cfg(test)]
mod tests;
