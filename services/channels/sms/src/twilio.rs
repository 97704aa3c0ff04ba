//! Twilio Messaging.

mod codes;
pub(crate) mod inbound;
pub(crate) mod outbound;
mod signature;

/// Twilio refuses longer bodies (error 21617).
pub(crate) const TEXT_LIMIT: i32 = 1600;
/// What its customers can say and do.
pub(crate) const RECEIVES: &str = "text media.image media.audio receipt consent";
