//! The channel against the suite every channel passes, against vectors, and against the published description of the API.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arbitrary;
mod conformance;
mod files;
mod round_trip;
mod schema;
mod support;
mod vectors;
