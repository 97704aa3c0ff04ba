//! What Twilio's error codes mean for a message.

use heliograph_proto::v1::ErrorClass;

/// Our class for a code; codes not listed are judged by the HTTP status.
pub(super) fn class(code: i64) -> Option<ErrorClass> {
    Some(match code {
        21610 => ErrorClass::OptedOut,
        // Bad To, unroutable, not mobile, bad From, no body, too long, unreachable, unknown, landline, filtered.
        21211 | 21612 | 21614 | 21606 | 21602 | 21617 | 30003 | 30005 | 30006 | 30007 => {
            ErrorClass::Permanent
        }
        // Credentials, region not enabled, trial, suspended, unregistered 10DLC.
        20003 | 21408 | 21608 | 30002 | 30034 => ErrorClass::Auth,
        20429 | 14107 => ErrorClass::RateLimited,
        30001 | 30008 => ErrorClass::Retryable,
        _ => return None,
    })
}
