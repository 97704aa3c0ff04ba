//! One child process: started in a group of its own with its output in a log file, signalled, awaited, ended with us.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use super::{ServerError, locate};

/// How often a condition that cannot be awaited is looked at.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Process {
    name: &'static str,
    child: Child,
    /// Where this run's part of the log begins.
    log_start: u64,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, appending what it prints to `log`.
    pub(super) fn spawn(
        name: &'static str,
        program: &Path,
        arguments: &[PathBuf],
        directory: &Path,
        log: &Path,
    ) -> Result<Self, ServerError> {
        let unwritable = |source| ServerError::Directory { path: log.to_owned(), source };
        let output = OpenOptions::new().create(true).append(true).open(log).map_err(unwritable)?;
        let log_start = output.metadata().map_err(unwritable)?.len();
        let mut command = command_that_ends_with_us(program);
        command
            .args(arguments)
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output.try_clone().map_err(unwritable)?)
            .stderr(output)
            // A group of its own: Ctrl-C in the terminal must reach us, and let us stop the servers last.
            .process_group(0);
        let child = spawn_from_keeper(command)
            .map_err(|source| ServerError::Spawn { program: program.to_owned(), source })?;
        Ok(Self { name, child, log_start, log: log.to_owned() })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the child ended, if it did.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>, ServerError> {
        self.child.try_wait().map_err(|source| ServerError::Signal { name: self.name, source })
    }

    pub(super) fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        kill_process(self.living()?, signal)
            .map_err(|errno| ServerError::Signal { name: self.name, source: errno.into() })
    }

    /// Freezes the child. The signal is only on its way when sending it is done, and a thread that runs goes on until it
    /// arrives: waits until all stand still, or have ended.
    pub(super) fn pause(&self) -> Result<(), ServerError> {
        self.signal(Signal::STOP)?;
        let still = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(self.living()?), still)
            .map_err(|errno| ServerError::Signal { name: self.name, source: errno.into() })?;
        Ok(())
    }

    fn living(&self) -> Result<Pid, ServerError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        pid.ok_or(ServerError::NotRunning { name: self.name })
    }

    /// Kills the child at once and waits for its end, which SIGKILL makes immediate.
    pub(super) fn kill(&mut self) {
        // Both fail only for a child that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks the child to end and waits; kills it when it has not ended within `patience`.
    pub(super) async fn stop(&mut self, patience: Duration) -> Result<(), ServerError> {
        self.signal(Signal::TERM)?;
        // A paused child would meet the request only when it goes on.
        self.signal(Signal::CONT)?;
        let deadline = Instant::now() + patience;
        while self.ended()?.is_none() {
            if Instant::now() >= deadline {
                self.kill();
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// What this run has logged: its last 4 KiB.
    pub(super) fn log_tail(&self) -> String {
        read_tail(&self.log, self.log_start).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_tail(log: &Path, from: u64) -> io::Result<String> {
    let mut file = File::open(log)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(from.max(end.saturating_sub(4096))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// On Linux the child is killed by the kernel when we end, even by SIGKILL. Setting that needs code between fork and
/// exec, which safe Rust does not have, so `setpriv` (util-linux) does it where it is installed and able.
fn command_that_ends_with_us(program: &Path) -> Command {
    static SETPRIV: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
        let setpriv = cfg!(target_os = "linux").then(|| locate::on_path("setpriv")).flatten()?;
        let able = Command::new(&setpriv)
            .args(["--pdeathsig", "KILL", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        able.is_ok_and(|status| status.success()).then_some(setpriv)
    });
    match SETPRIV.as_deref() {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Starts a child from a thread that lives as long as we do: "parent death" on Linux means the death of the *thread*
/// that started the child, and a runtime's threads come and go.
fn spawn_from_keeper(command: Command) -> io::Result<Child> {
    type Order = (Command, SyncSender<io::Result<Child>>);
    static KEEPER: LazyLock<Sender<Order>> = LazyLock::new(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, answer) in inbox {
                if let Err(mpsc::SendError(Ok(mut orphan))) = answer.send(command.spawn()) {
                    let _ = orphan.kill();
                    let _ = orphan.wait();
                }
            }
        });
        orders
    });
    let gone = || io::Error::other("the thread that starts servers has ended");
    let (answer, outcome) = mpsc::sync_channel(1);
    KEEPER.send((command, answer)).map_err(|_| gone())?;
    outcome.recv().map_err(|_| gone())?
}
