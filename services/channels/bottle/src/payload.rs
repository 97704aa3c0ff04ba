//! What the other side posts.
//!
//! ```json
//! {"type": "message.received", "id": "ext-123", "timestamp": "2026-11-22T14:23:45Z", "data": {…}}
//! ```
//! Fields that are not modelled are collected in `unknown`, so that they can be kept.

use std::collections::BTreeMap;

use heliograph_proto::v1;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What is null is absent, as in proto3 JSON: many senders write every field they know of.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        plain => plain,
    }
}

/// Around every event.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope {
    /// `message.received`, `message.status`, `typing`, `contact.opted_out`, `contact.opted_in`; others are kept.
    #[serde(rename = "type")]
    pub kind: String,
    /// The event's id, the same on every attempt; for a message also the message's. Absent: the `webhook-id`.
    pub id: Option<String>,
    /// When it happened.
    pub timestamp: Option<jiff::Timestamp>,
    /// By `kind`.
    #[serde(default)]
    pub data: Value,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// `message.received`: at least one of `text`, `attachments` and `content`.
#[derive(Debug, Deserialize)]
pub(crate) struct MessageReceived {
    pub from: Person,
    /// A thread or room within the account.
    #[serde(default)]
    pub thread: String,
    #[serde(default)]
    pub text: String,
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// Anything richer: `heliograph.v1.Content` as canonical JSON, e.g. `{"location": {"latitude": 1, …}}`.
    pub content: Option<v1::Content>,
    /// The id of the message that is answered, ours (`msg_…`) or theirs.
    #[serde(default)]
    pub reply_to: String,
    #[serde(default)]
    pub metadata: BTreeMap<String, Value>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Who writes.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    /// Whatever the other side calls the customer by; what we address answers to.
    pub id: String,
    #[serde(default)]
    pub name: String,
    /// E.164: `+6493070700`.
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub email: String,
    /// BCP 47: `en-NZ`.
    #[serde(default)]
    pub locale: String,
    /// ISO 3166-1 alpha-2: `PN`.
    #[serde(default)]
    pub country: String,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A file by its URL.
#[derive(Debug, Deserialize)]
pub(crate) struct Attachment {
    pub url: String,
    /// IANA media type: `image/png`.
    #[serde(default, rename = "type")]
    pub content_type: String,
    #[serde(default)]
    pub name: String,
    /// Bytes.
    #[serde(default)]
    pub size: i64,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// `message.status`: what became of a message of ours. At least one of the ids.
#[derive(Debug, Deserialize)]
pub(crate) struct MessageStatus {
    /// Ours.
    #[serde(default)]
    pub message_id: String,
    /// Theirs, as they answered it when they took the message.
    #[serde(default)]
    pub external_id: String,
    /// As they got it in the message's metadata.
    #[serde(default)]
    pub correlation: String,
    /// `accepted`, `sent`, `delivered`, `read`, `failed`; others are kept.
    pub status: String,
    pub error: Option<StatusError>,
    /// The customer, when they say it.
    pub to: Option<Person>,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Why it failed.
#[derive(Debug, Deserialize)]
pub(crate) struct StatusError {
    #[serde(default)]
    pub code: String,
    /// `permanent`, `retryable`, `opted_out`, …; absent or unknown: permanent.
    #[serde(default)]
    pub class: String,
    #[serde(default)]
    pub text: String,
}

/// `typing`.
#[derive(Debug, Deserialize)]
pub(crate) struct Typing {
    pub from: Person,
    /// False: stopped.
    #[serde(default = "yes")]
    pub on: bool,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

fn yes() -> bool {
    true
}

/// `contact.opted_out` and `contact.opted_in`.
#[derive(Debug, Deserialize)]
pub(crate) struct Consent {
    pub from: Person,
    /// Empty: every purpose.
    #[serde(default)]
    pub purpose: String,
    /// The customer's words.
    #[serde(default)]
    pub text: String,
    /// The other side has answered the customer already.
    #[serde(default)]
    pub confirmed: bool,
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::without_nulls;

    #[test]
    fn a_field_that_is_null_is_as_if_it_were_not_there() {
        let sent = json!({ "from": { "id": "user-7", "phone": null }, "text": "hi", "thread": null, "list": [{ "a": null }] });
        assert_eq!(without_nulls(sent), json!({ "from": { "id": "user-7" }, "text": "hi", "list": [{}] }));
    }
}
