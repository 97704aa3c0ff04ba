//! The wire contracts, generated from `heliograph/v1/*.proto`: prost types, tonic services and canonical proto3
//! JSON (serde). What the fields mean stands in the `.proto` files.

mod timestamp;

/// Version 1 of every contract.
#[allow(clippy::all, clippy::pedantic, missing_docs, reason = "generated code")]
pub mod v1 {
    tonic::include_proto!("heliograph.v1");
    include!(concat!(env!("OUT_DIR"), "/heliograph.v1.serde.rs"));
}

pub use pbjson_types::{Duration, Struct, Value};
pub use prost::Message;
pub use timestamp::Timestamp;

/// The encoded `FileDescriptorSet` of every contract, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
