//! Routing rules: which queue a conversation goes to and what it asks of agents, decided by rules and explained.
//!
//! A tenant's `RoutingRule`s and `Queue`s are compiled once ([`Routing::build`]); then [`Routing::decide`] takes a customer's
//! message, and [`Routing::explain`] says of every rule why it was taken or not. Everything is a function of its arguments:
//! no I/O, no clock, no randomness. Every message gets a queue, the same message gets the same one, and the explanation of
//! a decision is of that decision.
//!
//! Rules are asked by their `order`; the first that matches decides. What they know of a customer is what policy knows
//! ([`heliograph_policy::Customer`]), and beside it the text and the [`Language`] of the message. Their conditions are those
//! of policy, over variables of their own ([`RoutingFacts`]).

mod compile;
mod decide;
mod explain;
mod facts;
mod language;
mod matching;
mod timeline;
pub mod wire;

pub use compile::{Routing, Unusable, check};
pub use decide::Decision;
pub use explain::{Asked, Explanation, From, Said, Wish};
pub use facts::{Facts, RoutingFacts};
pub use language::{Heard, Language, LanguageSource};
pub use matching::Unmet;
pub use timeline::{Step, What};

#[cfg(test)]
mod tests;
