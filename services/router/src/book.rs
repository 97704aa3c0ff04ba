//! What tenants configured, ready to be asked: compiled policies, routing rules, accounts, pools.
//!
//! Rebuilt from the resources whenever they change. Nothing in here does I/O.

mod hours;
mod pool;
mod verdict;
mod wanted;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use heliograph_assignment::PoolConfig;
use heliograph_domain::{
    ids,
    resources::{Spec, Stored},
};
use heliograph_policy::{CompiledPolicy, Shelf, TenantPolicy};
use heliograph_proto::v1::{Capabilities, Configuration, WindowRule};
use heliograph_routing::Routing;
use heliograph_store::resources::Snapshot;

use crate::error::chain;
pub(crate) use hours::Day;
pub(crate) use verdict::{Asked, judge, region};
pub(crate) use wanted::{Saying, wanted};

/// The window that a customer's message opens.
const MESSAGE_WINDOW: &str = "message";
/// The window that an advertisement opens, and what [`heliograph_proto::v1::Referral::source`] calls one.
const AD_WINDOW: &str = "ad";

/// What is known of the channels, as the binary that links them says.
pub(crate) type Channels = Arc<BTreeMap<String, Capabilities>>;

/// What the process knows beside the resources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setting {
    pub(crate) channels: Channels,
    /// Where this process runs, for data residency; none where it is not to be looked at.
    pub(crate) site: Option<Arc<str>>,
}

/// Every tenant's configuration at one moment.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Grows with every change of any resource.
    pub(crate) revision: u64,
    /// The day it was built for: opening hours are told from then on.
    pub(crate) day: Day,
    tenants: HashMap<String, Arc<Tenant>>,
    shelf: Shelf,
    /// Routing rules that cannot be used: tenant, name and version.
    unusable: BTreeSet<(String, String, u64)>,
    setting: Setting,
}

/// One tenant's configuration.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// The policy with the accounts in use.
    in_force: Arc<TenantPolicy>,
    /// The name people read.
    pub(crate) display_name: String,
    /// The language that the system itself speaks where the customer's is not known.
    pub(crate) locale: String,
    routing: Routing,
    pool: Pool,
}

/// A tenant's pool as the machine is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    /// [`PoolConfig`], and how customers are told their place. Without a version.
    pub(crate) configuration: Configuration,
    /// Names the content.
    pub(crate) digest: String,
}

impl Pool {
    fn of(config: &PoolConfig, locale: &str, channels: &Channels) -> Self {
        let json = serde_json::to_string(config).expect("maps with plain keys serialize");
        let showing = channels.iter().filter(|(_, capabilities)| capabilities.shows_waiting);
        let configuration = Configuration {
            version: 0,
            json,
            locale: locale.to_owned(),
            shows_waiting: showing.map(|(channel, _)| channel.clone()).collect(),
            ..Configuration::default()
        };
        Self { digest: digest(&configuration), configuration }
    }

    /// The pool of a tenant whose resources are gone.
    pub(crate) fn empty() -> Self {
        Self::of(&PoolConfig::default(), "", &Channels::default())
    }
}

/// Names what a configuration says, whatever its version.
pub(crate) fn digest(configuration: &Configuration) -> String {
    let Configuration { version: _, json, locale, shows_waiting, deflated: _ } = configuration;
    let mut parts = vec![json.as_str(), locale.as_str()];
    parts.extend(shows_waiting.iter().map(String::as_str));
    ids::derive("cfg", &parts)
}

