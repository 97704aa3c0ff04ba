//! The channel against the suite every channel passes, and against vectors made by `wechatpy` and `wechat-crypto`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
mod media;
mod peer;
mod vectors;
