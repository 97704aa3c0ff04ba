//! The envelope: CloudEvents over NATS headers, payload untouched.
//!
//! Binding: <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md>, binary mode.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use bytes::Bytes;
use prost::Message;

use crate::trace::TraceHeaders;

/// Header that deduplicates within the stream's window.
pub const MSG_ID: &str = "Nats-Msg-Id";
/// Content type of every payload we write.
pub const PROTOBUF: &str = "application/protobuf";

/// Header that says which dead letter a message was replayed from, by its sequence in HG_DEAD.
pub const REPLAYED: &str = "Heliograph-Replayed";

const KNOWN: [&str; 7] =
    ["ce-id", "ce-source", "ce-type", "ce-subject", "ce-time", "ce-specversion", "ce-datacontenttype"];

/// A message that is not one of ours.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// A header every message of ours has is missing.
    #[error("header {0} is missing")]
    Missing(&'static str),
    /// `ce-time` is no timestamp.
    #[error("ce-time is not an RFC 3339 timestamp")]
    Time(#[source] jiff::Error),
    /// The payload is not the protobuf message it should be.
    #[error("the payload is not a {expected}")]
    Payload {
        /// What was expected.
        expected: &'static str,
        /// What the decoder met.
        #[source]
        source: prost::DecodeError,
    },
}

/// One message on the broker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Envelope {
    /// The item's derived id (`ce-id`), also its `Nats-Msg-Id` unless [`Envelope::msg_id`] says otherwise.
    pub id: String,
    /// What happened (`ce-type`), as `message.received`.
    pub kind: String,
    /// Who says so (`ce-source`), as `heliograph/router`.
    pub source: String,
    /// What it is about (`ce-subject`): a conversation, mostly.
    pub subject: Option<String>,
    /// When it happened (`ce-time`), milliseconds since 1970.
    pub time_ms: i64,
    /// Protobuf, `heliograph.v1.*`.
    pub payload: Bytes,
    /// The trace this message belongs to. Filled at publishing from the current span when empty.
    pub trace: TraceHeaders,
    /// Another `Nats-Msg-Id` than the id; for a replay, which must not be taken for a duplicate.
    pub msg_id: Option<String>,
    /// Other `ce-` attributes and `Heliograph-` headers, kept as they are.
    pub extensions: BTreeMap<String, String>,
}

impl Envelope {
    /// An envelope around an encoded payload.
    pub fn new(
        id: impl Into<String>,
        kind: impl Into<String>,
        source: impl Into<String>,
        time_ms: i64,
        payload: impl Into<Bytes>,
    ) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            source: source.into(),
            time_ms,
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// An envelope around a protobuf message.
    pub fn of(
        id: impl Into<String>,
        kind: impl Into<String>,
        source: impl Into<String>,
        time_ms: i64,
        message: &impl Message,
    ) -> Self {
        Self::new(id, kind, source, time_ms, message.encode_to_vec())
    }

    /// Says what it is about.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Gives it the trace of what caused it, for a publisher that is not inside the cause's span.
    #[must_use]
    pub fn traced(mut self, trace: TraceHeaders) -> Self {
        self.trace = trace;
        self
    }

    /// The payload as `M`.
    pub fn decode<M: Message + Default>(&self) -> Result<M, EnvelopeError> {
        let expected = std::any::type_name::<M>();
        M::decode(self.payload.clone()).map_err(|source| EnvelopeError::Payload { expected, source })
    }

    /// The `Nats-Msg-Id` it is published with.
    pub fn message_id(&self) -> &str {
        self.msg_id.as_deref().unwrap_or(&self.id)
    }