impl Book {
    /// Reads the resources. A policy that did not change is taken over from `before`; one that cannot be used leaves the
    /// last good one in force, which is said once for each version. For one day it is the same on every replica.
    pub(crate) fn build(snapshot: &Snapshot, setting: &Setting, day: Day, before: &Self) -> Self {
        let (shelf, unusable) = Shelf::build(snapshot.iter().map(|stored| &**stored), &before.shelf);
        for found in unusable {
            tracing::error!(tenant = found.tenant, error = chain(&found), "a policy cannot be used");
        }
        let mut by_tenant: BTreeMap<&str, Vec<&Stored>> = BTreeMap::new();
        for stored in snapshot.iter() {
            by_tenant.entry(&stored.resource.metadata.tenant).or_default().push(stored);
        }
        let mut tenants = HashMap::new();
        let mut unusable = BTreeSet::new();
        for (name, resources) in by_tenant {
            let (routing, left_out) = Routing::build(resources.iter().copied());
            for found in left_out {
                let rule = (name.to_owned(), found.rule.clone(), found.version);
                if !before.unusable.contains(&rule) {
                    tracing::error!(tenant = name, error = chain(&found), "a routing rule cannot be used");
                }
                unusable.insert(rule);
            }
            let tenant =
                Tenant::build(name, &resources, (&setting.channels, day), shelf.tenant(name), routing);
            tenants.insert(name.to_owned(), Arc::new(tenant));
        }
        let revision = snapshot.revision();
        Self { revision, day, tenants, shelf, unusable, setting: setting.clone() }
    }

    /// Where this process runs.
    pub(crate) fn site(&self) -> Option<&str> {
        self.setting.site.as_deref()
    }

    /// A tenant's configuration; none if nothing of the tenant is stored.
    pub(crate) fn tenant(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.tenants.get(name)
    }

    /// Every tenant's name and pool.
    pub(crate) fn pools(&self) -> impl Iterator<Item = (&str, &Pool)> {
        self.tenants.iter().map(|(name, tenant)| (name.as_str(), &tenant.pool))
    }

    /// Whether questions with options reach the channel's customers as numbered text, so that answers are typed.
    pub(crate) fn numbers_options(&self, channel: &str) -> bool {
        let known = self.setting.channels.get(channel);
        known.is_some_and(|known| !known.content.iter().any(|kind| kind == "choice"))
    }

    /// The rules of the messaging windows that an event opens, each with the account's own length and count.
    ///
    /// `named` is what the channel said: kinds with commas between them; where it says nothing, a message of the
    /// customer's opens `message`. `led_by` is what led the customer here: an advertisement opens a window of its own
    /// beside, where the channel has one.
    pub(crate) fn windows(
        &self,
        tenant: Option<&Tenant>,
        (channel, account): (&str, &str),
        named: &str,
        message: bool,
        led_by: &str,
    ) -> Vec<WindowRule> {
        let Some(known) = self.setting.channels.get(channel) else { return Vec::new() };
        let by_itself = (named.is_empty() && message).then_some(MESSAGE_WINDOW);
        let ad = (led_by == AD_WINDOW).then_some(AD_WINDOW);
        let kinds: BTreeSet<&str> = named.split(',').map(str::trim).chain(by_itself).chain(ad).collect();
        let opened = known.windows.iter().filter(|rule| kinds.contains(rule.kind.as_str()));
        let own = |rule: &WindowRule| match tenant {
            Some(tenant) => tenant.in_force.window_rule(account, rule),
            None => rule.clone(),
        };
        opened.map(own).collect()
    }
}

impl Tenant {
    /// The policy in force.
    pub(crate) fn policy(&self) -> &CompiledPolicy {
        &self.in_force.policy
    }

    fn build(
        name: &str,
        resources: &[&Stored],
        (channels, day): (&Channels, Day),
        in_force: Arc<TenantPolicy>,
        routing: Routing,
    ) -> Self {
        let (mut display_name, mut locale) = (name.to_owned(), String::new());
        let mut parts = pool::Parts::default();
        for stored in resources {
            let own = stored.resource.metadata.name.as_str();
            match &stored.resource.spec {
                Spec::Tenant(spec) => {
                    display_name.clone_from(&spec.display_name);
                    locale.clone_from(&spec.locale);
                    parts.work = Some(&spec.work);
                }
                Spec::Queue(spec) => {
                    parts.queues.insert(own, spec);
                }
                Spec::Calendar(spec) => {
                    parts.calendars.insert(own, spec);
                }
                Spec::Agent(spec) => {
                    parts.agents.insert(own, spec);
                }
                _ => {}
            }
        }
        let pool = Pool::of(&pool::config(&parts, channels, day), &locale, channels);
        Self { in_force, display_name, locale, routing, pool }
    }
}

#[cfg(test)]
mod tests;
