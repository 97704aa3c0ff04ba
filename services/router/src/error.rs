//! What can go wrong.

use heliograph_fabric::{BrokerError, CursorError, DeadError, LogError, ProvisionError, PublishError};
use heliograph_store::{KvError, contacts::ContactError, deliveries::DeliveryError, objects::ObjectError};

/// Why the router cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    /// The broker lacks streams.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// A bucket cannot be opened.
    #[error("a bucket cannot be opened")]
    Bucket(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl RouterError {
    pub(crate) fn bucket(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Bucket(Box::new(source))
    }
}

/// Why work on a partition ended before it was asked to. It is taken up again a second later, by us or another member.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PartitionError {
    #[error("the log cannot be read")]
    Log(#[from] LogError),
    #[error("the cursor cannot be moved")]
    Cursor(#[from] CursorError),
    #[error("the broker could not be asked")]
    Broker(#[from] BrokerError),
    #[error("the snapshot store failed")]
    Objects(#[from] ObjectError),
    #[error(
        "the log is erased up to {erased}, and the newest snapshot that can be read stands at {restored}: bring HG_SNAPSHOTS back, or a copy of it"
    )]
    Truncated { restored: u64, erased: u64 },
    #[error("what was decided cannot be published")]
    Publish(#[from] PublishError),
    #[error("a dead letter cannot be stored")]
    Dead(#[from] DeadError),
}

/// Why one inbound event could not be handled.
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
    /// It may work after a few tries, or it is the item's fault.
    #[error("{0}")]
    Failed(String),
    /// Something we stand on is away: not the item's fault, so it waits.
    #[error("{0}")]
    Away(String),
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
        if error.is_retryable() { Self::Away(chain(&error)) } else { Self::Failed(chain(&error)) }
    }
}

impl From<ContactError> for Failure {
    fn from(error: ContactError) -> Self {
        match error {
            ContactError::Kv(error) => error.into(),
            ContactError::Unknown { .. } | ContactError::NotTheirs { .. } => Self::Failed(chain(&error)),
        }
    }
}

impl From<DeliveryError> for Failure {
    fn from(error: DeliveryError) -> Self {
        match error {
            DeliveryError::Kv(error) => error.into(),
            DeliveryError::Superseded => Self::Failed(chain(&error)),
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Fenced => Self::Lost,
            PublishError::TooLarge { .. } => Self::poison("too_large", chain(&error)),
            PublishError::Refused { .. } | PublishError::Conflict { .. } => Self::Failed(chain(&error)),
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