    /// The headers it travels with.
    pub fn to_headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(MSG_ID, one_line(self.message_id()));
        headers.insert("ce-specversion", "1.0");
        headers.insert("ce-id", one_line(&self.id));
        headers.insert("ce-type", one_line(&self.kind));
        headers.insert("ce-source", one_line(&self.source));
        headers.insert("ce-datacontenttype", PROTOBUF);
        if let Some(subject) = &self.subject {
            headers.insert("ce-subject", one_line(subject));
        }
        if let Ok(time) = jiff::Timestamp::from_millisecond(self.time_ms) {
            headers.insert("ce-time", format!("{time:.3}"));
        }
        if !self.trace.is_empty() {
            headers.insert("traceparent", one_line(&self.trace.traceparent));
            if !self.trace.tracestate.is_empty() {
                headers.insert("tracestate", one_line(&self.trace.tracestate));
            }
        }
        for (name, value) in &self.extensions {
            headers.insert(name.as_str(), one_line(value));
        }
        headers
    }

    /// Reads a message back. Payload is not looked into.
    pub fn from_parts(headers: &HeaderMap, payload: Bytes) -> Result<Self, EnvelopeError> {
        let text = |name: &'static str| headers.get(name).map(|value| value.as_str().to_owned());
        let needed = |name: &'static str| {
            text(name).filter(|value| !value.is_empty()).ok_or(EnvelopeError::Missing(name))
        };
        let id = needed("ce-id")?;
        let time: jiff::Timestamp = needed("ce-time")?.parse().map_err(EnvelopeError::Time)?;
        let msg_id = text(MSG_ID).filter(|msg_id| *msg_id != id);
        let extensions = headers
            .iter()
            .filter_map(|(name, values)| Some((name.to_string(), values.last()?.as_str().to_owned())))
            .filter(|(name, _)| is_extension(name))
            .collect();
        Ok(Self {
            id,
            kind: needed("ce-type")?,
            source: text("ce-source").unwrap_or_default(),
            subject: text("ce-subject"),
            time_ms: time.as_millisecond(),
            payload,
            trace: trace_of(headers),
            msg_id,
            extensions,
        })
    }
}

/// The trace headers of a message, empty when it has none.
pub(crate) fn trace_of(headers: &HeaderMap) -> TraceHeaders {
    let text =
        |name: &'static str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
    TraceHeaders { traceparent: text("traceparent"), tracestate: text("tracestate") }
}

fn is_extension(name: &str) -> bool {
    (name.starts_with("ce-") && !KNOWN.contains(&name)) || name.starts_with("Heliograph-")
}

/// A header value is one line; what comes from outside may not smuggle a second header in.
pub(crate) fn one_line(value: &str) -> String {
    if value.contains(['\r', '\n', '\0']) { value.replace(['\r', '\n', '\0'], " ") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn an_envelope_survives_its_headers() {
        let mut envelope =
            Envelope::new("evt_1", "message.received", "heliograph/sms", 1_763_836_425_123, "bytes")
                .about("cnv_1")
                .traced(TraceHeaders { traceparent: "00-x-y-01".to_owned(), tracestate: "a=b".to_owned() });
        envelope.extensions.insert("ce-tenant".to_owned(), "acme".to_owned());
        let headers = envelope.to_headers();
        assert_eq!(headers.get(MSG_ID).unwrap().as_str(), "evt_1");
        assert_eq!(headers.get("ce-time").unwrap().as_str(), "2025-11-22T18:33:45.123Z");
        assert_eq!(Envelope::from_parts(&headers, envelope.payload.clone()).unwrap(), envelope);
    }

    #[test]
    fn values_cannot_smuggle_headers_in() {
        let headers = Envelope::new("a", "b\r\nNats-Rollup: all", "c", 0, "").to_headers();
        assert_eq!(headers.get("ce-type").unwrap().as_str(), "b  Nats-Rollup: all");
        assert!(headers.get("Nats-Rollup").is_none());
    }

    #[test]
    fn what_is_not_ours_is_named() {
        let error = Envelope::from_parts(&HeaderMap::new(), Bytes::new()).unwrap_err();
        assert_eq!(error.to_string(), "header ce-id is missing");
    }
}
