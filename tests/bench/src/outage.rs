//! A provider that fails for ten minutes: it answers 429, then 500, then too slowly, then not at all. What becomes of
//! what agents write on its channel, and what that costs the channels whose providers are well.
//!
//! Agents answer at the same pace on three channels from beginning to end. Latency on the two that stay well is compared
//! with itself: the outage with as long a time around it, half before and half after, because a machine that is alone
//! for ten minutes is seldom alone for thirty.

mod cloud;
mod company;
mod ledger;
mod traffic;

use std::{path::Path, time::Duration};

use heliograph_testkit::sandbox::Fault;
use serde_json::{Value, json};
use tokio::time::sleep;

pub(crate) use cloud::Ill;

use crate::{
    ground::Ground,
    outage::{
        company::Company,
        ledger::{Account, Ledger},
        traffic::Traffic,
    },
    process::{Usage, Used},
    report::{Report, Row, Target},
    stats::percentile,
};

/// The two channels that stay well, and the one that does not.
const WELL: [usize; 2] = [0, 1];
const ILL: usize = 2;

/// What is written until everything runs warm.
const WARM: usize = 0;
const BEFORE: usize = 1;
/// The first fault; the others follow.
const FAULTS: usize = 2;
const FAULT_NAMES: [&str; 4] = ["429", "500", "slow", "silent"];
/// The provider is well again, and what piled up is worked off.
const CATCHING_UP: usize = FAULTS + FAULT_NAMES.len();
const AFTER: usize = CATCHING_UP + 1;
const END: usize = AFTER + 1;

/// How long none of what piled up may come to an end: longer than egress waits between two tries.
const PATIENCE: Duration = Duration::from_mins(7);

/// Longer than a channel waits for its provider.
const SLOW: Duration = Duration::from_secs(20);
/// As good as for ever.
const SILENT: Duration = Duration::from_hours(1);

/// How the provider fails in each phase.
fn faults() -> [Fault; FAULT_NAMES.len()] {
    [Fault::Status(429, Some(5)), Fault::Status(500, None), Fault::Slow(SLOW), Fault::Hang(SILENT)]
}

/// How long the phases are.
struct Size {
    warm: Duration,
    /// Before the outage, and after it.
    calm: Duration,
    fault: Duration,
}

/// See the module.
pub(crate) async fn measure(
    ground: &Ground,
    ill: Ill,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    let seconds = Duration::from_secs;
    let size = if quick {
        Size { warm: seconds(5), calm: seconds(20), fault: seconds(10) }
    } else {
        Size { warm: seconds(30), calm: seconds(300), fault: seconds(150) }
    };
    let ill = ill.channel();
    let channels = [&cloud::WELL[0], &cloud::WELL[1], &ill];
    let mut company = Company::start(ground, &channels, out).await?;
    let ledger = Ledger::open(ground, &company.sandbox).await?;
    let agents = std::mem::take(&mut company.agents);
    let traffic = Traffic::start(&channels, &company.conversations, agents, ledger.clone(), WARM);
    let mut run = Run { company, ledger, traffic, used: Vec::new() };

    sleep(size.warm).await;
    run.phase(BEFORE, size.calm).await?;
    for (n, fault) in faults().into_iter().enumerate() {
        run.company.sandbox.ail(ill.provider, Some(fault));
        run.phase(FAULTS + n, size.fault).await?;
    }
    run.company.sandbox.ail(ill.provider, None);
    run.traffic.enter(CATCHING_UP)?;
    let usage = run.company.usage();
    let backlog = run.ledger.open_of(ILL, CATCHING_UP);
    let caught_up = run.ledger.settled(&[ILL], CATCHING_UP, PATIENCE).await?;
    run.note(CATCHING_UP, usage);
    run.phase(AFTER, size.calm).await?;
    let Run { company, ledger, traffic, used } = run;
    traffic.end().await?;
    ledger.settled(&[WELL[0], WELL[1], ILL], END, PATIENCE).await?;

    let accounts: Vec<_> = (0..channels.len()).map(|channel| ledger.account(channel)).collect();
    let met = company.sandbox.faults_met(ill.provider);
    others(&ledger, size.fault, report);
    left(ill.name, &accounts, backlog, caught_up, report);
    report.detail(
        "outage",
        json!({
            "ill": ill.name,
            "rates": channels.map(|channel| (channel.name, channel.rate)),
            "conversations": channels.map(|channel| (channel.name, channel.conversations)),
            "calm_seconds": size.calm.as_secs(), "fault_seconds": size.fault.as_secs(),
            "accounts": accounts, "backlog": backlog, "caught_up_seconds": caught_up.as_secs_f64(),
            "requests_that_met_a_fault": met, "deferred": ledger.deferred(),
            "phases": phases(&ledger, &used),
        }),
    );
    Ok(())
}

/// A run under way.
struct Run<'a> {
    company: Company<'a>,
    ledger: Ledger,
    traffic: Traffic,
    /// What everybody used, by phase.
    used: Vec<(usize, Used)>,
}

