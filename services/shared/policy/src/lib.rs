//! Regional channel policy: which channel a message may take, decided by rules and explained.
//!
//! A tenant's `ChannelPolicy` is compiled once ([`CompiledPolicy::compile`]); then [`find_region`] places a customer and
//! [`decide`] judges a message. Services take policies and accounts from a [`Shelf`], and ask about a [`Customer`], so that
//! all of them judge by the same facts. Everything is a function of its arguments: no I/O, no clock, no randomness. Every
//! set of facts gets a verdict, the same facts get the same verdict, and every verdict lists the rules that led to it and
//! those that were tried. Rules have no order: the strictest that fires decides.

mod case;
mod compile;
pub mod condition;
mod customer;
mod decide;
mod demand;
mod facts;
mod fallback;
mod fault;
mod find;
mod index;
mod judge;
mod keywords;
mod names;
mod plan;
mod rule;
pub mod schedule;
mod scope;
mod shelf;
pub mod suite;
mod tenant;
mod verdict;
pub mod wire;
mod zones;

pub use compile::{CompiledPolicy, check};
pub use customer::Customer;
pub use decide::{decide, out_of_scope};
pub use demand::Demand;
pub use facts::{Consent, ContactFacts, Direction, Facts, Sent, Window};
pub use fallback::{FallbackAsk, FallbackPlan};
pub use fault::{CompileError, Fault};
pub use find::{Hints, RegionFinding, RegionSource, find_region};
pub use heliograph_domain::resources::MessageClass;
pub use keywords::{Keyword, KeywordKind};
pub use plan::RegionView;
pub use scope::OutOfScope;
pub use shelf::{Calendars, Shelf, Unusable};
pub use tenant::{Account, TenantPolicy};
pub use verdict::{Outcome, Reason, Verdict};

#[cfg(test)]
mod tests;
