//! The channel against the suite every channel passes, and against vectors made by the providers' official SDKs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod vectors;
