//! What the provider's error codes mean. Statuses and titles change; the code is what to go by.
//!
//! Source: "Cloud API error codes"; the same codes come in answers and in the webhooks of messages that failed later.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use heliograph_graph::GraphError;
use heliograph_proto::v1::{DeliveryError, ErrorClass};
use serde_json::Value;

const MINUTE: Duration = Duration::from_mins(1);
const HOURS: Duration = Duration::from_hours(6);
const DAY: Duration = Duration::from_hours(24);
/// Between two messages to one customer, once a burst is used up.
const PAIR: Duration = Duration::from_secs(6);

/// The business may not address this customer by the id it has of them; a phone number may do.
pub(crate) const NOT_BY_USER_ID: i64 = 131_062;

/// The outcome of a send. A message that is taken may still fail: its status says so later.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    if let Some(error) = GraphError::read(&response.body) {
        return failure(&error, response);
    }
    let code = response.status.as_u16();
    match code {
        200..300 => {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            match body["messages"][0]["id"].as_str() {
                Some(id) if !id.is_empty() => Outcome::delivered(id),
                _ => Outcome::in_doubt("unreadable_answer", "the provider's answer names no message"),
            }
        }
        429 => Outcome::rate_limited(response.retry_after(), "429", "too many requests"),
        401 | 403 => Outcome::auth(code.to_string(), "the provider refused the access token"),
        500.. => Outcome::retry(response.retry_after(), code.to_string(), "the provider failed"),
        _ => Outcome::permanent(code.to_string(), "the provider refused the request"),
    }
}

/// An error with the answer it came in.
fn failure(error: &GraphError, response: &ProviderResponse) -> Outcome {
    let mut outcome = meaning(error);
    match &mut outcome {
        // What it asks for goes before what is usual.
        Outcome::Retry { after, .. } => *after = response.retry_after().or(*after),
        Outcome::Permanent { .. } if !is_known(error.code) => {
            let (code, text) = (error.name(), error.message.clone());
            if response.status.as_u16() == 429 {
                return Outcome::rate_limited(response.retry_after(), code, text);
            }
            if error.transient || response.status.is_server_error() {
                return Outcome::retry(response.retry_after(), code, text);
            }
        }
        _ => {}
    }
    outcome
}

/// Why a message failed that had been taken; some fail without a word.
pub(crate) fn delivery_error(error: Option<&GraphError>) -> DeliveryError {
    let Some(error) = error else {
        let class = ErrorClass::Permanent.into();
        return DeliveryError { error_class: class, code: "failed".to_owned(), text: String::new() };
    };
    let class = match meaning(error) {
        Outcome::Retry { rate_limited: true, .. } => ErrorClass::RateLimited,
        Outcome::Retry { .. } => ErrorClass::Retryable,
        Outcome::Auth { .. } => ErrorClass::Auth,
        Outcome::WindowClosed { .. } => ErrorClass::WindowClosed,
        _ => ErrorClass::Permanent,
    };
    DeliveryError { error_class: class.into(), code: error.name(), text: error.message.clone() }
}

/// What an error means by its code alone.
pub(crate) fn meaning(error: &GraphError) -> Outcome {
    let (code, text) = (error.name(), error.message.clone());
    let limited = |after: Duration, account_wide: bool| Outcome::Retry {
        after: Some(after),
        account_wide,
        rate_limited: true,
        code: code.clone(),
        text: text.clone(),
    };
    match error.code {
        190 => Outcome::Auth { code, text, token_expired: true },
        // No permission, no registration; and what the business itself may not do until somebody puts it right:
        // blocked, locked, its display name or certificate refused, its payment missing.
        0 | 3 | 10 | 200..=299 | 131_005 | 133_010 | 368 | 131_031 | 131_037 | 131_042 | 131_045 => {
            Outcome::auth(code, text)
        }
        1 | 2 | 131_000 | 131_016 => Outcome::retry(None, code, text),
        // Maintenance, and the minute it takes to raise a number's throughput.
        131_057 => {
            Outcome::Retry { after: Some(MINUTE), account_wide: true, rate_limited: false, code, text }
        }
        // The medium could not be fetched or uploaded.
        131_053 => Outcome::retry(Some(PAIR), code, text),
        4 | 80_007 => limited(MINUTE, true),
        130_429 => limited(Duration::from_secs(1), true),
        // Too many to this customer; the others may go on.
        131_056 => limited(PAIR, false),
        // Complaints: knocking again makes it worse. The number's replies fail as well.
        131_048 => limited(HOURS, true),
        // Too many customers written to first today, and replies within their windows go on; or a flow of the template is
        // slowed down.
        131_064 | 132_069 => limited(HOURS, false),
        // This customer has had enough advertising for now, or is in an experiment without any.
        131_049 | 130_472 => limited(DAY, false),
        133_016 => limited(DAY, true),
        131_047 => Outcome::WindowClosed { code, text },
        _ => Outcome::permanent(code, text),
    }
}

/// Codes that will never work for this message, whatever the status beside them.
fn is_known(code: i64) -> bool {
    matches!(
        code,
        // Customer: out of reach, oneself, not on a test number's list, no advertising wanted, identity changed,
        // not by this id, in a country the business may not write to.
        131_026 | 131_021 | 131_030 | 131_050 | 137_000 | NOT_BY_USER_ID | 130_497
        // Request and media.
        | 100 | 131_008 | 131_009 | 131_051 | 131_052 | 135_000
        // Templates: none such, parameters, too long, policy, paused, disabled, flow blocked; not by this API.
        | 132_000 | 132_001 | 132_005 | 132_007 | 132_008 | 132_012 | 132_015 | 132_016 | 132_068 | 131_063
    )
}

/// Whether the provider does not know a medium (any more) that it gave us an id for.
pub(crate) fn is_stale_upload(response: &ProviderResponse) -> bool {
    GraphError::read(&response.body).is_some_and(|error| match error.code {
        131_052 | 131_053 => true,
        100 | 131_009 => error.message.to_ascii_lowercase().contains("media"),
        _ => false,
    })
}
