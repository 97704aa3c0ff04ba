//! From resources to accounts: secrets resolved, settings checked, again whenever something changes.

use std::{collections::HashMap, sync::Arc, time::Duration};

use heliograph_domain::resources::{ChannelAccountSpec, Kind, Resource, SecretRef, Spec};
use heliograph_runtime::{Check, Shutdown};
use heliograph_store::resources::{ResourceView, Snapshot};
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use url::Url;

use super::{
    accounts::{Accounts, Entry, State, Table},
    metrics::Metrics,
};
use crate::{Account, AccountError, RawAccount, Secrets, Settings};

/// Mounted secrets change without their resource changing; so often they are read again.
const SECRETS_EVERY: Duration = Duration::from_secs(30);

/// Turns resources into accounts of one channel.
pub(super) struct Loader<S> {
    pub channel: &'static str,
    pub inline_secrets: bool,
    pub metrics: Arc<Metrics>,
    pub check: Check,
    /// What each account was made from, so that only what changed is made again.
    pub made: HashMap<String, Made<S>>,
}

pub(super) struct Made<S> {
    resource: Resource,
    secrets: Secrets,
    account: Arc<Account<S>>,
}

impl<S: Settings> Loader<S> {
    /// Follows `view` until the process is cancelled.
    pub(super) fn follow(mut self, mut view: ResourceView, shutdown: Shutdown) -> Accounts<S> {
        let (sender, table) = watch::channel(Arc::new(Table::default()));
        tokio::spawn(async move {
            tokio::select! {
                () = view.ready() => {}
                () = shutdown.cancelled() => return,
            }
            let mut snapshot = view.snapshot();
            loop {
                let table = self.table(&snapshot);
                self.report(&table, &sender.borrow());
                sender.send_replace(Arc::new(table));
                tokio::select! {
                    changed = view.changed() => snapshot = changed,
                    () = tokio::time::sleep(SECRETS_EVERY) => {}
                    () = shutdown.cancelled() => return,
                }
            }
        });
        Accounts::new(table)
    }

    fn table(&mut self, snapshot: &Snapshot) -> Table<S> {
        let mut stored: Vec<_> = snapshot.of_kind(Kind::ChannelAccount).collect();
        // Of two accounts of one name the older keeps its path on the ingress.
        stored.sort_by_key(|stored| stored.applied_at);
        let mut entries: HashMap<String, Entry<S>> = HashMap::new();
        let mut kept = HashMap::new();
        for resource in stored.iter().map(|stored| &stored.resource) {
            let Spec::ChannelAccount(spec) = &resource.spec else { continue };
            if spec.channel != self.channel {
                continue;
            }
            let (tenant, name) = (&resource.metadata.tenant, &resource.metadata.name);
            if let Some(first) = entries.get(name) {
                tracing::error!(
                    channel = self.channel,
                    account = name,
                    tenant,
                    used_by = first.tenant,
                    "two accounts have one name; the later one is not served, rename it"
                );
                continue;
            }
            let state = if spec.enabled { self.state(resource, spec, &mut kept) } else { State::Disabled };
            entries.insert(name.clone(), Entry { tenant: tenant.clone(), state });
        }
        self.made = kept;
        Table { loaded: true, entries }
    }

    fn state(
        &self,
        resource: &Resource,
        spec: &ChannelAccountSpec,
        kept: &mut HashMap<String, Made<S>>,
    ) -> State<S> {
        let name = &resource.metadata.name;
        let raw = match raw_account(resource, spec, self.inline_secrets) {
            Ok(raw) => raw,
            Err(error) => return State::Broken(error),
        };
        let before = self.made.get(name);
        let unchanged =
            before.filter(|before| before.resource == *resource && same(&before.secrets, &raw.secrets));
        let account = match unchanged {
            Some(before) => Arc::clone(&before.account),
            None => match raw.load() {
                Ok(account) => Arc::new(account),
                Err(error) => return State::Broken(error),
            },
        };
        let made = Made { resource: resource.clone(), secrets: raw.secrets, account: Arc::clone(&account) };
        kept.insert(name.clone(), made);
        State::Active(account)
    }

    /// Says what is broken: once in the log when it breaks or changes, always in readiness and metrics.
    fn report(&self, table: &Table<S>, before: &Table<S>) {
        let mut broken = Vec::new();
        let (mut active, mut disabled) = (0, 0);
        for (name, entry) in &table.entries {
            match &entry.state {
                State::Active(_) => active += 1,
                State::Disabled => disabled += 1,
                State::Broken(error) => {
                    broken.push(name.as_str());
                    let known = before.entries.get(name).map(|entry| &entry.state);
                    if !matches!(known, Some(State::Broken(known)) if known == error) {
                        let (channel, tenant) = (self.channel, &entry.tenant);
                        tracing::error!(channel, tenant, account = name, %error, "the account is not usable");
                    }
                }
            }
        }
        self.metrics.accounts(active, disabled, broken.len() as u64);
        if broken.is_empty() {
            self.check.ready();
        } else {
            broken.sort_unstable();
            self.check.ready_but(format!("not usable: {}; the log says why", broken.join(", ")));
        }
    }
}

/// The resource with its secrets resolved.
///
/// # Errors
/// Names the secret or URL that cannot be used.
pub fn raw_account(
    resource: &Resource,
    spec: &ChannelAccountSpec,
    inline_secrets: bool,
) -> Result<RawAccount, AccountError> {
    let mut secrets = Secrets::default();
    for (name, references) in &spec.secrets {
        for reference in references.iter() {
            let field = || format!("spec.secrets.{name}");
            if reference.is_inline() && !inline_secrets {
                let problem =
                    "stands in the resource itself, which only development accepts; use env or file";
                return Err(AccountError::new(field(), problem));
            }
            let secret =
                reference.resolve(look_up).map_err(|error| AccountError::new(field(), error.to_string()))?;
            secrets.add(name, secret);
        }
    }
    Ok(RawAccount {
        tenant: resource.metadata.tenant.clone(),
        name: resource.metadata.name.clone(),
        channel: spec.channel.clone(),
        provider: spec.provider.clone(),
        base_url: url("spec.base_url", spec.base_url.as_deref())?,
        public_base_url: url("spec.public_base_url", spec.public_base_url.as_deref())?,
        settings: serde_json::Value::Object(spec.settings.clone().into_iter().collect()),
        secrets,
    })
}

fn look_up(reference: &SecretRef) -> Option<String> {
    match reference {
        SecretRef::Env(name) => std::env::var(name).ok(),
        SecretRef::File(path) => std::fs::read_to_string(path).ok(),
        SecretRef::Value(_) => None,
    }
}

fn url(field: &str, text: Option<&str>) -> Result<Option<Url>, AccountError> {
    text.map(|text| {
        Url::parse(text).map_err(|error| AccountError::new(field, format!("is not a URL: {error}")))
    })
    .transpose()
}

fn same(one: &Secrets, other: &Secrets) -> bool {
    let (one, other) = (one.iter(), other.iter());
    one.map(|(name, value)| (name, value.expose_secret()))
        .eq(other.map(|(name, value)| (name, value.expose_secret())))
}
