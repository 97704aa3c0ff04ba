//! `heliograph simulate`.

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use anyhow::Context as _;
use clap::Args;
use heliograph_runtime::exit;
use heliograph_simulation::{Findings, Scenario, Study, report};

use crate::{failure::Usage, output};

/// Flags of `simulate`.
#[derive(Debug, Args)]
#[command(after_help = "No broker is needed. The same seed gives the same numbers, on any machine.
Exit code 1 where the scenario checks something (`check`) and misses it.

Examples:
  heliograph simulate -f deploy/samples/simulate/day.yaml --out monday.html
  heliograph simulate -f scenario.yaml --replications 100 --seed 7
  heliograph simulate -f scenario.yaml --json | jq '.summary.queues[].service_level'")]
pub struct SimulateArgs {
    /// The scenario, or - for standard input
    #[arg(short, long, value_name = "FILE")]
    pub file: String,
    /// Where the random numbers come from, instead of what the scenario says
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// How often it is run, instead of what the scenario says
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub replications: Option<u32>,
    /// Write a report with plots, one page of HTML
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Runs the scenario; 1 where it misses what it checks.
pub fn run(args: &SimulateArgs) -> anyhow::Result<u8> {
    let (name, text) = read(&args.file)?;
    let scenario = Scenario::read(&name, &text)?;
    let findings = study(Study::new(&scenario, args.seed, args.replications))?;
    if let Some(out) = &args.out {
        std::fs::write(out, report::page(&findings))
            .map_err(|error| Usage(format!("cannot write {}: {error}", out.display())))?;
        output::note(&format!("the report is in {}", out.display()));
    }
    if args.json {
        output::json(&findings)?;
    } else {
        output::line(report::tables(&findings).trim_end())?;
    }
    Ok(if findings.passed() { exit::OK } else { exit::FAILURE })
}

/// A file's name in problems, and its text.
fn read(file: &str) -> anyhow::Result<(String, String)> {
    let (name, text) = match file {
        "-" => ("stdin", io::read_to_string(io::stdin())),
        file => (file, std::fs::read_to_string(file)),
    };
    let text = text.map_err(|error| Usage(format!("cannot read {name}: {error}")))?;
    Ok((name.to_owned(), text))
}

fn study(mut study: Study) -> anyhow::Result<Findings> {
    let screenings = side_by_side("screening", study.screenings(), |number| study.screen(number))?;
    study.narrow(screenings);
    let pieces = side_by_side("replication", study.replications(), |number| study.replicate(number))?;
    Ok(study.conclude(pieces))
}

/// The pieces of work `0..count`, on as many threads as there are, in order.
fn side_by_side<T: Send>(what: &str, count: u32, work: impl Fn(u32) -> T + Sync) -> anyhow::Result<Vec<T>> {
    let next = AtomicU32::new(0);
    let progress = Mutex::new(Progress::new(what, count));
    let take = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(number)));
            if let Ok(mut progress) = progress.lock() {
                progress.step();
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        let mut all: Vec<(u32, T)> = Vec::new();
        for worker in workers {
            all.extend(worker.join().ok().context("a replication panicked")?);
        }
        anyhow::Ok(all)
    })?;
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, done)| done).collect())
}

/// How far the work is, on one line of a terminal, which is gone when it is done.
struct Progress<'a> {
    what: &'a str,
    count: u32,
    done: u32,
    shown: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str, count: u32) -> Self {
        Self { what, count, done: 0, shown: io::stderr().is_terminal() }
    }

    fn step(&mut self) {
        self.done += 1;
        if self.shown {
            // Nobody to tell is no failure.
            let _ = write!(io::stderr(), "\r{} {} of {}", self.what, self.done, self.count);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.shown && self.done > 0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
