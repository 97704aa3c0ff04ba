//! Findings for people: tables for a terminal, and a page with tables and plots.

mod bars;
mod html;
mod lines;
mod number;
mod plots;
mod scale;
mod table;
mod text;

pub use html::page;
pub use text::tables;
