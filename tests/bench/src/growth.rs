//! How the cost of a message grows with the number of open conversations.

use std::path::Path;

use anyhow::Context as _;
use heliograph_fabric::{LogReader, Stream, log::Start};
use heliograph_proto::v1::Event;
use serde_json::json;

use crate::{
    agent,
    arrivals::Arrivals,
    fleet::Service,
    ground::{self, Ground, TENANT},
    load::{self, Pace},
    path::Figures,
    process::Usage,
    report::{Report, Row, Target},
    signed::Signer,
    stats::median,
};

/// Messages a second at which each size is measured.
const RATE: u32 = 1_000;
const CONNECTIONS: usize = 64;

/// Opens more and more conversations, each by a customer's first message, and measures messages in open ones at each size.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (sizes, paced, rounds): (&[u64], _, _) =
        if quick { (&[10, 100], 300, 1) } else { (&[10, 1_000, 10_000, 100_000], 4_000, 3) };
    ground.apply(&ground::tenant("http://127.0.0.1:9")).await?;
    let addresses = ground.addresses();
    let sms = Service::start("sms", &addresses, &[], out).await?;
    let router = Service::start("router", &addresses, &[], out).await?;
    let arrivals = follow(ground).await?;
    let processes = [
        ("sms", sms.pid()),
        ("router", router.pid()),
        ("nats-server", ground.nats.pid().unwrap_or_default()),
        ("redis", ground.redis.pid().unwrap_or_default()),
        ("bench", std::process::id()),
    ];
    let mut signer = Signer::new(0xc, 1);
    let (mut opened, mut sent, mut measured) = (0, 0, Vec::new());
    for size in sizes {
        // New customers follow on those who have written before.
        signer.customers(opened, size - opened);
        while opened < *size {
            let some = (size - opened).min(5_000);
            let requests = signer.requests(usize::try_from(some)?);
            load::send(sms.http, requests, CONNECTIONS, Pace::AsFastAsAnswered).await?;
            opened += some;
            sent += usize::try_from(some)?;
            arrivals.wait_for(sent).await?;
            eprintln!("growth: {opened} conversations are open");
        }
        // Customers of every open conversation in turn, and the same ten whatever is open besides: the difference is what
        // memory of contacts costs that does not reach so far.
        let mut runs = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (runs, customers) in runs.iter_mut().zip([opened, sizes[0]]) {
                signer.customers(0, customers);
                let first = signer.next();
                let requests = signer.requests(paced);
                let usage = Usage::of(&processes);
                let outcome = load::send(sms.http, requests, CONNECTIONS, Pace::PerSecond(RATE)).await?;
                sent += paced;
                arrivals.wait_for(sent).await?;
                let last = arrivals.last(first..first + paced as u64).context("something arrived")?;
                let latencies = arrivals.latencies(first, &outcome.sent);
                let run = Figures::new(latencies, last - outcome.begun, paced, &usage.end());
                eprintln!(
                    "growth: {size} open, {customers} write: p50 {:.2} ms, p99 {:.2} ms, {:.0} µs",
                    run.p50_ms,
                    run.p99_ms,
                    fleet(&run)
                );
                runs.push(run);
            }
        }
        measured.push((*size, runs));
    }
    let figure = |writers: usize, of: fn(&Figures) -> f64| -> Vec<(u64, f64)> {
        let each = |(size, runs): &(u64, [Vec<Figures>; 2])| {
            (*size, median(&runs[writers].iter().map(of).collect::<Vec<_>>()))
        };
        measured.iter().map(each).collect()
    };
    let columns = [
        ("processor time, all write", "µs", figure(0, fleet), Target::AtMost(1.2)),
        ("processor time, ten write", "µs", figure(1, fleet), Target::AtMost(1.2)),
        ("processor time of the router, all write", "µs", figure(0, of_router), Target::None),
        ("processor time of the router, ten write", "µs", figure(1, of_router), Target::None),
        ("to the public stream, p50, all write", "ms", figure(0, |it| it.p50_ms), Target::AtMost(1.2)),
        ("to the public stream, p50, ten write", "ms", figure(1, |it| it.p50_ms), Target::AtMost(1.2)),
        ("to the public stream, p99, all write", "ms", figure(0, |it| it.p99_ms), Target::None),
        ("to the public stream, p99, ten write", "ms", figure(1, |it| it.p99_ms), Target::None),
    ];
    for (what, unit, values, target) in &columns {
        let (_, least) = values[0];
        for (at, (size, value)) in values.iter().enumerate() {
            report.row(Row {
                part: "growth",
                what: format!("{what}, {size} open"),
                unit,
                ours: *value,
                beside: Some(least),
                ratio: Some(value / least),
                target: if at == 0 { Target::None } else { *target },
            });
        }
    }
    let detail =
        columns.iter().map(|(what, unit, values, _)| json!({ "what": what, "unit": unit, "values": values }));
    report.detail(
        "growth",
        json!({ "rate": RATE, "messages_a_run": paced, "runs": rounds, "figures": detail.collect::<Vec<_>>() }),
    );
    Ok(())
}

/// What a message costs the fleet and its servers.
fn fleet(figures: &Figures) -> f64 {
    let ours = figures.cost.iter().filter(|(name, _)| *name != "bench");
    ours.map(|(_, cost)| cost).sum()
}

fn of_router(figures: &Figures) -> f64 {
    figures.cost.iter().find(|(name, _)| *name == "router").map_or(f64::NAN, |(_, cost)| *cost)
}

/// Notes every customer's message when it is on the public stream.
async fn follow(ground: &Ground) -> anyhow::Result<Arrivals> {
    let filter = format!("hg.event.{TENANT}.*.*.*.message.received");
    let mut reader = LogReader::open(&ground.fabric, Stream::Events, [filter], Start::New).await?;
    let arrivals = Arrivals::new();
    let noted = arrivals.clone();
    tokio::spawn(async move {
        while let Ok(record) = reader.next().await {
            let event = record.envelope().ok().and_then(|envelope| envelope.decode::<Event>().ok());
            if let Some(event) = event {
                agent::note(&noted, &event);
            }
        }
    });
    Ok(arrivals)
}
