//! Publishing: Ok means stored.

use std::time::Duration;

use async_nats::{HeaderMap, Request, RequestErrorKind};
use bytes::Bytes;
use serde::Deserialize;
use tokio::time::Instant;
use tracing::Instrument;

use crate::backoff::Backoff;
use crate::envelope::Envelope;
use crate::fabric::Fabric;
use crate::ground::Ground;
use crate::metrics;
use crate::ownership::Fence;
use crate::subjects::Stream;
use crate::trace::{self, TraceHeaders};

/// How long a subject must be without a stream before we believe it: a broker that restarts has no streams for a moment.
const UNPROVISIONED_AFTER: Duration = Duration::from_secs(1);

/// Where a message was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Name of the stream.
    pub stream: String,
    /// Its sequence there. For a duplicate, that of the first.
    pub seq: u64,
    /// Whether the broker had it already.
    pub duplicate: bool,
}

/// Why a message is not known to be stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// No PubAck in time. The message may be stored all the same: publish it again with the same id, later.
    #[error("the broker did not acknowledge {subject} in time ({last})")]
    Away {
        /// Where it was to go.
        subject: String,
        /// What the last try met.
        last: String,
    },
    /// The stream has no room and does not throw old messages away.
    #[error("the broker has no room for {subject}: {description}")]
    Full {
        /// Where it was to go.
        subject: String,
        /// What the broker says.
        description: String,
    },
    /// No stream takes this subject.
    #[error("no stream takes {subject}; run `heliograph provision`")]
    NotProvisioned {
        /// Where it was to go.
        subject: String,
    },
    /// The message is larger than the broker takes.
    #[error("{subject}: the message is too large for the broker ({description})")]
    TooLarge {
        /// Where it was to go.
        subject: String,
        /// What is allowed.
        description: String,
    },
    /// An expectation about what is stored did not hold (compare and swap).
    #[error("{subject}: {description}")]
    Conflict {
        /// Where it was to go.
        subject: String,
        /// What the broker says.
        description: String,
    },
    /// The broker will never take this.
    #[error("the broker refused {subject}: {description} ({code})")]
    Refused {
        /// Where it was to go.
        subject: String,
        /// Error code of the broker.
        code: u64,
        /// What the broker says.
        description: String,
    },
    /// We no longer own the partition this belongs to. Nothing was sent.
    #[error("the partition is owned by somebody else now")]
    Fenced,
    /// An earlier item of the same lane failed, so this one was not sent.
    #[error("an earlier item of lane {lane:?} failed")]
    Behind {
        /// The lane.
        lane: String,
    },
    /// The sequencer was stopped before this was sent.
    #[error("publishing was stopped")]
    Stopped,
}

impl PublishError {
    /// Whether the fault is the broker's and passes: answer 503, try again later with the same id.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Full { .. } | Self::Stopped)
    }

    fn label(&self) -> &'static str {
        match self {
            Self::Away { .. } => "away",
            Self::Full { .. } => "full",
            Self::NotProvisioned { .. } => "not_provisioned",
            Self::TooLarge { .. } => "too_large",
            Self::Conflict { .. } => "conflict",
            Self::Refused { .. } => "refused",
            Self::Fenced => "fenced",
            Self::Behind { .. } => "behind",
            Self::Stopped => "stopped",
        }
    }
}

/// The deadline `after` from now.
pub fn within(after: Duration) -> Option<Instant> {
    Some(Instant::now() + after)
}

/// As [`Fabric::publish`], over any ground, and only as long as `fence` holds.
pub(crate) async fn publish<G: Ground>(
    ground: &G,
    subject: &str,
    envelope: &Envelope,
    deadline: Option<Instant>,
    fence: Option<&Fence>,
) -> Result<Published, PublishError> {
    let stream = Stream::of_subject(subject).map_or("other", Stream::name);
    let span = trace::producer_span(subject, &envelope.id, stream);
    trace::link(&span, &envelope.trace);
    let mut headers = envelope.to_headers();
    if let Some(TraceHeaders { traceparent, tracestate }) = TraceHeaders::of(&span) {
        headers.insert("traceparent", traceparent);
        if !tracestate.is_empty() {
            headers.insert("tracestate", tracestate);
        }
    }
    publish_raw(ground, subject, headers, envelope.payload.clone(), deadline, fence).instrument(span).await
}

