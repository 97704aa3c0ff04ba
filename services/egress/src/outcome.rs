//! What a call of `ChannelService` means. Pure.
//!
//! A channel's word is taken as it is. What gRPC itself says is read with one question in mind: can the provider have
//! the message? A status that the service answered says that it did not send (a service that is not sure answers
//! `in_doubt`); a call that broke or ran out of time leaves it open.

use std::time::Duration;

use heliograph_proto::v1::{DeliverResponse, Delivered, DeliveryError, ErrorClass, deliver_response};
use tonic::{Code, Status};

use crate::time;

/// What became of one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The provider has it.
    Delivered(Delivered),
    /// Not taken; may work later.
    Later(Later),
    /// It will never work.
    Failed(DeliveryError),
    /// It will never work, because the customer does not want it.
    OptedOut(DeliveryError),
    /// Only a template may go out.
    WindowClosed(DeliveryError),
    /// The account is refused.
    Auth(DeliveryError),
    /// It may have arrived or not.
    InDoubt(DeliveryError),
}

/// Not taken; may work later.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Later {
    pub(crate) error: DeliveryError,
    /// The least wait, as the provider says.
    pub(crate) after: Option<Duration>,
    /// The wait holds for the whole account.
    pub(crate) account_wide: bool,
    /// The provider said so: it counts as one of the message's tries. Else the fault is ours.
    pub(crate) by_provider: bool,
}

impl Outcome {
    /// For metrics and spans.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Later(later) if later.by_provider => "retry_later",
            Self::Later(_) => "unreachable",
            Self::Failed(_) => "permanent",
            Self::OptedOut(_) => "opted_out",
            Self::WindowClosed(_) => "window_closed",
            Self::Auth(_) => "auth",
            Self::InDoubt(_) => "in_doubt",
        }
    }
}

/// What a channel answered.
pub(crate) fn of_response(response: DeliverResponse) -> Outcome {
    use deliver_response::Outcome as Said;
    match response.outcome {
        Some(Said::Delivered(delivered)) => Outcome::Delivered(delivered),
        Some(Said::RetryLater(later)) => Outcome::Later(Later {
            error: classed(later.error.unwrap_or_default(), ErrorClass::Retryable),
            after: later.retry_after.as_ref().and_then(time::wait),
            account_wide: later.account_wide,
            by_provider: true,
        }),
        Some(Said::Permanent(error)) if error.error_class() == ErrorClass::OptedOut => {
            Outcome::OptedOut(error)
        }
        Some(Said::Permanent(error)) => Outcome::Failed(classed(error, ErrorClass::Permanent)),
        Some(Said::WindowClosed(error)) => Outcome::WindowClosed(classed(error, ErrorClass::WindowClosed)),
        Some(Said::Auth(error)) => Outcome::Auth(classed(error, ErrorClass::Auth)),
        Some(Said::InDoubt(error)) => Outcome::InDoubt(classed(error, ErrorClass::InDoubt)),
        // A kind of outcome that a newer channel knows, or none at all.
        None => Outcome::InDoubt(error(
            ErrorClass::InDoubt,
            "no_outcome",
            "the channel answered without an outcome",
        )),
    }
}

/// What a call that failed means. `never_sent`: it certainly did not reach the channel.
pub(crate) fn of_status(status: &Status, never_sent: bool) -> Outcome {
    let code = format!("grpc_{:?}", status.code()).to_lowercase();
    let answered = std::error::Error::source(status).is_none();
    let because = |class| error(class, &code, status.message());
    let later = || Outcome::Later(Later { error: because(ErrorClass::Retryable), ..Later::default() });
    if never_sent {
        return later();
    }
    match status.code() {
        // Not set up there (yet), or not for us: a person must look at the account.
        Code::NotFound | Code::FailedPrecondition | Code::Unauthenticated | Code::PermissionDenied
            if answered =>
        {
            Outcome::Auth(because(ErrorClass::Auth))
        }
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented if answered => {
            Outcome::Failed(because(ErrorClass::Permanent))
        }
        Code::Unavailable | Code::ResourceExhausted if answered => later(),
        _ => Outcome::InDoubt(because(ErrorClass::InDoubt)),
    }
}

/// The channel did not answer in time.
pub(crate) fn timed_out() -> Outcome {
    Outcome::InDoubt(error(ErrorClass::InDoubt, "deadline", "the channel did not answer in time"))
}

/// An error of our own making.
pub(crate) fn error(class: ErrorClass, code: &str, text: &str) -> DeliveryError {
    DeliveryError { error_class: class.into(), code: code.to_owned(), text: text.to_owned() }
}

/// A channel may leave the class to the outcome.
fn classed(mut error: DeliveryError, class: ErrorClass) -> DeliveryError {
    if error.error_class() == ErrorClass::Unspecified {
        error.set_error_class(class);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use heliograph_proto::v1::RetryLater;

    fn said(outcome: deliver_response::Outcome) -> Outcome {
        of_response(DeliverResponse { outcome: Some(outcome) })
    }

    #[test]
    fn a_channels_word_is_taken_as_it_is() {
        use deliver_response::Outcome as Said;
        let plain = DeliveryError::default();
        assert_eq!(said(Said::Delivered(Delivered::default())).label(), "delivered");
        assert_eq!(said(Said::Permanent(plain.clone())).label(), "permanent");
        assert_eq!(said(Said::Permanent(error(ErrorClass::OptedOut, "21610", ""))).label(), "opted_out");
        assert_eq!(said(Said::WindowClosed(plain.clone())).label(), "window_closed");
        assert_eq!(said(Said::Auth(plain.clone())).label(), "auth");
        assert_eq!(said(Said::InDoubt(plain)).label(), "in_doubt");
        let wait = heliograph_proto::Duration { seconds: 7, nanos: 500_000_000 };
        let later = RetryLater { retry_after: Some(wait), error: None, account_wide: true };
        let Outcome::Later(later) = said(Said::RetryLater(later)) else { panic!("later") };
        assert_eq!(later.after, Some(Duration::from_millis(7_500)));
        assert!(later.account_wide && later.by_provider);
        assert_eq!(later.error.error_class(), ErrorClass::Retryable);
        assert_eq!(of_response(DeliverResponse { outcome: None }).label(), "in_doubt");
    }

    #[test]
    fn a_broken_call_is_in_doubt_unless_it_never_left() {
        let broken = |code| {
            let mut status = Status::new(code, "x");
            status.set_source(std::sync::Arc::new(std::io::Error::other("reset")));
            status
        };
        for code in
            [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::DeadlineExceeded, Code::NotFound]
        {
            assert_eq!(of_status(&broken(code), false).label(), "in_doubt", "{code:?}");
            assert_eq!(of_status(&broken(code), true).label(), "unreachable", "{code:?}");
        }
        let answered = |code| of_status(&Status::new(code, "x"), false).label();
        assert_eq!(answered(Code::Unavailable), "unreachable");
        assert_eq!(answered(Code::NotFound), "auth");
        assert_eq!(answered(Code::InvalidArgument), "permanent");
        for open in [Code::Internal, Code::Unknown, Code::DeadlineExceeded, Code::Aborted] {
            assert_eq!(answered(open), "in_doubt", "{open:?}");
        }
    }
}
