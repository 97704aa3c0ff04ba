//! Processes of our own, and what they cost.

use std::{
    fs,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, ChildStdin, Command},
};

/// Of `/proc/<pid>/stat`: the same on every Linux, whatever its timer.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// How long a process may take to say where it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A child of ours that serves until we let go of it.
pub(crate) struct Served {
    child: Child,
    /// It ends when this is closed, also when we are killed.
    _stdin: ChildStdin,
    pub(crate) addr: SocketAddr,
}

impl Served {
    /// Starts this program as `child`, and waits until it prints its address. Its log goes to `log`.
    pub(crate) async fn start(child: &str, arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let log = fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = Command::new(std::env::current_exe()?)
            .arg(child)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stdin = child.stdin.take().context("a piped stdin is there")?;
        let mut lines = BufReader::new(child.stdout.take().context("a piped stdout is there")?).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .context("a process of the bench never said where it listens")??
            .context("a process of the bench ended at its start; see its log")?;
        Ok(Self { child, _stdin: stdin, addr: line.parse()? })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }
}

/// Returns once whoever started us lets go of us.
pub(crate) async fn until_let_go() {
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread of its own: reading standard input cannot be cancelled.
    std::thread::spawn(move || {
        let ended = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        // Nobody waits any more when the server has ended first.
        let _ = tell.send(ended);
    });
    // The thread sends before it ends.
    let _ = told.await;
}

/// Processor seconds, user and system, that a process has used; 0 when it is gone.
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name, in parentheses, may hold anything; utime and stime are the 12th and 13th after it.
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

/// What several processes used over a span of time.
pub(crate) struct Usage {
    begun: Instant,
    busy: f64,
    before: Vec<(&'static str, u32, f64)>,
}

/// Processor seconds by process, and by everybody else.
pub(crate) struct Used {
    pub(crate) by: Vec<(&'static str, f64)>,
    /// Processors that strangers used meanwhile.
    pub(crate) strangers: f64,
}

impl Usage {
    /// Starts counting for these processes; our own should be among them.
    pub(crate) fn of(processes: &[(&'static str, u32)]) -> Self {
        let before = processes.iter().map(|(name, pid)| (*name, *pid, cpu_seconds(*pid))).collect();
        Self { begun: Instant::now(), busy: super::machine::busy_seconds(), before }
    }

    pub(crate) fn end(self) -> Used {
        let by: Vec<_> =
            self.before.iter().map(|(name, pid, before)| (*name, cpu_seconds(*pid) - before)).collect();
        let ours: f64 = by.iter().map(|(_, seconds)| seconds).sum();
        let busy = super::machine::busy_seconds() - self.busy;
        let strangers = ((busy - ours) / self.begun.elapsed().as_secs_f64()).max(0.0);
        Used { by, strangers }
    }
}
