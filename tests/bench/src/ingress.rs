//! Webhook → PubAck → 200: the channel host beside a bare handler.

pub(crate) mod bare;
pub(crate) mod host;

use std::{path::Path, time::Duration};

use heliograph_fabric::Stream;
use serde_json::json;

use crate::{
    ground::{Ground, tenant},
    load::{self, Pace},
    machine,
    process::{Served, Usage, Used},
    report::{Report, Row, Target},
    signed::Signer,
    stats::{median, percentile},
};

/// Connections that wait for their answer before they send again.
const CONNECTIONS: usize = 64;
/// Customers who write; each opens one conversation further down.
const CUSTOMERS: u64 = 10_000;

/// One side's figures, a value a round.
#[derive(Default)]
struct Side {
    per_second: Vec<f64>,
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    /// Microseconds of processor time a request, by process.
    cost: Vec<(&'static str, Vec<f64>)>,
    strangers: Vec<f64>,
}

/// Runs both in turn and reports the medians of what they do.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (rounds, requests) = if quick { (2, 300) } else { (9, 25_000) };
    ground.apply(&tenant("http://127.0.0.1:9")).await?;
    let addresses = ground.addresses();
    let arguments = ["--nats", &addresses.nats, "--redis", &addresses.redis];
    let mut signer = Signer::new(0xa, CUSTOMERS);

    let host = Served::start("serve-host", &arguments, &out.join("ingress-host.log")).await?;
    load::send(host.addr, signer.requests(requests / 2), CONNECTIONS, Pace::AsFastAsAnswered).await?;
    // The bare handler publishes what the host has stored, so it starts after.
    let bare = Served::start("serve-bare", &arguments, &out.join("ingress-bare.log")).await?;
    load::send(bare.addr, signer.requests(requests / 2), CONNECTIONS, Pace::AsFastAsAnswered).await?;

    let (mut ours, mut theirs) = (Side::default(), Side::default());
    let before = ground.fabric.last_sequence(Stream::Inbound).await?;
    for _ in 0..rounds {
        round(ground, "host", &host, &mut signer, requests, quick, &mut ours).await?;
        round(ground, "bare", &bare, &mut signer, requests, quick, &mut theirs).await?;
    }
    let stored = ground.fabric.last_sequence(Stream::Inbound).await? - before;
    anyhow::ensure!(
        stored == (2 * rounds * requests) as u64,
        "{stored} messages were stored of {} that were answered",
        2 * rounds * requests
    );

    let ratio_of = |ours: &[f64], theirs: &[f64]| {
        median(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
    };
    let mut row = |what: &str, unit, ours: &[f64], theirs: &[f64], target| {
        report.row(Row {
            part: "ingress",
            what: what.to_owned(),
            unit,
            ours: median(ours),
            beside: Some(median(theirs)),
            // The bare handler does without Redis.
            ratio: Some(ratio_of(ours, theirs)).filter(|ratio| ratio.is_finite()),
            target,
        });
    };
    let what = format!("webhook → PubAck → 200, {CONNECTIONS} connections");
    row(&what, "1/s", &ours.per_second, &theirs.per_second, Target::AtLeast(0.85));
    row("the same, p50", "ms", &ours.p50_ms, &theirs.p50_ms, Target::None);
    row("the same, p99", "ms", &ours.p99_ms, &theirs.p99_ms, Target::None);
    for ((name, ours), (_, theirs)) in ours.cost.iter().zip(&theirs.cost) {
        row(&format!("processor time a request, {name}"), "µs", ours, theirs, Target::None);
    }
    let side = |side: &Side| {
        json!({
            "per_second": side.per_second, "p50_ms": side.p50_ms, "p99_ms": side.p99_ms,
            "strangers_processors": side.strangers,
        })
    };
    report.detail(
        "ingress",
        json!({
            "connections": CONNECTIONS, "requests_a_round": requests, "customers": CUSTOMERS,
            "ours": side(&ours), "beside": side(&theirs),
        }),
    );
    Ok(())
}

async fn round(
    ground: &Ground,
    name: &str,
    server: &Served,
    signer: &mut Signer,
    requests: usize,
    quick: bool,
    side: &mut Side,
) -> anyhow::Result<()> {
    let signed = signer.requests(requests);
    let patience = if quick { Duration::ZERO } else { Duration::from_secs(5) };
    machine::wait_for_quiet(patience).await;
    let usage = Usage::of(&[
        ("server", server.pid()),
        ("nats-server", ground.nats.pid().unwrap_or_default()),
        ("redis", ground.redis.pid().unwrap_or_default()),
        ("load", std::process::id()),
    ]);
    let mut outcome = load::send(server.addr, signed, CONNECTIONS, Pace::AsFastAsAnswered).await?;
    let Used { by, strangers } = usage.end();
    let per_second = requests as f64 / outcome.elapsed.as_secs_f64();
    eprintln!("ingress: {name} {per_second:.0}/s, strangers used {strangers:.2} processors");
    side.per_second.push(per_second);
    side.p50_ms.push(percentile(&mut outcome.latencies, 0.5) / 1000.0);
    side.p99_ms.push(percentile(&mut outcome.latencies, 0.99) / 1000.0);
    side.strangers.push(strangers);
    for (name, seconds) in by {
        let cost = seconds / requests as f64 * 1e6;
        match side.cost.iter_mut().find(|(known, _)| *known == name) {
            Some((_, costs)) => costs.push(cost),
            None => side.cost.push((name, vec![cost])),
        }
    }
    Ok(())
}
