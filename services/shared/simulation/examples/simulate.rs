//! Runs scenario files and prints their tables: what `make simulate` calls, so that nobody has to build the fleet first.
//!
//! `simulate [--out FOLDER] [--replications N] [--seed N] FILE…` writes a report beside the others into FOLDER for each
//! file. The exit code is 1 where a scenario misses what it checks.
#![allow(
    clippy::disallowed_methods,
    reason = "the shell around a pure crate reads files, writes reports and has threads"
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
    let outcome = Wanted::read(env::args().skip(1)).and_then(|wanted| {
        wanted.files.iter().try_fold(true, |passed, file| Ok(wanted.run(file)? && passed))
    });
    match outcome {
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
            let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is no number"));
            match arg.as_str() {
                "--out" => wanted.out = Some(value()?.into()),
                "--seed" => wanted.seed = Some(number(value()?)?),
                "--replications" => wanted.replications = u32::try_from(number(value()?)?).ok(),
                _ => wanted.files.push(arg.into()),
            }
        }
        if wanted.files.is_empty() { Err("name a scenario file".to_owned()) } else { Ok(wanted) }
    }

    fn run(&self, file: &Path) -> Result<bool, String> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| format!("cannot read {name}: {error}"))?;
        let scenario = Scenario::read(&name, &text).map_err(|problems| problems.to_string())?;
        let started = Instant::now();
        let findings = study(Study::new(&scenario, self.seed, self.replications));
        let seconds = started.elapsed().as_secs_f64();
        println!("{}", report::tables(&findings));
        println!(
            "  {name}: {seconds:.1} s, {:.0} entries and {:.0} decisions a second\n",
            findings.summary.entries as f64 / seconds,
            findings.summary.decisions as f64 / seconds
        );
        if let Some(folder) = &self.out {
            let page = folder.join(file.with_extension("html").file_name().unwrap_or(file.as_os_str()));
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&page, report::page(&findings)))
                .map_err(|error| format!("cannot write {}: {error}", page.display()))?;
        }
        Ok(findings.passed())
    }
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
