//! Outcomes as `ChannelService/Deliver` answers them.

use heliograph_proto::{
    Duration,
    v1::{DeliverResponse, Delivered, DeliveryError, ErrorClass, RetryLater, deliver_response as wire},
};

use crate::Outcome;

impl Outcome {
    /// A short stable word for metrics and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Retry { rate_limited: true, .. } => "rate_limited",
            Self::Retry { .. } => "retry",
            Self::Permanent { .. } => "permanent",
            Self::OptedOut { .. } => "opted_out",
            Self::WindowClosed { .. } => "window_closed",
            Self::Auth { .. } => "auth",
            Self::InDoubt { .. } => "in_doubt",
        }
    }
}

impl From<Outcome> for DeliverResponse {
    fn from(outcome: Outcome) -> Self {
        let error = |class: ErrorClass, code, text| DeliveryError { error_class: class.into(), code, text };
        let outcome = match outcome {
            Outcome::Delivered { provider_message_id, provider_part_ids, parts } => {
                wire::Outcome::Delivered(Delivered { provider_message_id, provider_part_ids, parts })
            }
            Outcome::Retry { after, account_wide, rate_limited, code, text } => {
                let class = if rate_limited { ErrorClass::RateLimited } else { ErrorClass::Retryable };
                wire::Outcome::RetryLater(RetryLater {
                    retry_after: after.map(|after| Duration {
                        seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
                        nanos: i32::try_from(after.subsec_nanos()).unwrap_or(0),
                    }),
                    error: Some(error(class, code, text)),
                    account_wide,
                })
            }
            Outcome::Permanent { code, text } => {
                wire::Outcome::Permanent(error(ErrorClass::Permanent, code, text))
            }
            Outcome::OptedOut { code, text } => {
                wire::Outcome::Permanent(error(ErrorClass::OptedOut, code, text))
            }
            Outcome::WindowClosed { code, text } => {
                wire::Outcome::WindowClosed(error(ErrorClass::WindowClosed, code, text))
            }
            Outcome::Auth { code, text, .. } => wire::Outcome::Auth(error(ErrorClass::Auth, code, text)),
            Outcome::InDoubt { code, text, for_good } => {
                let class = if for_good { ErrorClass::Permanent } else { ErrorClass::InDoubt };
                wire::Outcome::InDoubt(error(class, code, text))
            }
        };
        Self { outcome: Some(outcome) }
    }
}
