//! NATS and Redis servers of one's own: real programs from `.tools/bin`, on a free port of 127.0.0.1, with their data
//! and log in one directory, gone when the handle is dropped. Every test starts its own; `heliograph dev` keeps the
//! data by giving a directory.
//!
//! Invariants: a server answers before `start` returns; it keeps port and data over [`Server::restart`]; it ends with
//! the handle, and on Linux with the process that started it, however that ends.

mod cluster;
mod error;
mod locate;
mod nats;
mod process;
mod redis;
mod server;

pub use cluster::NatsCluster;
pub use error::ServerError;
pub use nats::{Nats, NatsOptions, SyncInterval};
pub use redis::{Redis, RedisOptions};
pub use server::{Kind, Server};

/// A NATS server with JetStream on file storage.
pub type NatsServer = Server<Nats>;

/// A Redis server: Valkey or Redis, whichever is found.
pub type RedisServer = Server<Redis>;
