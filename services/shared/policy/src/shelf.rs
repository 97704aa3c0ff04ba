//! The policies of all tenants, ready to decide by.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock},
};

use heliograph_domain::resources::{CalendarSpec, ChannelPolicySpec, Spec, Stored};

use crate::{CompileError, CompiledPolicy};

/// The policy that counts when a tenant has several; without it, the first by name.
const POLICY: &str = "default";

/// The policy of tenants that have none.
static NOTHING: LazyLock<Arc<CompiledPolicy>> = LazyLock::new(|| Arc::new(CompiledPolicy::nothing()));

/// Compiled policies by tenant, of one moment.
#[derive(Debug, Default, Clone)]
pub struct Shelf {
    tenants: HashMap<String, Arc<CompiledPolicy>>,
}

/// A policy that cannot be used: the last good one stays in force.
#[derive(Debug)]
pub struct Unusable {
    /// The tenant.
    pub tenant: String,
    /// The policy's name.
    pub policy: String,
    /// Its version.
    pub version: u64,
    /// Why.
    pub error: CompileError,
}

impl Shelf {
    /// Compiles what changed since `before`, and says which policies cannot be used.
    pub fn build<'a>(
        resources: impl IntoIterator<Item = &'a Stored>,
        before: &Self,
    ) -> (Self, Vec<Unusable>) {
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
                _ => {}
            }
        }
        let mut shelf = Self::default();
        let mut unusable = Vec::new();
        for (name, tenant) in found {
            let Some((stored, spec)) = tenant.policy else { continue };
            let held = before.tenants.get(name);
            let policy = &stored.resource.metadata.name;
            let same = held.filter(|held| held.is(policy, stored.version, &tenant.calendars));
            let compiled = match same {
                Some(same) => Some(Arc::clone(same)),
                None => match CompiledPolicy::compile(policy, stored.version, spec, &tenant.calendars) {
                    Ok(compiled) => Some(Arc::new(compiled)),
                    Err(error) => {
                        let (tenant, policy) = (name.to_owned(), policy.clone());
                        unusable.push(Unusable { tenant, policy, version: stored.version, error });
                        held.map(Arc::clone)
                    }
                },
            };
            if let Some(compiled) = compiled {
                shelf.tenants.insert(name.to_owned(), compiled);
            }
        }
        (shelf, unusable)
    }

    /// A tenant's policy; one that allows nothing if the tenant has none.
    pub fn of(&self, tenant: &str) -> Arc<CompiledPolicy> {
        self.tenants.get(tenant).map_or_else(|| Arc::clone(&NOTHING), Arc::clone)
    }
}

/// What a tenant has that policies are made of.
#[derive(Default)]
struct Tenant<'a> {
    policy: Option<(&'a Stored, &'a ChannelPolicySpec)>,
    calendars: Calendars,
}

/// A tenant's calendars by name.
pub type Calendars = BTreeMap<String, CalendarSpec>;
