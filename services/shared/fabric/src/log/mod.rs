//! Reading streams as logs: in order, from a place the reader remembers itself, without acknowledgements.

mod cursor;
mod range;
mod reader;

pub use cursor::{Cursor, CursorError};
pub use range::RangeReader;
pub use reader::{LogError, LogReader, Start};
