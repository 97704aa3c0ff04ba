//! The channel against the suite every channel passes, the vectors of `pywa`, Meta's description of its API, and an
//! independent reader of what it sends.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod batches;
mod calls;
mod conformance;
mod peer;
mod random;
mod round_trip;
mod schema;
mod settings;
mod support;
mod vectors;
