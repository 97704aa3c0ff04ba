//! A dead letter as it lies in HG_DEAD: the message's own headers and payload, and why it is there.

use crate::record::Record;

use super::DeadError;

pub(super) const SUBJECT: &str = "Heliograph-Dead-Subject";
pub(super) const STREAM: &str = "Heliograph-Dead-Stream";
pub(super) const SEQ: &str = "Heliograph-Dead-Seq";
pub(super) const STAGE: &str = "Heliograph-Dead-Stage";
pub(super) const REASON: &str = "Heliograph-Dead-Reason";
pub(super) const ERROR: &str = "Heliograph-Dead-Error";
pub(super) const TRIES: &str = "Heliograph-Dead-Tries";
pub(super) const TIME: &str = "Heliograph-Dead-Time";

/// The headers burying adds.
pub(super) const DEAD: [&str; 8] = [SUBJECT, STREAM, SEQ, STAGE, REASON, ERROR, TRIES, TIME];

/// A message that could not be processed.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// Sequence in HG_DEAD, which names it.
    pub seq: u64,
    /// When it was buried, milliseconds since 1970.
    pub buried_ms: i64,
    /// Where processing gave up.
    pub stage: String,
    /// Machine-readable reason.
    pub reason: String,
    /// What happened, for people.
    pub error: String,
    /// How often it was tried.
    pub tries: u64,
    /// The subject it was published to.
    pub subject: String,
    /// The stream it was stored in.
    pub stream: String,
    /// Its sequence there.
    pub stream_seq: u64,
    /// When it was stored there, milliseconds since 1970.
    pub time_ms: i64,
    /// The message as it lies in HG_DEAD: its own headers, those above, and its payload.
    pub record: Record,
}

impl DeadLetter {
    pub(super) fn read(record: Record) -> Result<Self, DeadError> {
        let text = |name: &'static str| record.headers.get(name).map(|value| value.as_str().to_owned());
        let number =
            |name: &'static str| text(name).and_then(|value| value.parse::<u64>().ok()).unwrap_or_default();
        let (Some(subject), Some(stage)) = (text(SUBJECT), text(STAGE)) else {
            return Err(DeadError::Malformed(record.seq));
        };
        Ok(Self {
            seq: record.seq,
            buried_ms: record.time_ms,
            stage,
            reason: text(REASON).unwrap_or_default(),
            error: text(ERROR).unwrap_or_default(),
            tries: number(TRIES),
            subject,
            stream: text(STREAM).unwrap_or_default(),
            stream_seq: number(SEQ),
            time_ms: text(TIME).and_then(|value| value.parse().ok()).unwrap_or_default(),
            record,
        })
    }
}
