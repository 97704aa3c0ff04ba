//! Sinch SMS REST ("xms").

mod codes;
pub(crate) mod inbound;
pub(crate) mod outbound;
mod signature;

/// Sinch refuses longer bodies.
pub(crate) const TEXT_LIMIT: i32 = 2000;
/// What its customers can say and do.
pub(crate) const RECEIVES: &str = "text media.image media.video custom receipt";