/// As [`Fabric::publish_raw`], over any ground, and only as long as `fence` holds.
pub(crate) async fn publish_raw<G: Ground>(
    ground: &G,
    subject: &str,
    headers: HeaderMap,
    payload: Bytes,
    deadline: Option<Instant>,
    fence: Option<&Fence>,
) -> Result<Published, PublishError> {
    let begun = Instant::now();
    let done = publish_until(ground, subject, &headers, &payload, deadline, fence).await;
    let outcome = match &done {
        Ok(published) if published.duplicate => "duplicate",
        Ok(_) => "stored",
        Err(error) => error.label(),
    };
    let stream = Stream::of_subject(subject).map_or("other", Stream::name);
    let labels = [metrics::stream(stream), metrics::outcome(outcome)];
    ground.metrics().published.add(1, &labels);
    ground.metrics().publish_seconds.record(begun.elapsed().as_secs_f64(), &labels);
    done
}

async fn publish_until<G: Ground>(
    ground: &G,
    subject: &str,
    headers: &HeaderMap,
    payload: &Bytes,
    deadline: Option<Instant>,
    fence: Option<&Fence>,
) -> Result<Published, PublishError> {
    let mut backoff = Backoff::default();
    let mut without_stream: Option<Instant> = None;
    loop {
        // Before every try: a process that stood still for long goes on where it was.
        if fence.is_some_and(|fence| fence.check().is_err()) {
            return Err(PublishError::Fenced);
        }
        let failure = match ground.try_publish(subject, headers, payload, deadline).await {
            Ok(published) => return Ok(published),
            Err(Attempt::Final(error)) => return Err(error),
            Err(Attempt::Again(failure)) => failure,
            Err(Attempt::Unheard(last)) => {
                if ground.has_no_stream(subject).await {
                    let since = *without_stream.get_or_insert_with(Instant::now);
                    if since.elapsed() >= UNPROVISIONED_AFTER {
                        return Err(PublishError::NotProvisioned { subject: subject.to_owned() });
                    }
                } else {
                    without_stream = None;
                }
                PublishError::Away { subject: subject.to_owned(), last }
            }
        };
        let wait = backoff.next_wait_by(ground.draw());
        if deadline.is_some_and(|deadline| Instant::now() + wait >= deadline) {
            return Err(failure);
        }
        tracing::debug!(subject, error = %failure, "publishing again with the same id");
        ground.metrics().publish_retries.add(1, &[]);
        tokio::time::sleep(wait).await;
    }
}

impl Fabric {
    /// Publishes and returns after the PubAck.
    ///
    /// A lost connection, a timeout or a broker without room is retried with the same id until `deadline`; without
    /// a deadline, for as long as the future is polled.
    pub async fn publish(
        &self,
        subject: &str,
        envelope: &Envelope,
        deadline: Option<Instant>,
    ) -> Result<Published, PublishError> {
        publish(self, subject, envelope, deadline, None).await
    }

    /// Publishes headers and payload as they are; otherwise as [`Fabric::publish`].
    pub async fn publish_raw(
        &self,
        subject: &str,
        headers: HeaderMap,
        payload: Bytes,
        deadline: Option<Instant>,
    ) -> Result<Published, PublishError> {
        publish_raw(self, subject, headers, payload, deadline, None).await
    }

    /// One try: from sending to PubAck. Ends early when the connection is lost, because the PubAck is lost with it.
    pub(crate) async fn publish_once(
        &self,
        subject: &str,
        headers: &HeaderMap,
        payload: &Bytes,
        deadline: Option<Instant>,
    ) -> Result<Published, Attempt> {
        let away = |last: &str| {
            Attempt::Again(PublishError::Away { subject: subject.to_owned(), last: last.to_owned() })
        };
        if !self.wait_connected(deadline).await {
            return Err(away("not connected"));
        }
        let mut link = self.link();
        let losses = link.borrow().losses;
        let timeout = deadline.map_or(self.request_timeout(), |deadline| {
            self.request_timeout().min(deadline.saturating_duration_since(Instant::now()))
        });
        let request = Request::new().headers(headers.clone()).payload(payload.clone()).timeout(Some(timeout));
        let answer = tokio::select! {
            answer = self.client().send_request(subject.to_owned(), request) => answer,
            _ = link.wait_for(|link| link.losses != losses) => return Err(away("connection lost")),
        };
        match answer {
            Ok(message) => read_ack(subject, &message.payload),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders => Err(Attempt::Unheard("no responders".to_owned())),
                RequestErrorKind::TimedOut => Err(Attempt::Unheard("timed out".to_owned())),
                RequestErrorKind::MaxPayloadExceeded => Err(Attempt::Final(PublishError::TooLarge {
                    subject: subject.to_owned(),
                    description: error.to_string(),
                })),
                RequestErrorKind::InvalidSubject => Err(Attempt::Final(PublishError::Refused {
                    subject: subject.to_owned(),
                    code: 0,
                    description: error.to_string(),
                })),
                RequestErrorKind::Other => Err(away(&error.to_string())),
            },
        }
    }

    /// Whether the broker is there and says that no stream takes `subject`.
    pub(crate) async fn subject_without_stream(&self, subject: &str) -> bool {
        use async_nats::jetstream::context::GetStreamByNameErrorKind::NotFound;
        let found = self.jetstream().stream_by_subject(subject.to_owned()).await;
        found.is_err_and(|error| error.kind() == NotFound)
    }
}

