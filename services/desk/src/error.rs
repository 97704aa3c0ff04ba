//! Why the desk cannot run.

use heliograph_fabric::ProvisionError;
use heliograph_runtime::http::ServerError;

/// Why the desk cannot start, or ended.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A setting that cannot work.
    #[error("{0}")]
    Config(String),
    /// The broker is not provisioned.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// A bucket cannot be opened.
    #[error("a bucket cannot be opened: {0}")]
    Bucket(String),
    /// A server cannot start.
    #[error(transparent)]
    Server(#[from] ServerError),
}
