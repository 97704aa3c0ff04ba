//! What tests and `heliograph dev` stand on: real brokers, stand-ins for the providers, and the suite every channel
//! passes. Modules that use our other crates stand behind the feature `suite`; see Cargo.toml.

pub mod clamd;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "suite")]
pub mod sandbox;
pub mod servers;
