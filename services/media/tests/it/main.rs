//! The media service on a real broker: a channel that hands media over, a scanner that speaks clamd's protocol.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod channel;
mod fetching;
mod scanning;
mod world;
