//! What holds for one tenant.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use heliograph_domain::resources::{ChannelAccountSpec, SenderIdentity, WindowOverride};
use heliograph_proto::v1::WindowRule;
use serde_json::Value;

use crate::CompiledPolicy;

/// What holds for tenants of which nothing is stored.
static NOTHING: LazyLock<Arc<TenantPolicy>> = LazyLock::new(|| {
    let policy = Arc::new(CompiledPolicy::nothing());
    Arc::new(TenantPolicy::new(policy, BTreeMap::new()))
});

/// A tenant's policy, and the channel accounts it is about.
#[derive(Debug)]
pub struct TenantPolicy {
    /// The policy in force.
    pub policy: Arc<CompiledPolicy>,
    accounts: BTreeMap<String, Account>,
    /// Sorted.
    channels: Vec<String>,
}

/// A channel account in use, its secrets left out.
#[derive(Debug, Clone)]
pub struct Account {
    /// The channel.
    pub channel: String,
    /// Where its customers are taken to be when nothing better is known: a country, or a region of the policy.
    pub region: Option<String>,
    /// What kind of sender it writes as.
    pub sender: Option<SenderIdentity>,
    /// Messaging windows that differ from the channel's.
    pub windows: Vec<WindowOverride>,
    /// The channel's own settings.
    pub settings: BTreeMap<String, Value>,
}

impl TenantPolicy {
    /// A policy with the tenant's accounts in use, by their names.
    pub fn new(policy: Arc<CompiledPolicy>, accounts: BTreeMap<String, Account>) -> Self {
        let mut channels: Vec<String> = accounts.values().map(|account| account.channel.clone()).collect();
        channels.sort_unstable();
        channels.dedup();
        Self { policy, accounts, channels }
    }

    /// What holds for a tenant of which nothing is stored: it has no account, and its policy allows nothing.
    pub fn nothing() -> Arc<Self> {
        Arc::clone(&NOTHING)
    }

    /// The account of this name, if it is in use.
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// The account of this name, if it is in use on the channel.
    pub fn account_on(&self, channel: &str, name: &str) -> Option<&Account> {
        self.account(name).filter(|account| account.channel == channel)
    }

    /// The accounts in use, sorted by their names.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &Account)> {
        self.accounts.iter().map(|(name, account)| (name.as_str(), account))
    }

    /// The rule of a channel's window as it holds for an account, which may have a length and count of its own.
    pub fn window_rule(&self, account: &str, rule: &WindowRule) -> WindowRule {
        let own = |account: &'_ Account| account.windows.iter().find(|own| own.kind == rule.kind).cloned();
        match self.account(account).and_then(own) {
            None => rule.clone(),
            Some(own) => WindowRule {
                kind: rule.kind.clone(),
                seconds: i64::try_from(own.open.as_millis() / 1_000).unwrap_or(i64::MAX),
                messages: own.messages.map_or(0, |count| i32::try_from(count).unwrap_or(i32::MAX)),
            },
        }
    }

    /// Channels on which there is an account in use, sorted.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }
}

impl Account {
    /// What there is to know of an account; none if it is not in use.
    pub(crate) fn in_use(spec: &ChannelAccountSpec) -> Option<Self> {
        spec.enabled.then(|| Self {
            channel: spec.channel.clone(),
            region: spec.region.clone(),
            sender: spec.sender(),
            windows: spec.windows.clone(),
            settings: spec.settings.clone(),
        })
    }
}
