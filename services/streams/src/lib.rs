//! The public stream for integrators: `StreamService` over gRPC and server-sent events over HTTP, and the way to the media
//! of its messages.
//!
//! Invariants:
//! * a subscriber gets every event that matches, in the order of the stream, from the place it asked for; it resumes
//!   with the last sequence it saw, and nothing is lost or doubled by that;
//! * a subscriber that reads slowly slows its own reader down and nobody else's; nothing is dropped for it;
//! * the tenant comes from the token, never from the request.

mod config;
mod error;
mod filter;
mod grpc;
mod media;
mod metrics;
mod service;
mod source;
mod sse;
mod tokens;

pub use config::{ApiToken, StreamsConfig};
pub use error::StreamsError;
pub use service::{Streams, StreamsDeps, run};

/// The name of the configuration section [`StreamsConfig`] is read from.
pub const SECTION: &str = "streams";
/// The full name of the gRPC service, for health.
pub const GRPC_SERVICE: &str = "heliograph.v1.StreamService";
