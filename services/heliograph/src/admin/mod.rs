//! What operators do to a fleet: apply, read and delete resources, ask policy, look at customers, look after dead letters.
//!
//! The command line and `AdminService` are two faces of this module; neither decides anything of its own.

mod apply;
mod compare;
mod contacts;
mod dead;
mod error;
mod explain;
mod known;
mod lifecycle;
mod mask;
mod replay;
mod route;
mod sandboxed;
mod service;
mod wire;

use heliograph_domain::resources::{Kind, ResourceKey, Stored, references};
use heliograph_fabric::{DeadLetters, Fabric};
use heliograph_runtime::config::mask_option;
use heliograph_store::resources::{Expect, ResourceStore};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

pub use apply::{Action, Changed, Manifest, Planned};
pub use compare::{Decided, Shift, fields as policy_fields, shifts, summary};
pub use contacts::{Card, Who};
pub use error::AdminError;
pub use explain::{Explained, Known, Question, explain};
pub use lifecycle::Step;
pub use mask::masked;
pub use replay::{Replay, Turned};
pub use route::{RouteQuestion, Routed, explain_route};
pub use sandboxed::{FILLED, Sandboxed};
pub use service::AdminApi;
pub use wire::letter as letter_on_wire;

#[cfg(test)]
pub(crate) use apply::check as check_manifests;
pub(crate) use apply::{check_routing, read as read_manifests, shown};

/// The section `admin` of the configuration.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminSettings {
    /// Bearer token that callers of `AdminService` show. Without one the service refuses to start.
    #[serde(serialize_with = "mask_option")]
    pub token: Option<SecretString>,
    /// In development: where accounts without addresses of their own are pointed to.
    pub sandbox: Option<Sandboxed>,
}

/// How resources are taken.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Accept secrets that stand in the resource itself: development alone.
    pub inline_secrets: bool,
    /// Point accounts without addresses of their own at a sandbox.
    pub sandbox: Option<Sandboxed>,
    /// Channels that egress can reach, as the configuration says: some may be of somebody else's making, and their
    /// accounts' settings are theirs to check.
    pub channels: Vec<String>,
}

/// The operators' functions on one fleet. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admin {
    fabric: Fabric,
    resources: ResourceStore,
    letters: DeadLetters,
    rules: Rules,
}

impl Admin {
    /// Opens the fleet that `fabric` reaches.
    ///
    /// # Errors
    /// When the broker is not provisioned or cannot be asked.
    pub async fn open(fabric: &Fabric, rules: Rules) -> Result<Self, AdminError> {
        fabric.check().await?;
        Ok(Self {
            fabric: fabric.clone(),
            resources: ResourceStore::open(fabric.jetstream()).await?,
            letters: DeadLetters::new(fabric),
            rules,
        })
    }

    /// The broker this works on.
    pub fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// Resources of a tenant, or of all; of one kind, or of all. Ordered by tenant, kind and name.
    pub async fn list(&self, tenant: Option<&str>, kind: Option<Kind>) -> Result<Vec<Stored>, AdminError> {
        let Some(tenant) = tenant else {
            let all = self.resources.list_all().await?;
            return Ok(all
                .into_iter()
                .filter(|stored| kind.is_none_or(|kind| stored.resource.kind() == kind))
                .collect());
        };
        Ok(self.resources.list(tenant, kind).await?)
    }

    /// One resource as it is now.
    pub async fn get(&self, key: &ResourceKey) -> Result<Stored, AdminError> {
        self.resources.get(key).await?.ok_or_else(|| AdminError::NotFound(key.clone()))
    }

    /// One resource as it was at a version, as far as history is kept.
    pub async fn get_version(&self, key: &ResourceKey, version: u64) -> Result<Stored, AdminError> {
        use heliograph_store::resources::Revision;
        let history = self.resources.history(key).await?;
        let found = history.into_iter().find_map(|revision| match revision {
            Revision::Applied(stored) if stored.version == version => Some(*stored),
            _ => None,
        });
        found.ok_or_else(|| AdminError::NoVersion { key: key.clone(), version })
    }

    /// Deletes a resource; its history stays. Refused while another resource refers to it.
    pub async fn delete(&self, key: &ResourceKey, dry_run: bool) -> Result<Changed, AdminError> {
        let stored = self.get(key).await?;
        let users: Vec<String> = self
            .resources
            .list(&key.tenant, None)
            .await?
            .iter()
            .filter(|other| other.resource.key() != *key)
            .filter(|other| references(&other.resource).iter().any(|(_, named)| named == key))
            .map(|other| other.resource.key().to_string())
            .collect();
        if !users.is_empty() {
            return Err(AdminError::InUse { key: key.clone(), users });
        }
        if !dry_run {
            self.resources.delete(key, Expect::Version(stored.version)).await?;
        }
        Ok(Changed {
            key: key.clone(),
            action: Action::Deleted,
            version: stored.version,
            fields: Vec::new(),
            stored: Some(stored),
        })
    }
}
