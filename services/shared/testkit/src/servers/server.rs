//! A server of one's own, whatever it serves: start, restart, kill, pause, end.

use std::fs;
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::process::{POLL, Process};
use super::{ServerError, locate};

/// How long a server may take to answer: starting is a matter of milliseconds, recovering a large store is not.
const START_PATIENCE: Duration = Duration::from_mins(1);
/// How long one look at a port may take; a server that is loading may accept and be silent.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);
/// How long a server may take to write everything down before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(10);
/// How often a port that is taken is tried again.
const BIND_ATTEMPTS: u32 = 20;

/// What differs between the servers.
pub trait Kind {
    /// Its name in files and messages.
    const NAME: &'static str;
    /// The scheme of its URL.
    const SCHEME: &'static str;
    /// The environment variable that names its program.
    const VARIABLE: &'static str;
    /// Its programs' names, the preferred one first.
    const PROGRAMS: &'static [&'static str];
    /// What can be asked of it.
    type Options: Default;

    /// The directory to keep data in, and the port, where they are given.
    fn place(options: &Self::Options) -> (Option<&Path>, Option<u16>);
    /// The configuration file. `id` is unique to this server.
    fn configuration(options: &Self::Options, directory: &Path, port: u16, id: &str) -> String;
    /// The arguments that make the program read `file`.
    fn arguments(file: &Path) -> Vec<PathBuf>;
    /// True when the other end of `stream` is the very server with this `id` and process id, and is ready to work.
    fn ready(stream: TcpStream, id: &str, pid: u32) -> impl Future<Output = bool> + Send;
}

/// A running server. Dropping it kills it and removes its data, unless a directory was given.
#[derive(Debug)]
pub struct Server<K: Kind> {
    process: Option<Process>,
    program: PathBuf,
    options: K::Options,
    id: String,
    port: u16,
    directory: PathBuf,
    temporary: Option<TempDir>,
}

impl<K: Kind> Server<K> {
    /// Starts a server with default options: free port, temporary data.
    pub async fn start() -> Result<Self, ServerError> {
        Self::start_with(K::Options::default()).await
    }

    /// Starts a server and returns when it is ready to work.
    pub async fn start_with(options: K::Options) -> Result<Self, ServerError> {
        let program = locate::program(K::VARIABLE, K::PROGRAMS)?;
        let (given_directory, given_port) = K::place(&options);
        let (directory, temporary) = directory_for(given_directory)?;
        let id = format!("{}-{:016x}", K::NAME, rand::random::<u64>());
        let mut server = Self { process: None, program, options, id, port: 0, directory, temporary };
        server.launch(given_port).await?;
        Ok(server)
    }

    /// `nats://127.0.0.1:<port>` or `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", K::SCHEME, self.port)
    }

    /// The port on 127.0.0.1, the same over restarts.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id while the server has not been stopped or killed.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Where its data, configuration and log are.
    pub fn data_dir(&self) -> &Path {
        &self.directory
    }

    /// The file that holds everything the server printed, over all its runs.
    pub fn log_file(&self) -> PathBuf {
        self.directory.join(format!("{}.log", K::NAME))
    }

    /// True while the process lives, also when it is paused; false after it ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.ended(), Ok(None)))
    }

    /// Kills the server as `kill -9` does; data it had not written is lost.
    pub fn kill9(&mut self) {
        self.process = None;
    }

    /// Lets the server end in order: it writes everything down first. Nothing happens when it is not running.
    pub async fn stop(&mut self) -> Result<(), ServerError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        if process.ended()?.is_none() { process.stop(STOP_PATIENCE).await } else { Ok(()) }
    }

    /// Starts the server again on the same port and data, stopping it first if it runs.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.stop().await?;
        self.launch(Some(self.port)).await
    }

    /// Freezes the server (SIGSTOP): connections stay, nothing answers.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.running()?.pause()
    }

    /// Lets a frozen server go on (SIGCONT).
    pub fn resume(&self) -> Result<(), ServerError> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), ServerError> {
        self.running()?.signal(signal)
    }

    fn running(&self) -> Result<&Process, ServerError> {
        self.process.as_ref().ok_or(ServerError::NotRunning { name: K::NAME })
    }

    /// Starts the process on `port`, or on a free one, until it answers. Somebody may take a port between our look and
    /// the server's bind: then a free port is drawn again, and a fixed one is tried again.
    async fn launch(&mut self, port: Option<u16>) -> Result<(), ServerError> {
        for attempt in 1.. {
            self.port = port.unwrap_or_else(free_port);
            match self.launch_once().await {
                Err(ServerError::Exited { ref tail, .. })
                    if attempt < BIND_ATTEMPTS && is_bind_failure(tail) =>
                {
                    sleep(Duration::from_millis(100)).await;
                }
                outcome => return outcome,
            }
        }
        unreachable!("the loop ends by returning")
    }

    async fn launch_once(&mut self) -> Result<(), ServerError> {
        let file = self.directory.join(format!("{}.conf", K::NAME));
        let configuration = K::configuration(&self.options, &self.directory, self.port, &self.id);
        fs::write(&file, configuration)
            .map_err(|source| ServerError::Directory { path: file.clone(), source })?;
        let arguments = K::arguments(&file);
        let mut process =
            Process::spawn(K::NAME, &self.program, &arguments, &self.directory, &self.log_file())?;
        let deadline = Instant::now() + START_PATIENCE;
        while !self.answers(process.pid()).await {
            let (name, port) = (K::NAME, self.port);
            if let Some(status) = process.ended()? {
                return Err(ServerError::Exited { name, port, status, tail: process.log_tail() });
            }
            if Instant::now() >= deadline {
                return Err(ServerError::Silent {
                    name,
                    port,
                    waited: START_PATIENCE,
                    tail: process.log_tail(),
                });
            }
            sleep(POLL).await;
        }
        self.process = Some(process);
        Ok(())
    }

    async fn answers(&self, pid: u32) -> bool {
        let look = async {
            match TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await {
                Ok(stream) => K::ready(stream, &self.id, pid).await,
                Err(_) => false,
            }
        };
        timeout(PROBE_PATIENCE, look).await.unwrap_or(false)
    }
}

impl<K: Kind> Drop for Server<K> {
    fn drop(&mut self) {
        self.process = None;
        // A failing test is explained by what its servers said.
        if std::thread::panicking()
            && let Some(temporary) = self.temporary.take()
        {
            eprintln!("{} kept its data and log in {}", K::NAME, temporary.keep().display());
        }
    }
}

/// The given directory, made if need be, or a temporary one and the handle that removes it.
fn directory_for(given: Option<&Path>) -> Result<(PathBuf, Option<TempDir>), ServerError> {
    let unwritable = |path: &Path, source| ServerError::Directory { path: path.to_owned(), source };
    if let Some(path) = given {
        fs::create_dir_all(path).map_err(|source| unwritable(path, source))?;
        let path = fs::canonicalize(path).map_err(|source| unwritable(path, source))?;
        return Ok((path, None));
    }
    let temporary = tempfile::Builder::new().prefix("heliograph-").tempdir();
    let temporary = temporary.map_err(|source| unwritable(&std::env::temp_dir(), source))?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

fn is_bind_failure(log: &str) -> bool {
    log.to_ascii_lowercase().contains("address already in use")
}

/// A port nobody listens on, below the range from which Linux and macOS draw the ports of outgoing connections: so
/// nobody takes it by chance while the server is down.
pub(super) fn free_port() -> u16 {
    loop {
        let port = rand::random_range(10_000..32_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
