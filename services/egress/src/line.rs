//! A channel as egress reaches it: its own connection, its own share of calls, its accounts.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use heliograph_domain::resources::{ChannelAccountSpec, InDoubt, Kind, ResourceKey, Spec, Stored};
use heliograph_fabric::{DeadLetters, Fabric, Layout, RoutingLog};
use heliograph_media::Links;
use heliograph_proto::v1::{Capabilities, DescribeRequest};
use heliograph_runtime::{Check, grpc::never_sent};
use heliograph_store::{
    consent::ConsentStore, contacts::ContactStore, deliveries::DeliveryStore, questions::Questions,
    rate::RateLimiter, resources::ResourceView, sent::SentLog, trail::Trail, windows::Windows,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    account::{Account, Described},
    book::Book,
    config::EgressConfig,
    error::Client,
    metrics::Metrics,
    outcome::{self, Outcome},
};

/// How long a channel may take to describe itself.
const DESCRIBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a failed description is believed, so that waiting lanes do not all ask.
const FAILURE_BELIEVED: Duration = Duration::from_millis(500);

/// What all channels share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) fabric: Fabric,
    pub(crate) layout: Layout,
    /// Appends to the routing log.
    pub(crate) log: RoutingLog,
    pub(crate) dead: DeadLetters,
    pub(crate) deliveries: DeliveryStore,
    pub(crate) consent: ConsentStore,
    pub(crate) contacts: ContactStore,
    pub(crate) sent: SentLog,
    pub(crate) trail: Trail,
    pub(crate) windows: Windows,
    pub(crate) questions: Questions,
    pub(crate) rate: RateLimiter,
    pub(crate) resources: ResourceView,
    /// Policies and accounts, as the resources say.
    pub(crate) book: Book,
    /// Links to files that a channel cannot carry.
    pub(crate) links: Links,
    pub(crate) config: EgressConfig,
    pub(crate) metrics: Arc<Metrics>,
}

impl Shared {
    /// The resource of a tenant's channel account.
    pub(crate) fn account(&self, tenant: &str, name: &str) -> Option<Arc<Stored>> {
        let key =
            ResourceKey { tenant: tenant.to_owned(), kind: Kind::ChannelAccount, name: name.to_owned() };
        self.resources.snapshot().get(&key).cloned()
    }

    /// What the tenant wants of deliveries whose outcome nobody knows.
    pub(crate) fn in_doubt(&self, tenant: &str) -> InDoubt {
        let snapshot = self.resources.snapshot();
        let found =
            snapshot.of_tenant(tenant, Some(Kind::Tenant)).find_map(|stored| match &stored.resource.spec {
                Spec::Tenant(spec) => Some(spec.in_doubt),
                _ => None,
            });
        found.unwrap_or_default()
    }
}

/// What an account's resource says.
pub(crate) fn spec_of(stored: &Stored) -> Option<&ChannelAccountSpec> {
    match &stored.resource.spec {
        Spec::ChannelAccount(spec) => Some(spec),
        _ => None,
    }
}

/// One channel.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) shared: Arc<Shared>,
    pub(crate) client: Client,
    pub(crate) permits: Arc<Semaphore>,
    accounts: Mutex<HashMap<(String, String), Arc<Account>>>,
    check: Check,
}

impl Line {
    pub(crate) fn new(name: &str, shared: Arc<Shared>, client: Client, check: Check) -> Self {
        let permits = Arc::new(Semaphore::new(shared.config.concurrency(name)));
        check.ready();
        Self { name: name.to_owned(), shared, client, permits, accounts: Mutex::default(), check }
    }

    /// What the lanes of an account share.
    pub(crate) fn account(&self, tenant: &str, name: &str) -> Arc<Account> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(accounts.entry((tenant.to_owned(), name.to_owned())).or_default())
    }

    /// Accounts that changed are tried again.
    pub(crate) fn refresh_accounts(&self) {
        let accounts: Vec<_> = {
            let accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            accounts.iter().map(|(key, account)| (key.clone(), Arc::clone(account))).collect()
        };
        for ((tenant, name), account) in accounts {
            let version = self.shared.account(&tenant, &name).map_or(0, |stored| stored.version);
            account.renewed(version);
        }
    }

    /// What the channel can show for an account. Asked once in a while; an answer that is older still serves while the
    /// channel is away.
    pub(crate) async fn capabilities(
        &self,
        account: &Account,
        tenant: &str,
        name: &str,
    ) -> Result<Arc<Capabilities>, Outcome> {
        let mut described = account.described.lock().await;
        if let Some(Described { at, said }) = &*described {
            let believed = if said.is_ok() { self.shared.config.describe_every } else { FAILURE_BELIEVED };
            if at.elapsed() < believed {
                return said.clone();
            }
        }
        let before = described.as_ref().and_then(|described| described.said.clone().ok());
        let said = match (self.describe(tenant, name).await, before) {
            (Err(Outcome::Later(_)), Some(before)) => Ok(before),
            (said, _) => said,
        };
        *described = Some(Described { at: Instant::now(), said: said.clone() });
        said
    }

    async fn describe(&self, tenant: &str, account: &str) -> Result<Arc<Capabilities>, Outcome> {
        let mut request =
            tonic::Request::new(DescribeRequest { tenant: tenant.to_owned(), account: account.to_owned() });
        request.set_timeout(DESCRIBE_TIMEOUT);
        let mut client = self.client.clone();
        let answer = tokio::time::timeout(DESCRIBE_TIMEOUT, client.describe(request)).await;
        let outcome = match answer {
            Ok(Ok(answer)) => {
                self.reached(true);
                return Ok(Arc::new(answer.into_inner().capabilities.unwrap_or_default()));
            }
            Ok(Err(status)) => outcome::of_status(&status, never_sent(&status)),
            Err(_) => outcome::timed_out(),
        };
        Err(match outcome {
            // Nothing was sent to anybody: whatever happened, it may be asked again.
            Outcome::InDoubt(error) | Outcome::Failed(error) => {
                self.reached(false);
                Outcome::Later(outcome::Later { error, ..Default::default() })
            }
            Outcome::Later(later) => {
                self.reached(false);
                Outcome::Later(later)
            }
            other => other,
        })
    }

    /// Tells readiness whether the channel answers. A channel that does not is no reason to take egress away from others.
    pub(crate) fn reached(&self, answered: bool) {
        if answered { self.check.ready() } else { self.check.ready_but("does not answer") }
    }
}
