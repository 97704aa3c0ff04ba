//! The channel against the suite every channel passes, vectors made by `line-bot-sdk`, and LINE's own description.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod host;
mod random;
mod replies;
mod round_trip;
mod schema;
mod support;
mod vectors;
