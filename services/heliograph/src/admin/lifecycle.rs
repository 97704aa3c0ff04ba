//! Versions of a policy: what they said, who applied them, and how an old one comes back.

use heliograph_domain::resources::{ChannelPolicySpec, Kind, ResourceKey, Spec, Stored};
use heliograph_policy::Calendars;
use heliograph_store::resources::Revision;
use jiff::Timestamp;
use serde::Serialize;

use super::{Admin, AdminError, Manifest, compare::summary};

/// The policy that counts when a tenant has several.
const DEFAULT: &str = "default";

/// One step in the history of a policy.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// Its version; none for a deletion.
    pub version: Option<u64>,
    /// When.
    pub at: Timestamp,
    /// Who applied it; empty for a deletion.
    pub by: String,
    /// What changed.
    pub summary: String,
}

impl Admin {
    /// The policy of a tenant: the one named, or the one that counts.
    pub async fn policy(&self, tenant: &str, name: Option<&str>) -> Result<Stored, AdminError> {
        let found = self.list(Some(tenant), Some(Kind::ChannelPolicy)).await?;
        let by_name = |name: &str| found.iter().find(|stored| stored.resource.metadata.name == name);
        let policy = match name {
            Some(name) => by_name(name),
            None => by_name(DEFAULT).or_else(|| found.first()),
        };
        policy.cloned().ok_or_else(|| AdminError::NotFound(key(tenant, name.unwrap_or(DEFAULT))))
    }

    /// The calendars of a tenant.
    pub async fn calendars(&self, tenant: &str) -> Result<Calendars, AdminError> {
        let found = self.list(Some(tenant), Some(Kind::Calendar)).await?;
        let calendar = |stored: Stored| match stored.resource.spec {
            Spec::Calendar(spec) => Some((stored.resource.metadata.name, spec)),
            _ => None,
        };
        Ok(found.into_iter().filter_map(calendar).collect())
    }

    /// The history of a policy, as far as it is kept, the newest step first.
    pub async fn policy_history(&self, tenant: &str, name: Option<&str>) -> Result<Vec<Step>, AdminError> {
        let name = name.unwrap_or(DEFAULT);
        let key = key(tenant, name);
        let mut steps = Vec::new();
        let mut before: Option<ChannelPolicySpec> = None;
        for revision in self.resources.history(&key).await? {
            steps.push(match revision {
                Revision::Applied(stored) => {
                    let Spec::ChannelPolicy(spec) = stored.resource.spec else { continue };
                    let summary = match &before {
                        Some(before) => summary(before, &spec),
                        None if stored.version > 1 => "(what came before is not kept)".to_owned(),
                        None => format!("{} regions, {} rules", spec.regions.len(), spec.rules.len()),
                    };
                    before = Some(spec);
                    let (at, by) = (stored.applied_at, stored.applied_by);
                    Step { version: Some(stored.version), at, by, summary }
                }
                Revision::Deleted { at } => {
                    before = Some(ChannelPolicySpec::default());
                    Step { version: None, at, by: String::new(), summary: "deleted".to_owned() }
                }
                Revision::Unreadable { version, by, at, reason } => {
                    before = None;
                    Step { version, at, by, summary: format!("unreadable: {reason}") }
                }
            });
        }
        if steps.is_empty() {
            return Err(AdminError::NotFound(key));
        }
        steps.reverse();
        Ok(steps)
    }

    /// A policy as it was at a version.
    pub async fn policy_version(
        &self,
        tenant: &str,
        name: Option<&str>,
        version: u64,
    ) -> Result<Stored, AdminError> {
        self.get_version(&key(tenant, name.unwrap_or(DEFAULT)), version).await
    }

    /// What has to be applied to bring a version back.
    pub async fn rollback(
        &self,
        tenant: &str,
        name: Option<&str>,
        version: u64,
    ) -> Result<Manifest, AdminError> {
        let stored = self.policy_version(tenant, name, version).await?;
        let file = format!("version {version}");
        Ok(Manifest { file, text: stored.resource.to_json().to_string() })
    }
}

fn key(tenant: &str, name: &str) -> ResourceKey {
    ResourceKey { tenant: tenant.to_owned(), kind: Kind::ChannelPolicy, name: name.to_owned() }
}
