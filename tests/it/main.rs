//! End to end, on real processes and real input.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ailing;
mod browser;
mod channels;
mod chaos;
mod cluster;
mod docs;
mod media;
mod outage;
mod peers;
mod policy;
mod regional;
mod repeats;
