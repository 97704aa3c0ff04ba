//! The fabric against a real nats-server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dead;
mod later;
mod log;
mod ownership;
mod provision;
mod publish;
mod sequencer;
mod support;
mod trace;
mod work;
