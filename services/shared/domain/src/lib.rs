//! Heliograph's words as plain types: identifiers, contacts, regions, phone numbers, resources.
//!
//! Nothing in this crate does I/O, reads a clock or draws random numbers.

pub mod contact;
pub mod content;
pub mod event;
pub mod ids;
pub mod limits;
pub mod nearest;
pub mod phone;
pub mod region;
pub mod resources;
pub mod zone;
