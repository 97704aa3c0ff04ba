//! One stored message, as a reader gets it.

use std::sync::Arc;

use async_nats::{HeaderMap, Message};
use bytes::Bytes;
use tracing::Span;

use crate::envelope::{self, Envelope, EnvelopeError};
use crate::subjects::Stream;
use crate::trace::{self, TraceHeaders};

/// A message of a stream with where and when it was stored.
#[derive(Debug, Clone)]
pub struct Record {
    /// Name of the stream.
    pub stream: Arc<str>,
    /// Sequence in the stream.
    pub seq: u64,
    /// When the broker stored it, milliseconds since 1970.
    pub time_ms: i64,
    /// Its subject.
    pub subject: String,
    /// How many messages the reader had not been given yet when this one was delivered.
    pub pending: u64,
    /// How often it has been delivered, this time included.
    pub delivered: u64,
    /// Headers as stored.
    pub headers: HeaderMap,
    /// Payload as stored.
    pub payload: Bytes,
}

impl Record {
    /// The envelope, or why this is not one of our messages: bury it then.
    pub fn envelope(&self) -> Result<Envelope, EnvelopeError> {
        Envelope::from_parts(&self.headers, self.payload.clone())
    }

    /// The trace it was published in.
    pub fn trace(&self) -> TraceHeaders {
        envelope::trace_of(&self.headers)
    }

    /// A span to process it in, linked to the span that published it; a disabled one when that was not traced.
    pub fn process_span(&self) -> Span {
        let text = |name: &'static str| self.headers.get(name).map(async_nats::HeaderValue::as_str);
        let stream = Stream::by_name(&self.stream).map_or("other", Stream::name);
        trace::consumer_span(
            &self.subject,
            text("ce-id").unwrap_or_default(),
            stream,
            text("ce-subject"),
            &self.trace(),
        )
    }

    /// Reads a message that a consumer delivered, with its sequence within the consumer.
    pub(crate) fn delivered(stream: &Arc<str>, message: Message) -> Option<(Self, u64)> {
        let meta = Meta::parse(message.reply.as_ref()?)?;
        let record = Self {
            stream: stream.clone(),
            seq: meta.stream_seq,
            time_ms: meta.nanos / 1_000_000,
            subject: message.subject.to_string(),
            pending: meta.pending,
            delivered: meta.delivered,
            headers: message.headers.unwrap_or_default(),
            payload: message.payload,
        };
        Some((record, meta.consumer_seq))
    }
}

/// What the reply subject of a delivered message says.
#[derive(Debug, PartialEq, Eq)]
struct Meta {
    delivered: u64,
    stream_seq: u64,
    consumer_seq: u64,
    nanos: i64,
    pending: u64,
}

impl Meta {
    /// `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<nanoseconds>.<pending>`, in its second
    /// version with domain and account hash in front of the stream and possibly a token at the end (NATS ADR-15).
    fn parse(reply: &str) -> Option<Self> {
        let tokens: Vec<&str> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
        let at = match tokens.len() {
            7 => 2,
            9.. => 4,
            _ => return None,
        };
        let number = |index: usize| tokens.get(at + index)?.parse::<u64>().ok();
        Some(Self {
            delivered: number(0)?,
            stream_seq: number(1)?,
            consumer_seq: number(2)?,
            nanos: i64::try_from(number(3)?).ok()?,
            pending: number(4)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Meta;

    #[test]
    fn both_versions_of_the_reply_subject_are_read() {
        let meta = Meta {
            delivered: 2,
            stream_seq: 33,
            consumer_seq: 44,
            nanos: 1_763_836_425_000_000_000,
            pending: 5,
        };
        assert_eq!(Meta::parse("$JS.ACK.S.C.2.33.44.1763836425000000000.5").as_ref(), Some(&meta));
        assert_eq!(Meta::parse("$JS.ACK.hub.HASH.S.C.2.33.44.1763836425000000000.5").as_ref(), Some(&meta));
        assert_eq!(
            Meta::parse("$JS.ACK.hub.HASH.S.C.2.33.44.1763836425000000000.5.tok").as_ref(),
            Some(&meta)
        );
        assert_eq!(Meta::parse("_INBOX.x"), None);
        assert_eq!(Meta::parse("$JS.ACK.S.C.2.33"), None);
    }
}
