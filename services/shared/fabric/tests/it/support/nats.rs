//! A nats-server of one test's own: free port, own directory, gone with the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running nats-server.
pub(crate) struct Nats {
    dir: TempDir,
    child: Option<Child>,
    port: u16,
}

impl Nats {
    /// Starts one on a port of its choice.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut nats = Self { dir, child: None, port: 0 };
        nats.launch("-1");
        nats.port = nats.read_port().await;
        nats
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Starts it again on the same port, with what it had stored.
    pub(crate) fn revive(&mut self) {
        let port = self.port.to_string();
        self.launch(&port);
    }

    /// Kills and starts again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.revive();
    }

    /// Stops it without closing a connection, as a network that loses everything would.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP");
        // The signal is on its way when `kill` returns; some thread may still answer.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.is_frozen() {
            assert!(Instant::now() < deadline, "nats-server does not stop");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Whether every thread of the server is stopped, as Linux tells it.
    fn is_frozen(&self) -> bool {
        let tasks = format!("/proc/{}/task", self.child.as_ref().unwrap().id());
        let Ok(tasks) = std::fs::read_dir(tasks) else { return true };
        tasks.flatten().all(|task| {
            // `<id> (<name>) <state> …`
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
        })
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    fn launch(&mut self, port: &str) {
        let child = Command::new(binary())
            .args(["-a", "127.0.0.1", "-p", port, "-js", "-sd"])
            .arg(self.dir.path().join("store"))
            .arg("--ports_file_dir")
            .arg(self.dir.path())
            .arg("-l")
            .arg(self.dir.path().join("log"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.expect("nats-server starts (make tools fetches it)"));
    }

    async fn read_port(&self) -> u16 {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(port) =
                std::fs::read_dir(self.dir.path()).unwrap().flatten().find_map(|entry| port_in(&entry.path()))
            {
                return port;
            }
            assert!(Instant::now() < deadline, "nats-server did not write its ports file");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        // A frozen process can be killed, too.
        self.kill();
    }
}

fn port_in(path: &Path) -> Option<u16> {
    if path.extension()? != "ports" {
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    let ports: serde_json::Value = serde_json::from_str(&text).ok()?;
    ports["nats"][0].as_str()?.rsplit(':').next()?.parse().ok()
}

fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("HELIOGRAPH_NATS_SERVER") {
        return path.into();
    }
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../.tools/bin/nats-server");
    if tools.exists() { tools } else { "nats-server".into() }
}
