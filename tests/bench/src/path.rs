//! The whole path, every service a process of its own: customer → agent and agent → provider, beside a raw two-hop
//! JetStream chain.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use crate::{
    agent::Agent,
    arrivals::Arrivals,
    chain::Chain,
    fleet::Service,
    ground::{self, Ground},
    load::{self, Pace},
    process::{Usage, Used},
    report::{Report, Row, Target},
    signed::Signer,
    sink,
    stats::{median, percentile},
};

/// Messages a second at which latency is measured.
const RATE: u32 = 1_000;
const CONNECTIONS: usize = 64;
/// Agents, and conversations each of them has.
const AGENTS: usize = 8;
const EACH: usize = 25;

/// What one run of one side did.
pub(crate) struct Figures {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) per_second: f64,
    /// Microseconds of processor time a message, by process.
    pub(crate) cost: Vec<(&'static str, f64)>,
    pub(crate) strangers: f64,
}

impl Figures {
    pub(crate) fn new(mut latencies: Vec<u32>, elapsed: Duration, count: usize, used: &Used) -> Self {
        Self {
            p50_ms: percentile(&mut latencies, 0.5) / 1000.0,
            p99_ms: percentile(&mut latencies, 0.99) / 1000.0,
            per_second: count as f64 / elapsed.as_secs_f64(),
            cost: used.by.iter().map(|(name, seconds)| (*name, seconds / count as f64 * 1e6)).collect(),
            strangers: used.strangers,
        }
    }

    fn json(&self) -> Value {
        json!({
            "p50_ms": self.p50_ms, "p99_ms": self.p99_ms, "per_second": self.per_second,
            "processor_us_a_message": self.cost.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
            "strangers_processors": self.strangers,
        })
    }
}

/// A fleet with its customers, and agents online.
struct Fleet<'a> {
    ground: &'a Ground,
    services: Vec<Service>,
    agents: Vec<Agent>,
    signer: Signer,
    /// What agents read, and what the provider got.
    read: Arrivals,
    sunk: Arrivals,
    replies: u64,
}

/// How much is measured.
struct Size {
    rounds: usize,
    paced: usize,
    flood: usize,
}

/// Runs the fleet and the chain in turn.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let size = if quick {
        Size { rounds: 1, paced: 500, flood: 500 }
    } else {
        Size { rounds: 3, paced: 8_000, flood: 15_000 }
    };
    let mut fleet = Fleet::start(ground, out).await?;
    let mut chain = Chain::start(ground, out).await?;
    fleet.inbound(500, Some(RATE)).await?;
    fleet.outbound(500, Some(RATE)).await?;
    chain.run(500, Some(RATE)).await?;
    let (mut inward, mut outward, mut raw) = (Vec::new(), Vec::new(), Vec::new());
    let (mut inward_flood, mut outward_flood, mut raw_flood) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..size.rounds {
        raw.push(show("chain", chain.run(size.paced, Some(RATE)).await?));
        inward.push(show("customer → agent", fleet.inbound(size.paced, Some(RATE)).await?));
        outward.push(show("agent → provider", fleet.outbound(size.paced, Some(RATE)).await?));
        raw_flood.push(show("chain, flood", chain.run(size.flood * 2, None).await?));
        inward_flood.push(show("customer → agent, flood", fleet.inbound(size.flood, None).await?));
        outward_flood.push(show("agent → provider, flood", fleet.outbound(size.flood, None).await?));
    }
    let part = "path";
    for (what, ours, target) in [
        ("customer → agent", &inward, Target::AtMost(3.0)),
        ("agent → provider", &outward, Target::AtMost(3.0)),
    ] {
        let mut row = |what: String, figure: fn(&Figures) -> f64, target| {
            let (ours, beside) = (middle(ours, figure), middle(&raw, figure));
            let ratio = Some(ours / beside);
            report.row(Row { part, what, unit: "ms", ours, beside: Some(beside), ratio, target });
        };
        row(format!("{what}, {RATE}/s, p50"), |figures| figures.p50_ms, Target::None);
        row(format!("{what}, {RATE}/s, p99"), |figures| figures.p99_ms, target);
    }
    for (what, ours, target) in [
        ("customer → agent, most", &inward_flood, Target::AtLeast(0.25)),
        ("agent → provider, most", &outward_flood, Target::None),
    ] {
        let rate = |figures: &Figures| figures.per_second;
        let (ours, beside) = (middle(ours, rate), middle(&raw_flood, rate));
        let ratio = Some(ours / beside);
        report.row(Row {
            part,
            what: what.to_owned(),
            unit: "1/s",
            ours,
            beside: Some(beside),
            ratio,
            target,
        });
    }
    for (what, ours) in [("customer → agent", &inward), ("agent → provider", &outward)] {
        for at in 0..ours[0].cost.len() {
            let name = ours[0].cost[at].0;
            let cost = median(&ours.iter().map(|figures| figures.cost[at].1).collect::<Vec<_>>());
            report.row(Row {
                part,
                what: format!("processor time a message, {what}, {name}"),
                unit: "µs",
                ours: cost,
                beside: None,
                ratio: None,
                target: Target::None,
            });
        }
    }
    let all = |figures: &[Figures]| figures.iter().map(Figures::json).collect::<Vec<_>>();
    report.detail(
        part,
        json!({
            "agents": AGENTS, "conversations": AGENTS * EACH, "message_bytes": chain.size(),
            "paced": size.paced, "flood": size.flood, "rate": RATE,
            "customer_to_agent": all(&inward), "agent_to_provider": all(&outward), "chain": all(&raw),
            "customer_to_agent_flood": all(&inward_flood), "agent_to_provider_flood": all(&outward_flood),
            "chain_flood": all(&raw_flood),
        }),
    );
    Ok(())
}

