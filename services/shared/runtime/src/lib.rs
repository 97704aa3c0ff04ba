//! What every Heliograph service stands on and none of them decides: configuration, telemetry, health, the order in
//! which a process stops, the HTTP and gRPC servers, and the one place where outbound HTTP and gRPC clients are made.
//!
//! Nothing in here knows a channel, a tenant or a stream.

pub mod bearer;
pub mod config;
pub mod grpc;
pub mod health;
pub mod http;
pub mod http_client;
pub mod lifecycle;
mod serve;
pub mod telemetry;
pub mod tls;

pub use config::{ConfigError, Settings};
pub use health::{Check, Health};
pub use lifecycle::{Lifecycle, Shutdown, exit};
pub use telemetry::{Telemetry, TelemetryGuard};
