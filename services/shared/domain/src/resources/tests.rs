#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assignment;
mod policy;
mod problems;
mod sample;
mod values;
