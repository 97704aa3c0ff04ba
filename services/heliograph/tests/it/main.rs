//! The binary as people use it: real processes, a real broker.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admin;
mod contact;
mod dead;
mod dev;
mod lifecycle;
mod policy;
mod provision;
mod resources;
mod route;
mod simulate;
mod support;
mod tail;
mod tenant;
