//! The tenants' policies in force, and what stands beside them.

use std::sync::Arc;

use heliograph_domain::resources::{ChannelPolicySpec, Kind, ResourceKey, Spec};
use heliograph_policy::{Account, CompiledPolicy, Shelf, TenantPolicy};
use heliograph_store::resources::{ResourceView, Snapshot};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Follows the resources. Cheap to clone; the following ends with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Policies {
    shelf: watch::Receiver<Arc<Shelf>>,
    resources: ResourceView,
    _task: Arc<AbortOnDropHandle<()>>,
}

/// A tenant's policy as it was declared.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) spec: ChannelPolicySpec,
    pub(crate) version: u64,
    pub(crate) applied_by: String,
    pub(crate) applied_at: Timestamp,
}

impl Policies {
    pub(crate) fn start(resources: ResourceView) -> Self {
        let first = build(&resources.snapshot(), &Shelf::default());
        let (sender, shelf) = watch::channel(Arc::new(first));
        let mut view = resources.clone();
        let task = tokio::spawn(async move {
            loop {
                let snapshot = view.changed().await;
                let before = sender.borrow().clone();
                sender.send_replace(Arc::new(build(&snapshot, &before)));
            }
        });
        Self { shelf, resources, _task: Arc::new(AbortOnDropHandle::new(task)) }
    }

    /// What holds for the tenant.
    pub(crate) fn tenant(&self, name: &str) -> Arc<TenantPolicy> {
        self.shelf.borrow().tenant(name)
    }

    /// The tenant's policy in force.
    pub(crate) fn of(&self, tenant: &str) -> Arc<CompiledPolicy> {
        self.shelf.borrow().of(tenant)
    }

    /// The newest version of the tenant's policy as it was declared; it is not in force if it cannot be compiled.
    pub(crate) fn declared(&self, tenant: &str, policy: &CompiledPolicy) -> Option<Declared> {
        let snapshot = self.resources.snapshot();
        let (tenant, name) = (tenant.to_owned(), policy.name().to_string());
        let stored = snapshot.get(&ResourceKey { tenant, kind: Kind::ChannelPolicy, name })?;
        let Spec::ChannelPolicy(spec) = &stored.resource.spec else { return None };
        Some(Declared {
            spec: spec.clone(),
            version: stored.version,
            applied_by: stored.applied_by.clone(),
            applied_at: stored.applied_at,
        })
    }

    /// The tenant's accounts in use, sorted by their names.
    pub(crate) fn accounts(&self, tenant: &str) -> Vec<(String, Account)> {
        let tenant = self.tenant(tenant);
        tenant.accounts().map(|(name, account)| (name.to_owned(), account.clone())).collect()
    }

    /// Name and language of the tenant, as customers read them.
    pub(crate) fn company(&self, tenant: &str) -> (String, String) {
        let snapshot = self.resources.snapshot();
        let key = ResourceKey { tenant: tenant.to_owned(), kind: Kind::Tenant, name: tenant.to_owned() };
        match snapshot.get(&key).map(|stored| &stored.resource.spec) {
            Some(Spec::Tenant(spec)) => (spec.display_name.clone(), spec.locale.clone()),
            _ => (tenant.to_owned(), "en".to_owned()),
        }
    }
}

fn build(snapshot: &Snapshot, before: &Shelf) -> Shelf {
    let (shelf, unusable) = Shelf::build(snapshot.iter().map(|stored| &**stored), before);
    for found in unusable {
        let error: &dyn std::error::Error = &found;
        tracing::error!(tenant = found.tenant, error, "a policy cannot be used");
    }
    shelf
}