fn middle(runs: &[Figures], figure: fn(&Figures) -> f64) -> f64 {
    median(&runs.iter().map(figure).collect::<Vec<_>>())
}

fn show(what: &str, figures: Figures) -> Figures {
    eprintln!(
        "path: {what}: p50 {:.2} ms, p99 {:.2} ms, {:.0}/s, strangers used {:.2} processors, {:?}",
        figures.p50_ms,
        figures.p99_ms,
        figures.per_second,
        figures.strangers,
        figures.cost.iter().map(|(name, cost)| format!("{name} {cost:.0}")).collect::<Vec<_>>()
    );
    figures
}

impl<'a> Fleet<'a> {
    async fn start(ground: &'a Ground, out: &Path) -> anyhow::Result<Self> {
        let (read, sunk, assigned) = (Arrivals::new(), Arrivals::new(), Arrivals::new());
        let sink = sink::start(sunk.clone()).await?;
        let tenant = ground::tenant(&format!("http://{sink}"));
        ground.apply(&(tenant + &ground::agents(AGENTS, EACH))).await?;
        let services = services(ground, out).await?;
        let desk = services.iter().find(|service| service.name == "desk").context("a desk")?.grpc;
        let mut agents = Vec::new();
        for n in 0..AGENTS {
            agents.push(Agent::start(desk, &ground::agent(n), read.clone(), assigned.clone()).await?);
        }
        let signer = Signer::new(0xb, (AGENTS * EACH) as u64);
        let mut fleet = Self { ground, services, agents, signer, read, sunk, replies: 0 };
        // Every customer's first message opens a conversation; the agents accept them all.
        let first = fleet.signer.requests(AGENTS * EACH);
        load::send(fleet.webhooks(), first, 8, Pace::AsFastAsAnswered).await?;
        assigned.wait_for(AGENTS * EACH).await.context("not every conversation was assigned")?;
        Ok(fleet)
    }

    fn webhooks(&self) -> std::net::SocketAddr {
        self.services[0].http
    }

    fn usage(&self) -> Usage {
        let mut processes: Vec<_> =
            self.services.iter().map(|service| (service.name, service.pid())).collect();
        processes.push(("nats-server", self.ground.nats.pid().unwrap_or_default()));
        processes.push(("redis", self.ground.redis.pid().unwrap_or_default()));
        processes.push(("bench", std::process::id()));
        Usage::of(&processes)
    }

    /// Customers write; the agents read.
    async fn inbound(&mut self, count: usize, per_second: Option<u32>) -> anyhow::Result<Figures> {
        let first = self.signer.next();
        let requests = self.signer.requests(count);
        let before = self.read.count();
        let usage = self.usage();
        let pace = per_second.map_or(Pace::AsFastAsAnswered, Pace::PerSecond);
        let outcome = load::send(self.webhooks(), requests, CONNECTIONS, pace).await?;
        self.read.wait_for(before + count).await?;
        let last = self.read.last(first..first + count as u64).context("something arrived")?;
        let used = usage.end();
        Ok(Figures::new(self.read.latencies(first, &outcome.sent), last - outcome.begun, count, &used))
    }

    /// Agents answer in turn; the provider gets it.
    async fn outbound(&mut self, count: usize, per_second: Option<u32>) -> anyhow::Result<Figures> {
        let first = self.replies;
        let before = self.sunk.count();
        let mut held = Vec::new();
        for agent in &self.agents {
            held.push(agent.conversations.lock().await.clone());
        }
        ensure!(held.iter().all(|held| !held.is_empty()), "an agent has no conversation");
        let usage = self.usage();
        let begun = Instant::now();
        let mut sent = Vec::with_capacity(count);
        for at in 0..count {
            if let Some(rate) = per_second {
                let due = begun + Duration::from_secs_f64(at as f64 / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
            } else if at >= WINDOW {
                // The desk takes so many commands of one agent at a time and refuses more.
                self.sunk.wait_for(before + at - WINDOW).await?;
            }
            let who = at % AGENTS;
            let conversation = &held[who][at / AGENTS % held[who].len()];
            sent.push(Instant::now());
            self.agents[who].reply(conversation, self.replies).await?;
            self.replies += 1;
        }
        self.sunk.wait_for(before + count).await?;
        let last = self.sunk.last(first..self.replies).context("something arrived")?;
        let used = usage.end();
        Ok(Figures::new(self.sunk.latencies(first, &sent), last - begun, count, &used))
    }
}

/// Replies under way at a time when they go as fast as they can.
const WINDOW: usize = AGENTS * 48;

/// Channel, router, egress and desk; the channel first.
async fn services(ground: &Ground, out: &Path) -> anyhow::Result<Vec<Service>> {
    let addresses = ground.addresses();
    let sms = Service::start("sms", &addresses, &[], out).await?;
    let endpoint = ("HELIOGRAPH__CHANNELS__SMS__ENDPOINT".to_owned(), format!("http://{}", sms.grpc));
    let router = Service::start("router", &addresses, &[], out).await?;
    let egress = Service::start("egress", &addresses, &[endpoint], out).await?;
    let desk = Service::start("desk", &addresses, &[], out).await?;
    Ok(vec![sms, router, egress, desk])
}
