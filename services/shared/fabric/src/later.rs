//! Work for egress that is to be there later, kept and delivered by the broker itself.
//!
//! A message on `hg.later.<token>` with `Nats-Schedule: @at <time>` waits in HG_OUTBOUND; when its time comes the broker
//! stores its payload and headers under the subject it names, and removes it (NATS ADR-51, server 2.12). That holds over
//! restarts of the broker. What we saw of it, and the tests hold it to:
//!
//! * a token stands for one message: publishing to it again replaces what waits there;
//! * a time that has passed is due at once;
//! * what is delivered has lost its `Nats-Msg-Id`, so the broker does not take it for a repeat of anything.
//!
//! The stream's own age limit holds for what waits, too: nothing can wait for longer than that.

use async_nats::HeaderMap;
use async_nats::header::{NATS_SCHEDULE, NATS_SCHEDULE_TARGET};
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use tokio::time::Instant;

use crate::envelope::{Envelope, MSG_ID, one_line};
use crate::fabric::Fabric;
use crate::publish::{PublishError, Published};
use crate::subjects::{self, Stream};

/// Header of what was delivered later: the token it waited under.
pub const LATER: &str = "Heliograph-Later";
/// Header of what was hastened: it came before its time, and comes again.
pub const HASTENED: &str = "Heliograph-Hastened";

impl Fabric {
    /// Has the broker publish `envelope` to `target`, a subject of HG_OUTBOUND, at `at_ms` (milliseconds since 1970).
    ///
    /// `token` is one subject token, derived from what causes the wait: the same cause waits once, however often it asks.
    /// After it was delivered it can be asked again, and is delivered again. Otherwise as [`Fabric::publish`].
    ///
    /// # Errors
    /// As [`Fabric::publish`]; [`PublishError::Refused`] also for a token or a time that cannot be written.
    pub async fn publish_later(
        &self,
        target: &str,
        token: &str,
        at_ms: i64,
        envelope: &Envelope,
        deadline: Option<Instant>,
    ) -> Result<Published, PublishError> {
        let refused = |subject: &str, description: String| PublishError::Refused {
            subject: subject.to_owned(),
            code: 0,
            description,
        };
        let subject = subjects::later(token).map_err(|error| refused(token, error.to_string()))?;
        let at = jiff::Timestamp::from_millisecond(at_ms);
        let at = at.map_err(|error| refused(&subject, error.to_string()))?;
        let mut waiting = envelope.clone();
        // Another time is another message, and replaces the one that waits.
        waiting.msg_id = Some(format!("{token}.{at_ms}"));
        waiting.extensions.insert(LATER.to_owned(), token.to_owned());
        let mut headers = waiting.to_headers();
        headers.insert(NATS_SCHEDULE, format!("@at {at:.3}"));
        headers.insert(NATS_SCHEDULE_TARGET, one_line(target));
        self.publish_raw(&subject, headers, waiting.payload, deadline).await
    }

    /// Has what waits under `token` come now, marked with [`HASTENED`]; false when nothing waits there. It comes again at
    /// its own time.
    ///
    /// # Errors
    /// As [`Fabric::publish`]; also when the broker cannot be asked.
    pub async fn hasten(&self, token: &str, deadline: Option<Instant>) -> Result<bool, PublishError> {
        let refused = |error: &dyn std::error::Error| PublishError::Refused {
            subject: token.to_owned(),
            code: 0,
            description: error.to_string(),
        };
        let away = |error: &dyn std::error::Error| PublishError::Away {
            subject: token.to_owned(),
            last: error.to_string(),
        };
        let subject = subjects::later(token).map_err(|error| refused(&error))?;
        let stream = self.raw_stream(Stream::Outbound.name()).await.map_err(|error| away(&error))?;
        let waiting = match stream.get_last_raw_message_by_subject(&subject).await {
            Ok(waiting) => waiting,
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(false),
            Err(error) => return Err(away(&error)),
        };
        let Some(target) = waiting.headers.get(NATS_SCHEDULE_TARGET).map(ToString::to_string) else {
            return Ok(false);
        };
        let mut headers = HeaderMap::new();
        for (name, values) in waiting.headers.iter() {
            let name: &str = name.as_ref();
            if !name.starts_with("Nats-") {
                for value in values {
                    headers.append(name, value.as_str());
                }
            }
        }
        headers.insert(MSG_ID, format!("{token}.now"));
        headers.insert(HASTENED, "1");
        self.publish_raw(&target, headers, waiting.payload, deadline).await.map(|_| true)
    }
}
