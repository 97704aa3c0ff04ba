//! The commands, one module each: its flags, and what it does.

pub mod channels;
pub mod config;
pub mod contact;
pub mod dead;
pub mod dev;
pub mod doctor;
pub mod egress;
mod past;
pub mod policy;
pub mod provision;
pub mod resources;
pub mod route;
pub mod run;
pub mod send;
pub mod simulate;
pub mod tail;
pub mod tenant;
