//! Why an operator's wish was not granted.

use heliograph_domain::resources::{Problems, ResourceKey};
use heliograph_fabric::{ProvisionError, dead::DeadError};
use heliograph_store::resources::ResourceError;

/// What can go wrong. Messages say what to do next.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Resource files that cannot be applied; every problem names file, line and field.
    #[error(transparent)]
    Problems(#[from] Problems),
    /// Nothing to apply.
    #[error("there is no resource in what was given")]
    Empty,
    /// No such resource.
    #[error("{0} does not exist in tenant {tenant:?}; `heliograph get {kind} --tenant {tenant}` lists what does", tenant = .0.tenant, kind = .0.kind)]
    NotFound(ResourceKey),
    /// No such version in what is kept of the history.
    #[error("{key} has no version {version}, or it is no longer kept")]
    NoVersion {
        /// Which resource.
        key: ResourceKey,
        /// The version asked for.
        version: u64,
    },
    /// Others refer to it.
    #[error("{key} is used by {}; change or delete those first", users.join(", "))]
    InUse {
        /// Which resource.
        key: ResourceKey,
        /// Who refers to it.
        users: Vec<String>,
    },
    /// A question that cannot be answered as it is put.
    #[error("{field}: {problem}")]
    Question {
        /// The part of the question.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The policy that is stored cannot be used.
    #[error(transparent)]
    Policy(#[from] heliograph_policy::CompileError),
    /// A routing rule that is stored cannot be used.
    #[error(transparent)]
    Routing(#[from] heliograph_routing::Unusable),
    /// Nobody is known by this id or address.
    #[error("{0:?} is no contact of the tenant")]
    NoContact(String),
    /// The broker is not laid out.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// The store refused or is away.
    #[error(transparent)]
    Store(#[from] ResourceError),
    /// Contacts cannot be read.
    #[error(transparent)]
    Contacts(#[from] heliograph_store::contacts::ContactError),
    /// A bucket cannot be read.
    #[error(transparent)]
    Bucket(#[from] heliograph_store::KvError),
    /// A stream cannot be read.
    #[error(transparent)]
    Log(#[from] heliograph_fabric::LogError),
    /// The broker does not answer.
    #[error(transparent)]
    Broker(#[from] heliograph_fabric::BrokerError),
    /// A dead letter is not there, or the broker is away.
    #[error(transparent)]
    Dead(#[from] DeadError),
}

impl AdminError {
    /// Whether what was asked for is wrong, rather than the fleet.
    pub fn is_bad_input(&self) -> bool {
        matches!(self, Self::Problems(_) | Self::Empty | Self::Question { .. })
    }
}
