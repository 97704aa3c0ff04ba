//! Sinch SMS REST ("xms").

mod codes;
pub(crate) mod inbound;
pub(crate) mod outbound;
mod signature;

/// Sinch refuses longer bodies.
pub(crate) const TEXT_LIMIT: i32 = 2000;
