//! What is in force: every tenant's policy and accounts, ready to decide by. Rebuilt when a resource changes.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use heliograph_domain::resources::{ChannelAccountSpec, SenderIdentity};
use heliograph_policy::{CompiledPolicy, Shelf};
use heliograph_store::resources::Snapshot;

use crate::line::spec_of;

/// A tenant's account in use.
#[derive(Debug, Clone)]
pub(crate) struct AccountInUse {
    pub(crate) name: String,
    pub(crate) channel: String,
    /// Where its customers are taken to be when nothing better is known.
    pub(crate) region: Option<String>,
    /// What kind of sender it writes as.
    pub(crate) sender: Option<SenderIdentity>,
}

/// What holds for one tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) policy: Arc<CompiledPolicy>,
    pub(crate) accounts: Vec<AccountInUse>,
}

impl Tenant {
    /// The account of this name, if it is in use.
    pub(crate) fn account(&self, name: &str) -> Option<&AccountInUse> {
        self.accounts.iter().find(|account| account.name == name)
    }

    /// Channels on which it has an account in use.
    pub(crate) fn available(&self) -> Vec<&str> {
        let mut channels: Vec<&str> = Vec::new();
        for account in &self.accounts {
            if !channels.contains(&account.channel.as_str()) {
                channels.push(&account.channel);
            }
        }
        channels
    }
}

#[derive(Debug, Default)]
struct Open {
    shelf: Shelf,
    tenants: HashMap<String, Arc<Tenant>>,
}

/// The book of all tenants, as it stands now.
#[derive(Debug, Default)]
pub(crate) struct Book(RwLock<Open>);

impl Book {
    /// What holds for a tenant. One that nothing is known of may write to nobody.
    pub(crate) fn tenant(&self, tenant: &str) -> Arc<Tenant> {
        let open = self.0.read().unwrap_or_else(PoisonError::into_inner);
        open.tenants.get(tenant).map_or_else(
            || Arc::new(Tenant { policy: open.shelf.of(tenant), accounts: Vec::new() }),
            Arc::clone,
        )
    }

    /// Takes in what the resources say now. A policy that cannot be used leaves the last good one in force. Who decides
    /// meanwhile decides by what held before.
    pub(crate) fn rewrite(&self, resources: &Snapshot) {
        let before = self.0.read().unwrap_or_else(PoisonError::into_inner).shelf.clone();
        let (shelf, unusable) = Shelf::build(resources.iter().map(|stored| &**stored), &before);
        for unusable in unusable {
            tracing::error!(
                tenant = unusable.tenant,
                policy = unusable.policy,
                version = unusable.version,
                error = %unusable.error,
                "a policy cannot be used; the last good one stays in force"
            );
        }
        let mut accounts: HashMap<String, Vec<AccountInUse>> = HashMap::new();
        for stored in resources.iter() {
            let accounts = accounts.entry(stored.resource.metadata.tenant.clone()).or_default();
            if let Some(spec) = spec_of(stored).filter(|spec| spec.enabled) {
                accounts.push(AccountInUse {
                    name: stored.resource.metadata.name.clone(),
                    channel: spec.channel.clone(),
                    region: spec.region.clone(),
                    sender: sender(spec),
                });
            }
        }
        let tenants = accounts
            .into_iter()
            .map(|(name, accounts)| {
                let policy = shelf.of(&name);
                (name, Arc::new(Tenant { policy, accounts }))
            })
            .collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Open { shelf, tenants };
    }
}

/// What kind of sender an account writes as: as it says, else as its `sender` setting looks.
fn sender(spec: &ChannelAccountSpec) -> Option<SenderIdentity> {
    let shown = spec.settings.get("sender").and_then(serde_json::Value::as_str);
    SenderIdentity::of(shown.unwrap_or_default(), spec.sender_identity)
}
