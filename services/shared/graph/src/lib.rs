//! What the channels behind Meta's Graph API share: how webhooks are proven, how calls are made, how errors look.
//!
//! Which code means what is not said here: the same code means one thing on WhatsApp and another on Messenger.
//!
//! Source: developers.facebook.com, "Graph API" (webhooks, secure requests, error handling).

mod app;
mod call;
mod error;
mod limits;
mod meaning;
pub mod messaging;
mod offers;
mod template;
mod webhook;

pub use app::{API, App, check_id};
pub use call::{appsecret_proof, call};
pub use error::GraphError;
pub use limits::check;
pub use meaning::{Meaning, refused};
pub use offers::{Offers, lines};
pub use template::filled;
pub use webhook::{SIGNATURE, handshake, sign, verify};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA256 of `message`, keyed with the bytes of `secret` as the console shows it.
fn digest(secret: &str, message: &[u8]) -> Hmac<Sha256> {
    let mut digest =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    digest.update(message);
    digest
}