impl Run<'_> {
    async fn phase(&mut self, phase: usize, length: Duration) -> anyhow::Result<()> {
        self.traffic.enter(phase)?;
        let usage = self.company.usage();
        sleep(length).await;
        self.note(phase, usage);
        Ok(())
    }

    fn note(&mut self, phase: usize, usage: Usage) {
        let used = usage.end();
        let Figures { p50, p99, count } = Figures::of(&self.ledger, &[phase]);
        let by: Vec<_> = used.by.iter().map(|(name, seconds)| format!("{name} {seconds:.1}")).collect();
        eprintln!(
            "outage: {}: the others' p50 {p50:.2} ms, p99 {p99:.2} ms of {count}, strangers used {:.2} processors, \
             seconds {by:?}",
            name_of(phase),
            used.strangers
        );
        self.used.push((phase, used));
    }
}

fn name_of(phase: usize) -> &'static str {
    match phase {
        BEFORE => "before",
        CATCHING_UP => "catching up",
        AFTER => "after",
        fault => FAULT_NAMES.get(fault.wrapping_sub(FAULTS)).copied().unwrap_or("warm"),
    }
}

/// Milliseconds on the channels that stay well.
struct Figures {
    p50: f64,
    p99: f64,
    count: usize,
}

impl Figures {
    fn of(ledger: &Ledger, phases: &[usize]) -> Self {
        let mut latencies = ledger.latencies(&WELL, phases);
        Self {
            p50: percentile(&mut latencies, 0.5) / 1000.0,
            p99: percentile(&mut latencies, 0.99) / 1000.0,
            count: latencies.len(),
        }
    }
}

/// What the outage costs the others.
fn others(ledger: &Ledger, window: Duration, report: &mut Report) {
    let faults: Vec<_> = (FAULTS..CATCHING_UP).collect();
    let calm = Figures::of(ledger, &[BEFORE, AFTER]);
    let outage = Figures::of(ledger, &faults);
    let mut row = |what: String, ours: f64, beside: f64, target| {
        let (beside, ratio) = (Some(beside), Some(ours / beside));
        report.row(Row { part: "outage", what, unit: "ms", ours, beside, ratio, target });
    };
    row("the others, agent → provider, p50".to_owned(), outage.p50, calm.p50, Target::None);
    row("the others, agent → provider, p99".to_owned(), outage.p99, calm.p99, Target::AtMost(1.10));
    for phase in faults {
        let what = format!("… while it is: {}, p99", name_of(phase));
        row(what, Figures::of(ledger, &[phase]).p99, calm.p99, Target::None);
    }
    let catching_up = Figures::of(ledger, &[CATCHING_UP]);
    row("… while it catches up, p99".to_owned(), catching_up.p99, calm.p99, Target::None);
    let windows = ledger.windows(&WELL, &[BEFORE, AFTER], window);
    let of = |pick: fn(f64, f64) -> f64| windows.iter().copied().reduce(pick).unwrap_or(f64::NAN);
    let what = format!("… calm by itself, {} s at a time: highest and lowest p99", window.as_secs());
    row(what, of(f64::max), of(f64::min), Target::None);
}

/// What became of what was written on the channel whose provider failed, and on the others.
fn left(ill: &str, accounts: &[Account], backlog: usize, caught_up: Duration, report: &mut Report) {
    let mut row = |what: String, unit, ours, target| {
        report.row(Row { part: "outage", what, unit, ours, beside: None, ratio: None, target });
    };
    let its = &accounts[ILL];
    row(format!("{ill}: accepted"), "", its.accepted as f64, Target::None);
    row(format!("{ill}: delivered once"), "", its.delivered as f64, Target::None);
    row(format!("{ill}: in doubt, and said so"), "", its.doubted as f64, Target::None);
    row("… of which were delivered".to_owned(), "", its.doubted_and_delivered as f64, Target::None);
    row(format!("{ill}: given up, and said so"), "", its.failed as f64, Target::AtMost(0.0));
    row(format!("{ill}: lost"), "", its.lost as f64, Target::AtMost(0.0));
    row(format!("{ill}: delivered twice"), "", its.twice as f64, Target::AtMost(0.0));
    row(format!("{ill}: out of order"), "", its.disordered as f64, Target::AtMost(0.0));
    let wrong = |it: &Account| it.lost + it.twice + it.disordered + it.doubted + it.failed;
    let others: u64 = WELL.iter().map(|channel| wrong(&accounts[*channel])).sum();
    row("the others: any of these".to_owned(), "", others as f64, Target::AtMost(0.0));
    row(format!("{ill}: waiting when its provider was well again"), "", backlog as f64, Target::None);
    row("… until all of that had left".to_owned(), "s", caught_up.as_secs_f64(), Target::None);
}

fn phases(ledger: &Ledger, used: &[(usize, Used)]) -> Vec<Value> {
    let one = |(phase, used): &(usize, Used)| {
        let Figures { p50, p99, count } = Figures::of(ledger, &[*phase]);
        json!({
            "phase": name_of(*phase), "p50_ms": p50, "p99_ms": p99, "replies": count,
            "processor_seconds": used.by.iter().copied().collect::<std::collections::BTreeMap<_, _>>(),
            "strangers_processors": used.strangers,
        })
    };
    used.iter().map(one).collect()
}
