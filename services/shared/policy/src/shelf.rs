//! The policies and accounts of all tenants, ready to decide by.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use heliograph_domain::resources::{CalendarSpec, ChannelPolicySpec, Spec, Stored};

use crate::{Account, CompileError, CompiledPolicy, TenantPolicy};

/// The policy that counts when a tenant has several; without it, the first by name.
const POLICY: &str = "default";

/// What holds for each tenant, at one moment: the one place that services take policies and accounts in use from.
#[derive(Debug, Default, Clone)]
pub struct Shelf {
    tenants: HashMap<String, Arc<TenantPolicy>>,
    /// Policies that cannot be used: tenant, name and version.
    unusable: BTreeSet<(String, String, u64)>,
}

/// A policy that cannot be used: the last good one stays in force.
#[derive(Debug, thiserror::Error)]
#[error("version {version} of policy {policy} cannot be used; the last good one stays in force")]
pub struct Unusable {
    /// The tenant.
    pub tenant: String,
    /// The policy's name.
    pub policy: String,
    /// Its version.
    pub version: u64,
    /// Why.
    #[source]
    pub error: CompileError,
}

impl Shelf {
    /// Compiles what changed since `before`, and says which policies cannot be used that were not said to be before.
    pub fn build<'a>(
        resources: impl IntoIterator<Item = &'a Stored>,
        before: &Self,
    ) -> (Self, Vec<Unusable>) {
        let mut shelf = Self::default();
        let mut unusable = Vec::new();
        for (name, tenant) in gathered(resources) {
            let held = before.tenants.get(name).map(|held| &held.policy);
            let policy = match tenant.compile(held) {
                Ok(policy) => policy,
                Err((policy, version, error)) => {
                    let named = (name.to_owned(), policy.to_owned(), version);
                    if !before.unusable.contains(&named) {
                        let (tenant, policy, version) = named.clone();
                        unusable.push(Unusable { tenant, policy, version, error });
                    }
                    shelf.unusable.insert(named);
                    held.map(Arc::clone)
                }
            };
            let policy = policy.unwrap_or_else(|| Arc::clone(&TenantPolicy::nothing().policy));
            shelf.tenants.insert(name.to_owned(), Arc::new(TenantPolicy::new(policy, tenant.accounts)));
        }
        (shelf, unusable)
    }

    /// What holds for a tenant.
    pub fn tenant(&self, name: &str) -> Arc<TenantPolicy> {
        self.tenants.get(name).map_or_else(TenantPolicy::nothing, Arc::clone)
    }

    /// A tenant's policy; one that allows nothing if the tenant has none.
    pub fn of(&self, tenant: &str) -> Arc<CompiledPolicy> {
        Arc::clone(&self.tenant(tenant).policy)
    }
}

/// What each tenant has.
fn gathered<'a>(resources: impl IntoIterator<Item = &'a Stored>) -> BTreeMap<&'a str, Tenant<'a>> {
    let mut found: BTreeMap<&str, Tenant<'_>> = BTreeMap::new();
    for stored in resources {
        let tenant = found.entry(&stored.resource.metadata.tenant).or_default();
        let name = &stored.resource.metadata.name;
        match &stored.resource.spec {
            Spec::ChannelPolicy(spec) => {
                let rank = |name: &str| (name != POLICY, name.to_owned());
                let better = |known: &Stored| rank(name) < rank(&known.resource.metadata.name);
                if tenant.policy.is_none_or(|(known, _)| better(known)) {
                    tenant.policy = Some((stored, spec));
                }
            }
            Spec::Calendar(spec) => {
                tenant.calendars.insert(name.clone(), spec.clone());
            }
            Spec::ChannelAccount(spec) => {
                tenant.accounts.extend(Account::in_use(spec).map(|account| (name.clone(), account)));
            }
            _ => {}
        }
    }
    found
}

/// What a tenant has that verdicts are made of.
#[derive(Default)]
struct Tenant<'a> {
    policy: Option<(&'a Stored, &'a ChannelPolicySpec)>,
    calendars: Calendars,
    accounts: BTreeMap<String, Account>,
}

impl<'a> Tenant<'a> {
    /// Its policy, if it has one; that which is held already where that is the same. Else the name and version of the
    /// policy, and what is wrong with it.
    fn compile(
        &self,
        held: Option<&Arc<CompiledPolicy>>,
    ) -> Result<Option<Arc<CompiledPolicy>>, (&'a str, u64, CompileError)> {
        let Some((stored, spec)) = self.policy else { return Ok(None) };
        let (name, version) = (stored.resource.metadata.name.as_str(), stored.version);
        if let Some(same) = held.filter(|held| held.is(name, version, &self.calendars)) {
            return Ok(Some(Arc::clone(same)));
        }
        match CompiledPolicy::compile(name, version, spec, &self.calendars) {
            Ok(compiled) => Ok(Some(Arc::new(compiled))),
            Err(error) => Err((name, version, error)),
        }
    }
}

/// A tenant's calendars by name.
pub type Calendars = BTreeMap<String, CalendarSpec>;
