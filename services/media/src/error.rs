//! Why the service cannot start.

use heliograph_fabric::ProvisionError;
use heliograph_store::KvError;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
    /// The broker is not provisioned.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The key of links cannot be read.
    #[error("the key that links are signed with cannot be read")]
    Key(#[from] KvError),
    /// A channel of the configuration that is none.
    #[error("channels.{channel}: {reason}")]
    Channel {
        /// Its name.
        channel: String,
        /// What is wrong.
        reason: String,
    },
}
