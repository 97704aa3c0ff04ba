//! What everything runs on: a broker and a Redis of our own, provisioned, with a tenant in it.

use anyhow::Context as _;
use clap::Args;
use heliograph_domain::resources;
use heliograph_fabric::{
    Fabric, Options, Plan,
    provision::{ProvisionOptions, provision},
};
use heliograph_store::resources::{Expect, ResourceStore};
use heliograph_testkit::servers::{NatsServer, RedisServer};

/// The tenant that is measured.
pub(crate) const TENANT: &str = "bench";
/// Its SMS account.
pub(crate) const ACCOUNT: &str = "bench-us";
/// The secret Sinch signs with; made up.
pub(crate) const WEBHOOK_SECRET: &str = "made-up-bench-webhook-secret";

/// Where the servers are, for a process of its own.
#[derive(Args, Clone, Debug)]
pub(crate) struct Addresses {
    /// `nats://…`
    #[arg(long)]
    pub(crate) nats: String,
    /// `redis://…`
    #[arg(long)]
    pub(crate) redis: String,
}

/// Servers, and a connection to the broker.
pub(crate) struct Ground {
    pub(crate) nats: NatsServer,
    pub(crate) redis: RedisServer,
    pub(crate) fabric: Fabric,
}

impl Ground {
    /// Starts the servers and lays out streams and buckets.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let (nats, redis) = tokio::try_join!(NatsServer::start(), RedisServer::start())?;
        let fabric = Fabric::connect(Options::new(nats.url(), "heliograph-bench")).await?;
        provision(&fabric, &Plan::default(), ProvisionOptions::default()).await?;
        Ok(Self { nats, redis, fabric })
    }

    /// For child processes.
    pub(crate) fn addresses(&self) -> Addresses {
        Addresses { nats: self.nats.url(), redis: self.redis.url() }
    }

    /// Puts every resource of `yaml` in force.
    pub(crate) async fn apply(&self, yaml: &str) -> anyhow::Result<()> {
        let documents = resources::parse("bench", yaml).context("the bench's own tenant is not valid")?;
        let store = ResourceStore::open(self.fabric.jetstream()).await?;
        for document in documents {
            store.apply(&document.resource, Expect::Anything, "bench", jiff::Timestamp::now()).await?;
        }
        Ok(())
    }
}

/// A tenant with an SMS account whose provider is at `sink`.
pub(crate) fn tenant(sink: &str) -> String {
    format!(
        r#"
apiVersion: heliograph.dev/v1
kind: Tenant
metadata: {{ name: {TENANT} }}
spec: {{ display_name: Bench, locale: en }}
---
apiVersion: heliograph.dev/v1
kind: ChannelPolicy
metadata: {{ tenant: {TENANT}, name: default }}
spec:
  regions:
    - {{ name: north-america, countries: [US, CA], channels: [sms] }}
  default: {{ channels: [sms] }}
---
apiVersion: heliograph.dev/v1
kind: ChannelAccount
metadata: {{ tenant: {TENANT}, name: {ACCOUNT} }}
spec:
  channel: sms
  provider: sinch
  region: US
  base_url: {sink}
  settings: {{ service_plan_id: made-up-plan, sender: "+12025550123" }}
  secrets:
    api_token: {{ value: made-up-bench-token }}
    webhook_secret: {{ value: {WEBHOOK_SECRET} }}
  # Higher than anything measured here: the limiter works, and never limits.
  rate_limit: {{ per_second: 1000000, burst: 1000000 }}
---
apiVersion: heliograph.dev/v1
kind: Queue
metadata: {{ tenant: {TENANT}, name: support }}
spec: {{ display_name: Support, ring_timeout: 60s, wrap_up: 1s }}
---
apiVersion: heliograph.dev/v1
kind: RoutingRule
metadata: {{ tenant: {TENANT}, name: everybody }}
spec: {{ order: 1000, queue: support }}
"#
    )
}

/// The `n`th agent's name, login and password.
pub(crate) fn agent(n: usize) -> String {
    format!("agent-{n}")
}

/// Agents who take `capacity` conversations each, of either kind.
pub(crate) fn agents(count: usize, capacity: usize) -> String {
    let one = |n| {
        let name = agent(n);
        format!(
            "---\napiVersion: heliograph.dev/v1\nkind: Agent\nmetadata: {{ tenant: {TENANT}, name: {name} }}\n\
             spec:\n  display_name: {name}\n  password: {{ value: {name} }}\n  queues: [support]\n  \
             capacity: {{ async: {capacity}, chat: {capacity} }}\n"
        )
    };
    (0..count).map(one).collect()
}
