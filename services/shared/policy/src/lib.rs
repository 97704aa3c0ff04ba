//! Regional channel policy: which channel a message may take, decided by rules and explained.
//!
//! A tenant's `ChannelPolicy` is compiled once ([`CompiledPolicy::compile`]); then [`find_region`] places a customer and
//! [`decide`] judges a message. Both are functions of their arguments: no I/O, no clock, no randomness. Every set of facts
//! gets a verdict, the same facts get the same verdict, and every verdict lists the rules that led to it and those that
//! were tried. Rules have no order: the strictest that fires decides.

mod compile;
mod decide;
mod facts;
mod find;
mod shelf;
mod verdict;
pub mod wire;

pub use compile::{CompileError, CompiledPolicy};
pub use decide::decide;
pub use facts::{Consent, ContactFacts, Direction, Facts, Sent, Window};
pub use find::{Hints, RegionFinding, RegionSource, find_region};
pub use heliograph_domain::resources::MessageClass;
pub use shelf::{Calendars, Shelf, Unusable};
pub use verdict::{Outcome, Reason, Verdict};

#[cfg(test)]
mod tests;
