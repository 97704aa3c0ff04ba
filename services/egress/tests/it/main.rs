//! Egress against real NATS and Redis, with channels that answer as they are told.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
mod customers;
mod detours;
mod doubt;
mod later;
mod outcomes;
mod paths;
mod policy;
mod receipts;
mod rules;
mod support;
