//! What Sinch's delivery report codes mean (as the official SDK lists them).

use heliograph_proto::v1::ErrorClass;

/// Our class and Sinch's meaning of a delivery report code; `None` for codes that are no error.
pub(super) fn meaning(code: i64) -> Option<(ErrorClass, &'static str)> {
    use ErrorClass::{Auth, Permanent, Retryable};
    Some(match code {
        0 | 400 | 401 => return None,
        402 => (Permanent, "unroutable"),
        403 => (Retryable, "internal error"),
        404 => (Retryable, "temporary failure"),
        405 => (Permanent, "template parameter unmatched"),
        406 => (Retryable, "expired before it reached the SMSC"),
        407 => (Permanent, "cancelled"),
        408 => (Permanent, "internal reject"),
        410 => (Auth, "no default originator"),
        411 => (Permanent, "too many parts"),
        412 => (Auth, "region not provisioned"),
        413 => (Auth, "account blocked"),
        414 => (Permanent, "bad media URL"),
        415 => (Permanent, "MMS rejected"),
        416 => (Permanent, "MMS not supported"),
        417 => (Retryable, "MMS unreachable"),
        418 => (Permanent, "MMS content not recognised"),
        _ => (Permanent, "unknown delivery report code"),
    })
}
