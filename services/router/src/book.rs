//! What tenants configured, ready to be asked: compiled policies, routing rules, accounts, pools.
//!
//! Rebuilt from the resources whenever they change. Nothing in here does I/O.

mod pool;
mod verdict;
mod wanted;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use heliograph_assignment::PoolConfig;
use heliograph_domain::{
    ids,
    resources::{ChannelPolicySpec, Kind, QueueSpec, RoutingRuleSpec, Spec, Stored, WindowOverride},
};
use heliograph_policy::CompiledPolicy;
use heliograph_proto::v1::{Capabilities, WindowRule};
use heliograph_store::resources::Snapshot;

pub(crate) use verdict::{Asked, judge};
pub(crate) use wanted::{Saying, wanted};

/// The policy that counts when a tenant has several.
const POLICY: &str = "default";
/// The window that a customer's message opens.
const MESSAGE_WINDOW: &str = "message";

/// What is known of the channels, as the binary that links them says.
pub(crate) type Channels = Arc<BTreeMap<String, Capabilities>>;

/// Every tenant's configuration at one moment.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Grows with every change of any resource.
    pub(crate) revision: u64,
    tenants: HashMap<String, Arc<Tenant>>,
    channels: Channels,
}

/// One tenant's configuration.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) policy: CompiledPolicy,
    /// In the order in which they are asked.
    rules: Vec<(String, RoutingRuleSpec)>,
    queues: BTreeMap<String, QueueSpec>,
    accounts: HashMap<String, Account>,
    /// Channels on which the tenant has an account in use.
    available: Vec<String>,
    pool: Pool,
}

/// What intake needs of a channel account.
#[derive(Debug)]
struct Account {
    channel: String,
    region: Option<String>,
    windows: Vec<WindowOverride>,
}

/// A tenant's pool as the machine is told of it.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    /// JSON of [`PoolConfig`].
    pub(crate) json: String,
    /// Names the content.
    pub(crate) digest: String,
}

impl Pool {
    fn of(config: &PoolConfig) -> Self {
        let json = serde_json::to_string(config).expect("maps with plain keys serialize");
        let digest = ids::derive("cfg", &[&json]);
        Self { json, digest }
    }

    /// The pool of a tenant whose resources are gone.
    pub(crate) fn empty() -> Self {
        Self::of(&PoolConfig::default())
    }
}

impl Book {
    /// Reads the resources. A policy that did not change is taken over from `before`.
    pub(crate) fn build(snapshot: &Snapshot, channels: &Channels, before: &Self) -> Self {
        let mut by_tenant: BTreeMap<&str, Vec<&Stored>> = BTreeMap::new();
        for stored in snapshot.iter() {
            by_tenant.entry(&stored.resource.metadata.tenant).or_default().push(stored);
        }
        let tenants = by_tenant
            .into_iter()
            .map(|(name, resources)| {
                let tenant = Tenant::build(name, &resources, channels, before.tenants.get(name));
                (name.to_owned(), Arc::new(tenant))
            })
            .collect();
        Self { revision: snapshot.revision(), tenants, channels: Arc::clone(channels) }
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
        self.channels.get(channel).is_some_and(|known| !known.content.iter().any(|kind| kind == "choice"))
    }

    /// The rule of the messaging window that an event opens, if it opens one. `named` is what the channel said;
    /// `message` says whether the customer wrote.
    pub(crate) fn window(
        &self,
        tenant: Option<&Tenant>,
        channel: &str,
        account: &str,
        named: &str,
        message: bool,
    ) -> Option<WindowRule> {
        let kind = match named {
            "" if message => MESSAGE_WINDOW,
            "" => return None,
            named => named,
        };
        let mut rule = self.channels.get(channel)?.windows.iter().find(|rule| rule.kind == kind)?.clone();
        let account = tenant.and_then(|tenant| tenant.accounts.get(account));
        if let Some(own) = account.and_then(|account| account.windows.iter().find(|own| own.kind == kind)) {
            rule.seconds = i64::try_from(own.open.as_millis() / 1_000).unwrap_or(i64::MAX);
            rule.messages = own.messages.map_or(0, |count| i32::try_from(count).unwrap_or(i32::MAX));
        }
        Some(rule)
    }
}

impl Tenant {
    fn build(name: &str, resources: &[&Stored], channels: &Channels, before: Option<&Arc<Self>>) -> Self {
        let mut rules = Vec::new();
        let mut queues = BTreeMap::new();
        let mut accounts = HashMap::new();
        let mut available = Vec::new();
        let mut policies: Vec<(&Stored, &ChannelPolicySpec)> = Vec::new();
        let mut agents = BTreeMap::new();
        for stored in resources {
            let own = stored.resource.metadata.name.clone();
            match &stored.resource.spec {
                Spec::ChannelPolicy(spec) => policies.push((stored, spec)),
                Spec::RoutingRule(spec) => rules.push((own, spec.clone())),
                Spec::Queue(spec) => {
                    queues.insert(own, spec.clone());
                }
                Spec::Agent(spec) => {
                    agents.insert(own, spec);
                }
                Spec::ChannelAccount(spec) if spec.enabled => {
                    let (channel, region, windows) =
                        (spec.channel.clone(), spec.region.clone(), spec.windows.clone());
                    if !available.contains(&channel) {
                        available.push(channel.clone());
                    }
                    accounts.insert(own, Account { channel, region, windows });
                }
                _ => {}
            }
        }
        rules.sort_by(|(one, a), (other, b)| (a.order, one).cmp(&(b.order, other)));
        let pool = Pool::of(&pool::config(&agents, &queues, channels));
        let policy = policy(name, &policies, before);
        Self { policy, rules, queues, accounts, available, pool }
    }

    /// Country or region that an account's customers are taken to be in.
    fn account_region(&self, channel: &str, account: &str) -> Option<&str> {
        let account = self.accounts.get(account).filter(|account| account.channel == channel)?;
        account.region.as_deref()
    }
}

/// The tenant's compiled policy. One that cannot be compiled leaves the last good one in force.
fn policy(
    tenant: &str,
    policies: &[(&Stored, &ChannelPolicySpec)],
    before: Option<&Arc<Tenant>>,
) -> CompiledPolicy {
    let named = policies.iter().find(|(stored, _)| stored.resource.metadata.name == POLICY);
    let Some((stored, spec)) = named.or(policies.first()) else { return CompiledPolicy::nothing() };
    debug_assert_eq!(stored.resource.kind(), Kind::ChannelPolicy);
    let name = &stored.resource.metadata.name;
    let before = before.map(|before| &before.policy);
    if let Some(same) = before.filter(|before| *before.name() == **name && before.version() == stored.version)
    {
        return same.clone();
    }
    CompiledPolicy::compile(name, stored.version, spec, &heliograph_policy::Calendars::new()).unwrap_or_else(|error| {
        tracing::error!(tenant, policy = name, version = stored.version, %error, "a policy cannot be used; the last good one stays in force");
        before.map_or_else(CompiledPolicy::nothing, Clone::clone)
    })
}

#[cfg(test)]
mod tests;
