//! What can go wrong.

use heliograph_fabric::{BrokerError, LogError, ProvisionError};
use heliograph_runtime::http::ServerError;

/// Why the service cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
    /// The broker is not provisioned.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// A server cannot start.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Why a subscription is not opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// No token, or none of ours.
    #[error("a valid API token is needed: `Authorization: Bearer …`")]
    NoToken,
    /// The token is another tenant's.
    #[error("this token is not for that tenant")]
    OtherTenant,
    /// A filter that cannot match anything.
    #[error("{0}")]
    BadFilter(String),
    /// Nobody said where media are reached.
    #[error("there are no links to media here: `media.public_url` is not set")]
    NoLinks,
    /// The stream ends before the place to go on from.
    #[error("the stream has not come to that sequence; it is another stream, or lost events")]
    OutOfRange,
    /// The stream cannot be read now.
    #[error("the stream cannot be read now")]
    Away(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Regressed { .. } => Self::OutOfRange,
            other => Self::Away(Box::new(other)),
        }
    }
}

impl From<BrokerError> for Refusal {
    fn from(error: BrokerError) -> Self {
        Self::Away(Box::new(error))
    }
}
