//! What can go wrong.

use heliograph_fabric::{ProvisionError, PublishError};
use heliograph_runtime::{grpc::GrpcChannel, http::ServerError};
use heliograph_store::{KvError, contacts::ContactError, deliveries::DeliveryError};

/// Why egress cannot run.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// The broker lacks streams.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// A bucket cannot be opened.
    #[error("a bucket cannot be opened")]
    Bucket(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A channel's name or endpoint is no such thing.
    #[error("channel `{channel}`: {reason}")]
    Channel {
        /// The name as configured.
        channel: String,
        /// What is wrong.
        reason: String,
    },
    /// The gRPC server failed.
    #[error(transparent)]
    Server(#[from] ServerError),
}

impl EgressError {
    pub(crate) fn bucket(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Bucket(Box::new(source))
    }
}

/// The client of one channel.
pub(crate) type Client = heliograph_proto::v1::channel_service_client::ChannelServiceClient<GrpcChannel>;

/// Why work on one message stopped before it had an end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It will never work: a fault of the item.
    #[error("{error}")]
    Poison {
        /// Machine-readable reason of the dead letter.
        reason: &'static str,
        /// For people. No customer content.
        error: String,
    },
    /// Something we stand on is away: not the item's fault, so it waits.
    #[error("{0}")]
    Away(String),
    /// The partition is handed over: the next owner goes on.
    #[error("the partition is handed over")]
    Stopping,
    /// The partition is not ours any more.
    #[error("the partition is not ours any more")]
    Lost,
}

impl Failure {
    pub(crate) fn poison(reason: &'static str, error: impl Into<String>) -> Self {
        Self::Poison { reason, error: error.into() }
    }
}

impl From<KvError> for Failure {
    fn from(error: KvError) -> Self {
        if error.is_retryable() { Self::Away(chain(&error)) } else { Self::poison("store", chain(&error)) }
    }
}

impl From<ContactError> for Failure {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Kv(error) => error.into(),
            ContactError::Unknown { .. } | ContactError::NotTheirs { .. } => {
                Self::poison("no_contact", chain(&error))
            }
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Kv(error) => error.into(),
            // Whoever superseded us goes on with the item.
            DeliveryError::Superseded => Self::Lost,
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Fenced => Self::Lost,
            PublishError::TooLarge { .. } => Self::poison("too_large", chain(&error)),
            PublishError::Refused { .. } | PublishError::Conflict { .. } => {
                Self::poison("refused_by_broker", chain(&error))
            }
            _ => Self::Away(chain(&error)),
        }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
