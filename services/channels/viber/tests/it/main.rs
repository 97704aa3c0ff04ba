//! The channel against the suite every channel passes, and against vectors made by `viberbot`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod round_trip;
mod support;
mod vectors;
