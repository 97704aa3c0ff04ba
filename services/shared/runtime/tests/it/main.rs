//! The runtime's servers, clients and shutdown against real sockets and a real collector.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod grpc;
mod health;
mod http;
mod http_client;
mod lifecycle;
mod slow_clients;
mod support;
mod telemetry;
mod tls;
