//! The router on real brokers.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assignment;
mod callbacks;
mod failover;
mod fleet;
mod identity;
mod intake;
mod moving;
mod policy;
mod reads;
mod recovery;
mod words;
