//! The streams service against a real NATS, over both of its transports.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking and is documented by its name"
)]

mod sse;
mod subscribe;
mod support;
