//! The services as production runs them: a process each, from the binary beside this one.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
    time::sleep,
};

use crate::ground::Addresses;

/// How long a service may take to be ready before the bench gives up.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often readiness is asked for: the resolution of the time to ready.
const LOOK: Duration = Duration::from_millis(3);

/// A running service.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    /// From starting the process to the first 200 of `/readyz`.
    pub(crate) ready_after: Duration,
    log: PathBuf,
}

/// The binary that was built together with this one.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("heliograph");
    ensure!(path.is_file(), "{} is not there: build it with the same profile", path.display());
    Ok(path)
}

impl Service {
    /// Starts `heliograph run <name>` and waits until it is ready. Its log goes into `logs`.
    pub(crate) async fn start(
        name: &'static str,
        addresses: &Addresses,
        environment: &[(String, String)],
        logs: &Path,
    ) -> anyhow::Result<Self> {
        Self::start_as(name, name, addresses, environment, logs).await
    }

    /// The same, as one of several members, whose log has this name.
    pub(crate) async fn start_as(
        name: &'static str,
        member: &str,
        addresses: &Addresses,
        environment: &[(String, String)],
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let (http, grpc) = (free_address()?, free_address()?);
        let log = logs.join(format!("{member}.log"));
        let file = fs::File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let begun = Instant::now();
        let child = Command::new(binary()?)
            .args(["run", name, "--http", &http.to_string(), "--grpc", &grpc.to_string()])
            .args(["--nats-url", &addresses.nats, "--redis-url", &addresses.redis])
            // For an account whose provider is on this machine and whose secrets are made up.
            .env("HELIOGRAPH__CHANNEL__INLINE_SECRETS", "true")
            .env("HELIOGRAPH__CHANNEL__PRIVATE_NETWORKS", "true")
            .env("HELIOGRAPH__ADMIN__TOKEN", "made-up-bench-token")
            .env("HELIOGRAPH__DESK__DEV_USERS", "true")
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()?;
        let mut service = Self { name, child, http, grpc, ready_after: Duration::ZERO, log };
        while !ready(http).await {
            if let Some(status) = service.child.try_wait()? {
                bail!("{name} ended at its start ({status}); see {}", service.log.display());
            }
            ensure!(begun.elapsed() < PATIENCE, "{name} is not ready; see {}", service.log.display());
            sleep(LOOK).await;
        }
        service.ready_after = begun.elapsed();
        Ok(service)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> anyhow::Result<String> {
        fs::read_to_string(&self.log).with_context(|| format!("cannot read {}", self.log.display()))
    }

    /// `kill -9`.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.with_context(|| format!("{} cannot be killed", self.name))
    }

    /// Stops it in order.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let pid = self.pid().to_string();
        ensure!(
            Command::new("kill").args(["-TERM", &pid]).status().await?.success(),
            "no {} runs",
            self.name
        );
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.with_context(|| format!("{} does not stop", self.name))??;
        ensure!(status.success(), "{} stopped badly ({status}); see {}", self.name, self.log.display());
        Ok(())
    }
}

async fn ready(http: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(http).await?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").await?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).await?;
        std::io::Result::Ok(&head == b"HTTP/1.1 200")
    };
    ask.await.unwrap_or(false)
}

/// A port that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
