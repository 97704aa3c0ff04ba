//! The one binary: every service of a fleet, the development fleet, and the operators' commands.
//!
//! `main` reads as the start-up story. Services are libraries of their own; [`fleet`] puts the chosen ones into a
//! process. [`admin`] is what operators do, behind the command line and behind `AdminService`. Only [`channels`] knows
//! which channels there are.

pub mod abilities;
pub mod accounts;
pub mod admin;
pub mod channels;
pub mod cli;
pub mod commands;
pub mod connect;
pub mod decode;
pub mod dev;
pub mod failure;
pub mod fleet;
pub mod output;
pub mod settings;

/// The sample tenant that `heliograph dev` applies.
pub const SAMPLE: &str = include_str!("../../../deploy/samples/acme.yaml");
