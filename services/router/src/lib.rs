//! The router: from what customers said to who answers.
//!
//! Two parts, each owning partitions of its own:
//!
//! * **intake** (group `router.inbound`) reads HG_INBOUND, finds out who wrote and from where, asks policy and the routing
//!   rules, and appends a proposal to HG_ROUTING. It keeps no state; receipts and other signals it correlates and publishes
//!   as events at once. Words such as STOP, and codes that continue a conversation elsewhere, it obeys and answers
//!   itself. What it asks policy is about what came in; what goes out, egress asks.
//! * **assignment** (group `router.routing`) drives the replayable machine of `heliograph-assignment` by HG_ROUTING and
//!   publishes what it decides: events to HG_EVENTS, work for egress to HG_OUTBOUND, and to HG_TRAIL with which addresses
//!   a conversation is held. The machine decides; the shell around it reads, appends due timers and configuration,
//!   publishes, keeps snapshots, and answers the desk's questions.
//!
//! Invariants:
//! * what follows from an entry has ids derived from the entry's place in the log, so a replay or a second owner emits the
//!   same things again and the broker keeps one;
//! * a cursor moves behind what is stored downstream, never before it;
//! * events and outbound work of one conversation leave in the order of the log.

mod assignment;
mod book;
mod config;
mod envelope;
mod error;
mod intake;
mod metrics;
mod naming;
pub mod placement;
mod service;
#[cfg(test)]
mod simulation;
mod time;
mod told;

pub use assignment::{ReplayError, Replayed, replay};
pub use config::{AssignmentConfig, IntakeConfig, RouterConfig};
pub use error::RouterError;
pub use naming::{OPEN_CONVERSATION, query_subject, reply_message_id};
pub use service::{RouterDeps, run};

/// The name of the configuration section [`RouterConfig`] is read from.
pub const SECTION: &str = "router";
/// The ownership group and cursor of intake.
pub const INBOUND_GROUP: &str = "router.inbound";
/// The ownership group and emit cursor of assignment.
pub const ROUTING_GROUP: &str = heliograph_fabric::places::ROUTING_GROUP;
