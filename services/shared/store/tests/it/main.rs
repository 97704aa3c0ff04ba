//! The store against real servers: every test starts its own NATS or Redis and takes it down.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking and is documented by its name"
)]

mod codes;
mod consent;
mod contacts;
mod deliveries;
mod joins;
mod kv;
mod objects;
mod rate;
mod redis_away;
mod replies;
mod resources;
mod s3;
mod seen_and_models;
mod sent;
mod support;
mod tally;
mod tokens;
mod trail;
mod windows;
