//! What is in force: every tenant's policy and accounts, ready to decide by. Rebuilt when a resource changes.

use std::sync::{Arc, PoisonError, RwLock};

use heliograph_policy::{Shelf, TenantPolicy};
use heliograph_store::resources::Snapshot;

use crate::error::chain;

/// The book of all tenants, as it stands now.
#[derive(Debug, Default)]
pub(crate) struct Book(RwLock<Shelf>);

impl Book {
    /// What holds for a tenant. One that nothing is known of may write to nobody.
    pub(crate) fn tenant(&self, tenant: &str) -> Arc<TenantPolicy> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).tenant(tenant)
    }

    /// Takes in what the resources say now. A policy that cannot be used leaves the last good one in force. Who decides
    /// meanwhile decides by what held before.
    pub(crate) fn rewrite(&self, resources: &Snapshot) {
        let before = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (shelf, unusable) = Shelf::build(resources.iter().map(|stored| &**stored), &before);
        for found in unusable {
            tracing::error!(tenant = found.tenant, error = chain(&found), "a policy cannot be used");
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = shelf;
    }
}