/// How one try ended that did not end well.
#[derive(Debug)]
pub enum Attempt {
    /// Trying again cannot help.
    Final(PublishError),
    /// Trying again may help.
    Again(PublishError),
    /// Nobody answered: the broker is away, or no stream takes the subject.
    Unheard(String),
}

#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    stream: String,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    #[serde(default)]
    code: u64,
    #[serde(default)]
    err_code: u64,
    #[serde(default)]
    description: String,
}

fn read_ack(subject: &str, payload: &[u8]) -> Result<Published, Attempt> {
    let subject = subject.to_owned();
    let ack: Ack = match serde_json::from_slice(payload) {
        Ok(ack) => ack,
        // A core subscriber that answers is not a stream.
        Err(error) => {
            let description = format!("the answer is no PubAck: {error}");
            return Err(Attempt::Final(PublishError::Refused { subject, code: 0, description }));
        }
    };
    let Some(ApiError { code, err_code, description }) = ack.error else {
        return Ok(Published { stream: ack.stream, seq: ack.seq, duplicate: ack.duplicate });
    };
    // Codes: nats-server, server/errors.json.
    Err(match err_code {
        // Account, memory and storage limits; "maximum bytes/messages exceeded" of a stream that keeps what it has.
        10_002 | 10_023 | 10_028 | 10_047 | 10_077 => {
            Attempt::Again(PublishError::Full { subject, description })
        }
        10_054 | 10_097 => Attempt::Final(PublishError::TooLarge { subject, description }),
        10_070 | 10_071 | 10_164 => Attempt::Final(PublishError::Conflict { subject, description }),
        // The first copy is still being replicated; too many requests.
        10_158 | 10_167 => Attempt::Again(PublishError::Away { subject, last: description }),
        _ if code == 503 => Attempt::Again(PublishError::Away { subject, last: description }),
        _ => Attempt::Final(PublishError::Refused { subject, code: err_code, description }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(payload: &str) -> Attempt {
        read_ack("hg.inbound.0.a.b", payload.as_bytes()).expect_err("an error")
    }

    #[test]
    fn acks_and_duplicates_are_told_apart() {
        let ack = read_ack("s", br#"{"stream":"HG_INBOUND","seq":7,"duplicate":true}"#).expect("an ack");
        assert_eq!(ack, Published { stream: "HG_INBOUND".to_owned(), seq: 7, duplicate: true });
    }

    #[test]
    fn a_full_stream_is_retried_and_a_refusal_is_not() {
        let full = error(r#"{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}"#);
        assert!(matches!(full, Attempt::Again(PublishError::Full { .. })));
        let away =
            error(r#"{"error":{"code":503,"err_code":10008,"description":"temporarily unavailable"}}"#);
        assert!(matches!(away, Attempt::Again(PublishError::Away { .. })));
        let conflict =
            error(r#"{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 3"}}"#);
        assert!(matches!(conflict, Attempt::Final(PublishError::Conflict { .. })));
        let refused = error(
            r#"{"error":{"code":400,"err_code":10060,"description":"expected stream does not match"}}"#,
        );
        assert!(matches!(refused, Attempt::Final(PublishError::Refused { code: 10060, .. })));
        assert!(matches!(error("pong"), Attempt::Final(PublishError::Refused { .. })));
    }
}
