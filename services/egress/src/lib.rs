//! Hands messages to channels: in order per conversation, once, at the pace the provider allows.
//!
//! ```text
//! HG_OUTBOUND ─► partition ─► lane of a conversation ─► policy ─► transcode ─► window ─► account's gate and pace
//!             ─► attempt written down ─► ChannelService/Deliver ─► outcome ─► HG_EVENTS ─► ack
//! ```
//!
//! What may leave is decided here, at the moment of sending, by the policy in force then ([`judge`](self)): a message goes,
//! waits until it may, goes as a template, goes by another channel, or is refused; each with the verdict and the version
//! of the policy. What the verdict on the customer's last message was does not matter any more.
//!
//! Invariants:
//! * of one conversation, one message is in hand at a time, in the order of the stream, whoever owns the partition; one
//!   that policy puts off leaves its place, and those after it go on;
//! * no provider is called before the attempt is written down, and nothing is acknowledged before its outcome is an event;
//! * what an outcome means is said by the channel; egress acts on that alone ([`outcome`](self) is a pure function of it);
//! * a delivery whose outcome nobody knows is sent again only where the channel can tell a repeat, or the tenant says so;
//! * a conversation that waits delays itself, an account that is refused its own lanes, a channel that is slow its own
//!   work: each channel has its connection, its tasks and its share of calls in flight;
//! * ids of events follow from the delivery, so a replay says the same things again.

mod account;
mod api;
mod auth;
mod book;
mod config;
mod customers;
mod delivery;
mod error;
mod event;
mod history;
mod judge;
mod late;
mod line;
mod metrics;
mod outcome;
mod partition;
mod routing;
mod schedule;
mod service;
mod signals;
mod time;
pub mod transcode;
mod verdict;
mod window;

pub use config::{ApiToken, EgressConfig, RetryConfig};
pub use error::EgressError;
pub use service::{Egress, EgressDeps, run};

/// The name of the configuration section [`EgressConfig`] is read from.
pub const SECTION: &str = "egress";
/// The full name of the gRPC service, as health and reflection know it.
pub const SERVICE_NAME: &str = "heliograph.v1.EgressService";
/// The stage of egress's dead letters.
pub const STAGE: &str = "egress";

/// The ownership group of a channel's partitions.
pub fn group(channel: &str) -> String {
    format!("egress.{channel}")
}
