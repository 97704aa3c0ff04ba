//! The host against real servers: webhooks to the broker, deliveries to a provider, accounts as they change.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking and is documented by its name"
)]

mod accounts;
mod attach;
mod deliver;
mod fleet;
mod handles;
mod ingress;
mod probe;
