//! A company on three channels: the fleet, a process each, its providers, its customers and its agents.

use std::{
    collections::HashSet,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, stream};
use heliograph_testkit::sandbox::{Sandbox, SandboxOptions};

use super::cloud::{self, Channel};
use crate::{
    agent::Agent,
    arrivals::Arrivals,
    fleet::Service,
    ground::{self, Ground},
    process::Usage,
};

const AGENTS: usize = 8;
/// Customers who write at a time, until everybody has.
const TOGETHER: usize = 8;
/// How long a channel may take to know its account.
const PATIENCE: Duration = Duration::from_secs(30);

/// Running, with a conversation open for every customer.
pub(super) struct Company<'a> {
    ground: &'a Ground,
    services: Vec<Service>,
    pub(super) sandbox: Sandbox,
    pub(super) agents: Vec<Agent>,
    /// By channel: which agent has which conversation.
    pub(super) conversations: Vec<Vec<(usize, String)>>,
}

impl<'a> Company<'a> {
    pub(super) async fn start(ground: &'a Ground, channels: &[&Channel], out: &Path) -> anyhow::Result<Self> {
        let options = SandboxOptions { remembers: false, ..SandboxOptions::default() };
        let sandbox = Sandbox::start(options).await?;
        let customers = channels.iter().map(|channel| channel.conversations).sum();
        let manifest = cloud::manifest(channels, &sandbox);
        ground.apply(&(manifest + &ground::agents(AGENTS, customers))).await?;
        let addresses = ground.addresses();
        let (mut services, mut endpoints) = (Vec::new(), Vec::new());
        for channel in channels {
            let service = Service::start(channel.name, &addresses, &[], out).await?;
            let name = format!("HELIOGRAPH__CHANNELS__{}__ENDPOINT", channel.name.to_uppercase());
            endpoints.push((name, format!("http://{}", service.grpc)));
            let webhook = format!("http://{}/{}/{}", service.http, channel.name, channel.account());
            sandbox.add_account(&channel.raw(), &webhook);
            services.push(service);
        }
        services.push(Service::start("router", &addresses, &[], out).await?);
        services.push(Service::start("egress", &addresses, &endpoints, out).await?);
        let desk = Service::start("desk", &addresses, &[], out).await?;
        let (read, assigned) = (Arrivals::new(), Arrivals::new());
        let mut agents = Vec::new();
        for n in 0..AGENTS {
            agents.push(Agent::start(desk.grpc, &ground::agent(n), read.clone(), assigned.clone()).await?);
        }
        services.push(desk);
        let mut company = Self { ground, services, sandbox, agents, conversations: Vec::new() };
        for channel in channels {
            company.open(channel, &assigned).await.with_context(|| format!("on {}", channel.name))?;
        }
        Ok(company)
    }

    /// Every customer of a channel writes, and is answered by whoever accepts.
    async fn open(&mut self, channel: &Channel, assigned: &Arrivals) -> anyhow::Result<()> {
        let before = assigned.count();
        let customers: Vec<_> = (0..channel.conversations)
            .map(|n| self.sandbox.customer(&channel.account(), &channel.user(n), &format!("Customer {n}")))
            .collect();
        // The channel may hear of its account a moment after it is ready.
        let begun = Instant::now();
        while customers[0].say("Hello?").await.status != Some(200) {
            ensure!(begun.elapsed() < PATIENCE, "the ingress does not take what customers write");
        }
        let written: Vec<_> = stream::iter(&customers[1..])
            .map(|customer| customer.say("Hello?"))
            .buffer_unordered(TOGETHER)
            .collect()
            .await;
        ensure!(written.iter().all(|posted| posted.status == Some(200)), "a customer was turned away");
        assigned.wait_for(before + customers.len()).await.context("not every conversation was assigned")?;
        let known: HashSet<String> =
            self.conversations.iter().flatten().map(|(_, conversation)| conversation.clone()).collect();
        let mut new = Vec::new();
        for (n, agent) in self.agents.iter().enumerate() {
            let held = agent.conversations.lock().await.clone();
            new.extend(held.into_iter().filter(|it| !known.contains(it)).map(|it| (n, it)));
        }
        ensure!(new.len() == customers.len(), "{} conversations of {} customers", new.len(), customers.len());
        self.conversations.push(new);
        Ok(())
    }

    /// Starts counting what everybody uses.
    pub(super) fn usage(&self) -> Usage {
        let mut processes: Vec<_> =
            self.services.iter().map(|service| (service.name, service.pid())).collect();
        processes.push(("nats-server", self.ground.nats.pid().unwrap_or_default()));
        processes.push(("redis", self.ground.redis.pid().unwrap_or_default()));
        processes.push(("bench", std::process::id()));
        Usage::of(&processes)
    }
}
