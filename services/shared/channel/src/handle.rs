//! What a provider gives with a message and wants back when that message is meant again.

use std::time::Duration;

use secrecy::SecretString;

/// A handle of one message, in either direction. Kept in Redis until it is over; where it is lost, the message is
/// answered without a quote, or not marked as read.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The message, as the provider calls it.
    pub provider_message_id: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The provider's token.
    pub value: SecretString,
    /// How long it may be used from now.
    pub valid_for: Duration,
}

/// What a provider wants a handle back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A message of ours quotes that one.
    Quote,
    /// That one is marked as read.
    Read,
}

impl Purpose {
    /// The word it is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Read => "read",
        }
    }
}
