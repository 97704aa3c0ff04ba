//! Egress against real NATS and Redis, with channels that answer as they are told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod doubt;
mod outcomes;
mod paths;
mod rules;
mod support;
