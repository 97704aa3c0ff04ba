//! The desk: where agents, supervisors and bots answer customers.
//!
//! One session engine serves two transports: a WebSocket at `/desk/ws`, which the page under `/desk/` speaks, and
//! `DeskService` over gRPC. A session is a place in the public stream: it starts from the agent's state as the owner of
//! the routing partition knows it, and goes on with every event behind that place.
//!
//! Invariants:
//! * a session never starts "from now": each of its events stands behind the sequence it started or resumed from, and
//!   none is left out or sent twice, however slow the client and whatever happens to the broker;
//! * the desk decides nothing: commands are appended to the routing log, and what they did comes back as events;
//! * the tenant comes from the session's token, and every subject read or written is made from it;
//! * who a customer is, and what was said to them before, is shown to who serves them now, and to supervisors;
//! * a client that does not read costs a bounded queue, and is then closed with an error it can resume from.

mod auth;
mod board;
mod carriers;
mod config;
mod error;
mod explain;
mod grpc;
mod history;
mod http;
mod metrics;
mod offer;
mod people;
mod policies;
mod reach;
mod roster;
mod routing;
mod service;
mod session;
mod sign_in;
mod tail;
mod tally;
mod view;

pub use config::DeskConfig;
pub use error::DeskError;
pub use service::{Desk, DeskDeps, run};

/// The name of the configuration section [`DeskConfig`] is read from.
pub const SECTION: &str = "desk";
/// The full name of the gRPC service, for health.
pub const GRPC_SERVICE: &str = "heliograph.v1.DeskService";
