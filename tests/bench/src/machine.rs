//! What the figures were made on, and who else was using it.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::sleep;

/// Others may use this much of one processor before a measurement waits for them.
const QUIET: f64 = 0.3;

/// Processor, memory, kernel and load of this machine.
pub(crate) fn facts() -> Value {
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    json!({
        "processor": field(&read("/proc/cpuinfo"), "model name"),
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_average_at_start": read("/proc/loadavg").trim(),
    })
}

/// Waits until nobody uses much of the machine, or `patience` is over; says how much was used at last, in processors.
pub(crate) async fn wait_for_quiet(patience: Duration) -> f64 {
    let begun = Instant::now();
    loop {
        let (before, at) = (busy_seconds(), Instant::now());
        sleep(Duration::from_millis(300)).await;
        let used = (busy_seconds() - before) / at.elapsed().as_secs_f64();
        if used < QUIET || begun.elapsed() >= patience {
            return used;
        }
    }
}

/// Seconds for which any processor was busy since the machine started.
pub(crate) fn busy_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let mut fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<f64> = fields.by_ref().take(8).filter_map(|field| field.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    (ticks.iter().sum::<f64>() - idle) / super::process::TICKS_PER_SECOND
}
