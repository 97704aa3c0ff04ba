//! What a code may mean. Which one does is each product's table: the same code means one thing on WhatsApp and another on
//! Messenger.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use heliograph_proto::v1::ErrorClass;
use serde_json::Value;

use crate::GraphError;

/// Where the provider says how much of an account's rate is used, and when it may go on.
const USAGE: &str = "x-business-use-case-usage";
/// Too fast, and no word about until when.
const BREATH: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// It will never work for this message.
    Never,
    /// What the business itself may not do until somebody puts it right.
    Forbidden,
    /// A fresh token may help.
    Expired,
    /// The messaging window is closed.
    Closed,
    /// The provider failed; where it is known, with the time that usually takes.
    Failed(Option<Duration>),
    /// Nothing of the account goes through for so long.
    Away(Duration),
    /// Too much for this customer, or of this kind: the account's other messages may go on.
    Slower(Duration),
    /// Too much of the account's.
    AllSlower(Duration),
}

impl Meaning {
    /// What the provider makes of a message that failed after it was taken.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::Never => ErrorClass::Permanent,
            Self::Forbidden | Self::Expired => ErrorClass::Auth,
            Self::Closed => ErrorClass::WindowClosed,
            Self::Failed(_) | Self::Away(_) => ErrorClass::Retryable,
            Self::Slower(_) | Self::AllSlower(_) => ErrorClass::RateLimited,
        }
    }

    /// The outcome of an answer that means this. What the provider `asks` to wait goes before what is usual.
    fn outcome(self, asks: Option<Duration>, code: String, text: String) -> Outcome {
        let (usual, account_wide) = match self {
            Self::Failed(usual) => (usual, false),
            Self::Slower(usual) => (Some(usual), false),
            Self::Away(usual) | Self::AllSlower(usual) => (Some(usual), true),
            Self::Never => return Outcome::Permanent { code, text },
            Self::Closed => return Outcome::WindowClosed { code, text },
            Self::Forbidden | Self::Expired => {
                return Outcome::Auth { code, text, token_expired: self == Self::Expired };
            }
        };
        let rate_limited = self.class() == ErrorClass::RateLimited;
        Outcome::Retry { after: asks.or(usual), account_wide, rate_limited, code, text }
    }
}

/// The outcome of an answer that refuses: by its error's `meaning`, or where nobody knows that, and where a proxy answered, by
/// its status. `None` where it refuses nothing.
pub fn refused(
    response: &ProviderResponse,
    meaning: impl FnOnce(&GraphError) -> Option<Meaning>,
) -> Option<Outcome> {
    let asks = response.retry_after().or_else(|| regained(response));
    let status = response.status.as_u16();
    let Some(error) = GraphError::read(&response.body) else {
        let (meaning, text) = match status {
            200..300 => return None,
            429 => (Meaning::AllSlower(BREATH), "too many requests"),
            401 | 403 => (Meaning::Forbidden, "the provider refused the credentials"),
            408 | 500.. => (Meaning::Failed(None), "the provider failed"),
            _ => (Meaning::Never, "the provider refused the request"),
        };
        return Some(meaning.outcome(asks, status.to_string(), text.to_owned()));
    };
    let by_status = || match status {
        429 => Meaning::AllSlower(BREATH),
        500.. => Meaning::Failed(None),
        _ if error.transient => Meaning::Failed(None),
        _ => Meaning::Never,
    };
    Some(meaning(&error).unwrap_or_else(by_status).outcome(asks, error.name(), described(&error)))
}

/// Its own support asks for the trace.
fn described(error: &GraphError) -> String {
    if error.trace.is_empty() {
        error.message.clone()
    } else {
        format!("{} (fbtrace_id {})", error.message, error.trace)
    }
}

/// `{"<account>": [{"type": "messenger", "estimated_time_to_regain_access": 5, …}]}`, in minutes.
fn regained(response: &ProviderResponse) -> Option<Duration> {
    let usage: Value = serde_json::from_slice(response.headers.get(USAGE)?.as_bytes()).ok()?;
    let uses = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = uses.filter_map(|used| used["estimated_time_to_regain_access"].as_u64()).max()?;
    (minutes > 0).then(|| Duration::from_secs(minutes.saturating_mul(60)))
}
