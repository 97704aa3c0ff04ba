//! The channel against the suite every channel passes, vectors, and a reader of its requests that shares no code with it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod round_trip;
mod sandbox;
mod settings;
mod vectors;
