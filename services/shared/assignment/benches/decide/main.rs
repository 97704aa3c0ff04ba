//! What a decision costs, however many agents there are and however much waits.
//!
//! `cargo bench -p heliograph-assignment --bench decide` prints three tables and draws `target/assignment-cost.svg`:
//! how many decisions a second one core makes in a busy centre and in the largest there are, with a backlog; what a
//! decision costs from a hundred agents to a hundred thousand, with the line that fits; and how long a restore takes.
//! `--quick` measures a tenth of it.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a measurement fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a measurement needs the clock and a file for its picture")]

mod centre;
mod chart;

use std::time::Instant;

use centre::{Centre, Size};
use heliograph_assignment::Machine;

/// What was measured of one centre.
struct Measured {
    decisions: u64,
    /// Of each entry, in nanoseconds, sorted.
    entries: Vec<u32>,
}

impl Measured {
    fn new(centre: &mut Centre, entries: usize) -> Self {
        // Everything that is only made once is made.
        centre.run(entries / 4);
        let (decisions, mut times) = centre.run(entries);
        times.sort_unstable();
        Self { decisions, entries: times }
    }

    fn seconds(&self) -> f64 {
        self.entries.iter().map(|nanos| f64::from(*nanos)).sum::<f64>() / 1e9
    }

    fn rate(&self) -> f64 {
        self.decisions as f64 / self.seconds()
    }

    /// What so many of a thousand entries cost at most, in microseconds.
    fn at(&self, thousandths: usize) -> f64 {
        f64::from(self.entries[(self.entries.len() * thousandths / 1_000).min(self.entries.len() - 1)]) / 1e3
    }

    fn nanos_per_decision(&self) -> f64 {
        self.seconds() * 1e9 / self.decisions as f64
    }
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let scale = if quick { 10 } else { 1 };
    if !std::env::args().any(|a| a == "--only-restore") {
        speed(scale);
        growth(scale);
    }
    restore();
}

fn speed(scale: usize) {
    println!("\n## Decisions a second on one core\n");
    println!(
        "{:<34} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10}",
        "centre", "decisions/s", "entries/s", "p50 µs", "p99 µs", "p99.9 µs", "lanes"
    );
    let sizes = [
        ("1,000 agents, 50 skills", Size { agents: 1_000, skills: 50, kinds: 500, backlog: 0 }, 500_000.0),
        (
            "10,000 agents, 200 skills, 100,000 wait",
            Size { agents: 10_000, skills: 200, kinds: 2_000, backlog: 100_000 },
            200_000.0,
        ),
        (
            "the same, ten times as many kinds",
            Size { agents: 10_000, skills: 200, kinds: 20_000, backlog: 100_000 },
            200_000.0,
        ),
    ];
    for (name, size, wanted) in sizes {
        let mut centre = Centre::new(size);
        let measured = Measured::new(&mut centre, 2_000_000 / scale);
        println!(
            "{name:<34} {:>12.0} {:>10.0} {:>10.2} {:>10.2} {:>10.2} {:>10}   {:.1} of {wanted:.0} wanted; {} wait",
            measured.rate(),
            measured.entries.len() as f64 / measured.seconds(),
            measured.at(500),
            measured.at(990),
            measured.at(999),
            size.kinds,
            measured.rate() / wanted,
            centre.waiting(),
        );
    }
}

fn growth(scale: usize) {
    println!("\n## What a decision costs, from 10² to 10⁵ agents\n");
    println!("{:>10} {:>14} {:>12} {:>12}", "agents", "ns/decision", "fit", "p99 µs");
    let mut points = Vec::new();
    for agents in [100_usize, 316, 1_000, 3_162, 10_000, 31_623, 100_000] {
        let mut centre = Centre::new(Size { agents, skills: 50, kinds: 500, backlog: 0 });
        let measured = Measured::new(&mut centre, (400_000 / scale).max(2 * agents));
        points.push((agents as f64, measured.nanos_per_decision(), measured.at(990)));
    }
    let (base, slope) = fit(points.iter().map(|(agents, cost, _)| (agents.log2(), *cost)));
    for (agents, cost, p99) in &points {
        println!("{agents:>10} {cost:>14.0} {:>12.0} {p99:>12.2}", base + slope * agents.log2());
    }
    let (_, exponent) = fit(points.iter().map(|(agents, cost, _)| (agents.ln(), cost.ln())));
    println!("\ncost = {base:.0} + {slope:.1} · log₂ n ns; as a power of n the exponent is {exponent:.3}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/assignment-cost.svg");
    let drawn = chart::draw(&points.iter().map(|(n, cost, _)| (*n, *cost)).collect::<Vec<_>>(), base, slope);
    match std::fs::write(path, drawn) {
        Ok(()) => println!("drawn in target/assignment-cost.svg"),
        Err(error) => eprintln!("the picture could not be written: {error}"),
    }
}

/// The line through points by least squares: its height at 0, and its slope.
fn fit(points: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let count = points.clone().count() as f64;
    let (x, y) = points.clone().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
    let (x, y) = (x / count, y / count);
    let (above, below) = points.fold((0.0, 0.0), |(above, below), point| {
        (above + (point.0 - x) * (point.1 - y), below + (point.0 - x).powi(2))
    });
    let slope = above / below;
    (y - slope * x, slope)
}

fn restore() {
    println!("\n## Restore of 10,000 agents and 100,000 that wait\n");
    println!(
        "{:>14} {:>12} {:>12} {:>26}",
        "kinds of work", "MB as JSON", "written, s", "read and indexed, s"
    );
    // The last: no two customers ask for the same.
    for kinds in [2_000, 20_000, 100_000] {
        let centre = Centre::new(Size { agents: 10_000, skills: 200, kinds, backlog: 100_000 });
        let started = Instant::now();
        let snapshot = serde_json::to_vec(centre.machine()).unwrap();
        let written = started.elapsed();
        let started = Instant::now();
        let restored: Machine = serde_json::from_slice(&snapshot).unwrap();
        let read = started.elapsed();
        assert_eq!(&restored, centre.machine());
        println!(
            "{kinds:>14} {:>12.1} {:>12.2} {:>26.2}",
            snapshot.len() as f64 / 1e6,
            written.as_secs_f64(),
            read.as_secs_f64()
        );
    }
}
