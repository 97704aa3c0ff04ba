//! What the provider's error codes mean. Statuses and titles change; the code is what to go by.
//!
//! Source: "Cloud API error codes"; the same codes come in answers and in the webhooks of messages that failed later.

use std::time::Duration;

use heliograph_channel::{Outcome, ProviderResponse};
use heliograph_graph::{GraphError, Meaning};
use heliograph_proto::v1::{DeliveryError, ErrorClass};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOURS: Duration = Duration::from_hours(6);
const DAY: Duration = Duration::from_hours(24);
/// Between two messages to one customer, once a burst is used up.
const PAIR: Duration = Duration::from_secs(6);

/// The business may not address this customer by the id it has of them; a phone number may do.
pub(crate) const NOT_BY_USER_ID: i64 = 131_062;

/// The outcome of a send. A message that is taken may still fail: its status says so later.
pub(crate) fn classify(response: &ProviderResponse) -> Outcome {
    heliograph_graph::refused(response, meaning).unwrap_or_else(|| match response.json()["messages"][0]["id"]
        .as_str()
    {
        Some(id) if !id.is_empty() => Outcome::delivered(id),
        _ => Outcome::in_doubt("unreadable_answer", "the provider's answer names no message"),
    })
}

/// Why a message failed that had been taken; some fail without a word.
pub(crate) fn delivery_error(error: Option<&GraphError>) -> DeliveryError {
    let class = error.and_then(meaning).map_or(ErrorClass::Permanent, Meaning::class);
    let (code, text) =
        error.map_or(("failed".to_owned(), String::new()), |it| (it.name(), it.message.clone()));
    DeliveryError { error_class: class.into(), code, text }
}

/// What an error means by its code; `None` for one that nobody knows.
fn meaning(error: &GraphError) -> Option<Meaning> {
    Some(match error.code {
        190 => Meaning::Expired,
        // No permission, no registration; and what the business itself may not do until somebody puts it right:
        // blocked, locked, its display name or certificate refused, its payment missing.
        0 | 3 | 10 | 200..=299 | 131_005 | 133_010 | 368 | 131_031 | 131_037 | 131_042 | 131_045 => {
            Meaning::Forbidden
        }
        1 | 2 | 131_000 | 131_016 => Meaning::Failed(None),
        // The medium could not be fetched or uploaded.
        131_053 => Meaning::Failed(Some(PAIR)),
        // Maintenance, and the minute it takes to raise a number's throughput.
        131_057 => Meaning::Away(MINUTE),
        4 | 80_007 => Meaning::AllSlower(MINUTE),
        130_429 => Meaning::AllSlower(SECOND),
        // Too many to this customer; the others may go on.
        131_056 => Meaning::Slower(PAIR),
        // Complaints: knocking again makes it worse. The number's replies fail as well.
        131_048 => Meaning::AllSlower(HOURS),
        // Too many customers written to first today, and replies within their windows go on; or a flow of the template is
        // slowed down.
        131_064 | 132_069 => Meaning::Slower(HOURS),
        // This customer has had enough advertising for now, or is in an experiment without any.
        131_049 | 130_472 => Meaning::Slower(DAY),
        133_016 => Meaning::AllSlower(DAY),
        131_047 => Meaning::Closed,
        // Customer: out of reach, oneself, not on a test number's list, no advertising wanted, identity changed,
        // not by this id, in a country the business may not write to.
        131_026 | 131_021 | 131_030 | 131_050 | 137_000 | NOT_BY_USER_ID | 130_497
        // Request and media.
        | 100 | 131_008 | 131_009 | 131_051 | 131_052 | 135_000
        // Templates: none such, parameters, too long, policy, paused, disabled, flow blocked; not by this API.
        | 132_000 | 132_001 | 132_005 | 132_007 | 132_008 | 132_012 | 132_015 | 132_016 | 132_068 | 131_063 => {
            Meaning::Never
        }
        _ => return None,
    })
}

/// Whether the provider does not know a medium (any more) that it gave us an id for.
pub(crate) fn is_stale_upload(response: &ProviderResponse) -> bool {
    GraphError::read(&response.body).is_some_and(|error| match error.code {
        131_052 | 131_053 => true,
        100 | 131_009 => error.message.to_ascii_lowercase().contains("media"),
        _ => false,
    })
}
