//! Idle memory and time to ready of each service.

use std::{fs, path::Path, time::Duration};

use serde_json::json;

use crate::{
    fleet::Service,
    ground::{self, Ground},
    report::{Report, Row, Target},
};

/// Every target of `heliograph run`.
const SERVICES: [&str; 9] =
    ["router", "egress", "desk", "streams", "admin", "sms", "webchat", "wechat", "bottle"];
/// How long a service rests before its memory is read.
const REST: Duration = Duration::from_secs(5);
const MIB: f64 = 1024.0 * 1024.0;

/// Starts one service after another.
pub(crate) async fn measure(
    ground: &Ground,
    quick: bool,
    out: &Path,
    report: &mut Report,
) -> anyhow::Result<()> {
    ground.apply(&ground::tenant("http://127.0.0.1:9")).await?;
    let addresses = ground.addresses();
    let mut running = Vec::new();
    for name in SERVICES {
        // Twice: the first reads the program from disk, and is what a cold machine sees.
        let cold = Service::start(name, &addresses, &[], out).await?.ready_after;
        let service = Service::start(name, &addresses, &[], out).await?;
        eprintln!("start: {name} {:.3} s, {:.3} s", cold.as_secs_f64(), service.ready_after.as_secs_f64());
        running.push((service, cold));
    }
    tokio::time::sleep(if quick { Duration::ZERO } else { REST }).await;
    let mut figures = Vec::new();
    for (service, cold) in &running {
        let (ready, memory) = (service.ready_after.as_secs_f64(), resident(service.pid()) / MIB);
        figures.push(json!({
            "service": service.name, "ready_s": ready, "first_ready_s": cold.as_secs_f64(), "resident_mib": memory,
        }));
        let row = |what, unit, ours, target| Row {
            part: "start",
            what: format!("{}: {what}", service.name),
            unit,
            ours,
            beside: None,
            ratio: None,
            target,
        };
        report.row(row("time to ready", "s", ready.max(cold.as_secs_f64()), Target::AtMost(2.0)));
        report.row(row("idle memory", "MiB", memory, Target::AtMost(30.0)));
    }
    report.detail("start", json!(figures));
    Ok(())
}

/// Resident memory of a process, in bytes.
fn resident(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib * 1024.0)
}
