//! The test kit, tested: what other crates' tests rely on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod servers;
