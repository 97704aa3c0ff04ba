//! Words of the protocol that both directions share: states, classes of errors, and what they mean to us.

use std::time::Duration;

use heliograph_channel::Outcome;
use heliograph_proto::v1::{DeliveryError, ErrorClass, ReceiptState};

/// The state a status word names.
pub(crate) fn receipt_state(word: &str) -> Option<ReceiptState> {
    Some(match word {
        "accepted" => ReceiptState::Accepted,
        "sent" => ReceiptState::Sent,
        "delivered" => ReceiptState::Delivered,
        "read" => ReceiptState::Read,
        "failed" => ReceiptState::Failed,
        _ => return None,
    })
}

/// The class an error word names.
pub(crate) fn error_class(word: &str) -> Option<ErrorClass> {
    Some(match word {
        "permanent" => ErrorClass::Permanent,
        "retryable" => ErrorClass::Retryable,
        "rate_limited" => ErrorClass::RateLimited,
        "auth" => ErrorClass::Auth,
        "window_closed" => ErrorClass::WindowClosed,
        "opted_out" => ErrorClass::OptedOut,
        "in_doubt" => ErrorClass::InDoubt,
        _ => return None,
    })
}

/// An error as a receipt carries it.
pub(crate) fn delivery_error(class: &str, code: String, text: String) -> DeliveryError {
    let class = error_class(class).unwrap_or(ErrorClass::Permanent);
    DeliveryError { error_class: class.into(), code, text }
}

/// What a status says on its own, when neither body nor rule knows better.
pub(crate) fn class_of_status(status: u16) -> ErrorClass {
    match status {
        429 => ErrorClass::RateLimited,
        // 410: the endpoint is gone, so nothing of this account will get through (Standard Webhooks).
        401 | 403 | 410 => ErrorClass::Auth,
        408 | 425 | 500..=599 => ErrorClass::Retryable,
        _ => ErrorClass::Permanent,
    }
}

/// The outcome of an error of `class`.
pub(crate) fn outcome(class: ErrorClass, after: Option<Duration>, code: String, text: String) -> Outcome {
    match class {
        ErrorClass::Retryable => Outcome::retry(after, code, text),
        ErrorClass::RateLimited => Outcome::rate_limited(after, code, text),
        ErrorClass::Auth => Outcome::auth(code, text),
        ErrorClass::WindowClosed => Outcome::WindowClosed { code, text },
        ErrorClass::OptedOut => Outcome::OptedOut { code, text },
        ErrorClass::InDoubt => Outcome::in_doubt(code, text),
        ErrorClass::Permanent | ErrorClass::Unspecified => Outcome::permanent(code, text),
    }
}
