//! Vectors made by the peers `wechatpy` and `wechat-crypto`, against the channel.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod vectors;
