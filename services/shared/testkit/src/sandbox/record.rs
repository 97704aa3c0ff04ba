//! What the sandbox remembers.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

/// A message a provider accepted from us.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Its name: `sinch`, `wechat`, …
    pub provider: &'static str,
    /// Our account's name.
    pub account: String,
    /// The customer.
    pub user_id: String,
    /// What the customer reads.
    pub text: String,
    /// The id the provider gave it; empty where it gives none.
    pub provider_message_id: String,
    /// Our reference, when the provider carries one.
    pub reference: String,
    /// The whole request, as JSON.
    pub request: Value,
    /// Milliseconds since 1970.
    pub at_ms: i64,
}

/// A file that a provider holds: we uploaded it, or a customer sent it.
#[derive(Clone, Debug)]
pub struct Held {
    /// The provider.
    pub provider: &'static str,
    /// Our account's name.
    pub account: String,
    /// What the provider calls it.
    pub id: String,
    /// Its type, as it came; empty for what we uploaded.
    pub content_type: String,
    /// We uploaded it.
    pub uploaded: bool,
    /// How often it was fetched.
    pub fetched: u32,
    /// Its bytes.
    pub content: Bytes,
}

/// Something we did that a provider would refuse.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The provider.
    pub provider: &'static str,
    /// Which of its rules was broken.
    pub rule: String,
}

/// One line on a customer's phone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) from_customer: bool,
    pub(super) text: String,
    pub(super) at_ms: i64,
    /// The ingress's answer to the customer's own messages.
    pub(super) status: Option<u16>,
}
