//! The channel against the suite every channel passes, and vectors made by another implementation.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod requests;
mod round_trip;
mod support;
mod vectors;
