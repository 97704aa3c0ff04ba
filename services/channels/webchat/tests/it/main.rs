//! Web chat against a real broker and a real Redis, as widgets and egress see it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod files;
mod fleet;
mod messages;
mod outage;
mod outbound;
mod pages;
mod refusals;
mod sessions;
mod waiting;
