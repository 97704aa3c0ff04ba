//! Heliograph's words as plain types: identifiers, regions, resources.
//!
//! Nothing in this crate does I/O, reads a clock or draws random numbers.

pub mod ids;
