//! The gRPC server of a service, and the channels it calls others through.

mod client;
mod observe;
mod server;

pub use client::{CallContext, ChannelError, ChannelOptions, GrpcChannel, channel, channel_with, never_sent};
pub use server::GrpcServer;
pub use tonic::service::{Routes, RoutesBuilder};
