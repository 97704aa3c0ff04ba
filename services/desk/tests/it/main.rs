//! The desk against a real NATS and a real Redis, over both of its transports.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking and is documented by its name"
)]

mod board;
mod commands;
mod history;
mod http;
mod page;
mod people;
mod policy;
mod presence;
mod resume;
mod session;
mod sign_in;
mod supervising;
mod support;
