//! Runs scenario files and prints their tables: what `make simulate` calls, so that nobody has to build the fleet first.
//!
//! `simulate [--out FOLDER] [--replications N] [--seed N] [FILE…]` runs the scenarios that come with the code where no file
//! is named, and writes a report of each into FOLDER. The exit code is 1 where a scenario misses what it checks.
#![allow(
    clippy::disallowed_methods,
    reason = "the shell around a pure crate reads files, writes reports, looks at the clock and has threads"
)]
#![allow(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Instant,
};

use heliograph_simulation::{Findings, Scenario, Study, report};

fn main() -> ExitCode {
    match Wanted::read(env::args().skip(1)).and_then(|wanted| wanted.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(2)
        }
    }
}

/// What was asked for.
#[derive(Default)]
struct Wanted {
    files: Vec<PathBuf>,
    out: Option<PathBuf>,
    seed: Option<u64>,
    replications: Option<u32>,
}

impl Wanted {
    fn read(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self::default();
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} needs a value"));
            match arg.as_str() {
                "--out" => wanted.out = Some(value()?.into()),
                "--seed" => wanted.seed = Some(number(&value()?)?),
                "--replications" => wanted.replications = Some(number(&value()?)?),
                _ => wanted.files.push(arg.into()),
            }
        }
        if wanted.files.is_empty() {
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/samples/simulate");
            let unreadable = |error| format!("cannot read {}: {error}", samples.display());
            wanted.files = scenarios(&samples).map_err(unreadable)?;
        }
        Ok(wanted)
    }

    /// Runs every file; whether each holds what it checks.
    fn run(&self) -> Result<bool, String> {
        let mut lines = Vec::new();
        let mut passed = true;
        for file in &self.files {
            let name = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
            eprintln!("simulating {name} …");
            let started = Instant::now();
            let findings = self.study(file)?;
            let seconds = started.elapsed().as_secs_f64();
            println!("{}", report::tables(&findings));
            let customers = findings.summary.customers * findings.summary.replications as f64;
            let entries = findings.summary.entries as f64;
            let verdict = if findings.passed() { "ok" } else { "MISSED" };
            lines.push(format!(
                "{name:<26} {seconds:>7.1} s {customers:>11.0} customers {entries:>11.0} entries   {verdict}"
            ));
            passed &= findings.passed();
        }
        println!("{}", lines.join("\n"));
        Ok(passed)
    }

    fn study(&self, file: &Path) -> Result<Findings, String> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
        let scenario = Scenario::read(&name, &text).map_err(|problems| problems.to_string())?;
        let findings = study(Study::new(&scenario, self.seed, self.replications));
        if let Some(folder) = &self.out {
            let page = folder.join(file.with_extension("html").file_name().unwrap_or(file.as_os_str()));
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&page, report::page(&findings)))
                .map_err(|error| format!("cannot write {}: {error}", page.display()))?;
        }
        Ok(findings)
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is no number that would do"))
}

/// Every scenario in a folder and in the folders within it, in order of their names.
fn scenarios(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries =
        folder.read_dir()?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            found.extend(scenarios(&entry)?);
        } else if entry.extension().is_some_and(|extension| extension == "yaml") {
            found.push(entry);
        }
    }
    Ok(found)
}

fn study(mut study: Study) -> Findings {
    let screenings = side_by_side(study.screenings(), |number| study.screen(number));
    study.narrow(screenings);
    let pieces = side_by_side(study.replications(), |number| study.replicate(number));
    study.conclude(pieces)
}

/// The pieces of work `0..count`, on as many threads as there are, in order.
fn side_by_side<T: Send>(count: u32, work: impl Fn(u32) -> T + Sync) -> Vec<T> {
    let next = AtomicU32::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return done;
            }
            done.push((number, work(number)));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(u32, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(take)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a piece of work does not panic"))
            .collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, done)| done).collect()
}
