//! Vectors made by the providers' official SDKs, against the channel.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod vectors;
