//! One `heliograph` process.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use heliograph_runtime::http_client::{HttpClient, HttpClientOptions};
use tokio::process::{Child, Command};

use crate::eventually;

/// The binary under test, beside the test's own.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().and_then(Path::parent).expect("tests are built into target/<profile>/deps");
    let binary = folder.join("heliograph");
    assert!(binary.exists(), "{} is missing: build it with `cargo build -p heliograph`", binary.display());
    binary
}

/// A free port of 127.0.0.1, below the ephemeral range so that no outgoing connection takes it in the meantime.
pub fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = 20_000 + (std::process::id() % 8_000) as u16;
    loop {
        let port = start + NEXT.fetch_add(1, Ordering::Relaxed) % 4_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A running process; it is killed when dropped.
pub struct Process {
    name: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
    http: String,
    child: Child,
}

impl Process {
    /// Starts `heliograph <args>` and waits until it is ready at `http` (an address).
    pub async fn start(
        name: &str,
        args: Vec<String>,
        env: Vec<(String, String)>,
        http: &str,
        logs: &Path,
    ) -> Self {
        let log = logs.join(format!("{name}.log"));
        let child = spawn(&args, &env, &log);
        let process = Self { name: name.to_owned(), args, env, log, http: http.to_owned(), child };
        process.ready().await;
        process
    }

    /// Waits until `/readyz` answers 200.
    pub async fn ready(&self) {
        let client =
            HttpClient::new(&HttpClientOptions::default()).expect("the default options make a client");
        let url = format!("http://{}/readyz", self.http);
        eventually(&format!("{} at {url}; see {}", self.name, self.log.display()), || async {
            let response = client.send(client.get(url.as_str())).await.ok()?;
            response.status().is_success().then_some(())
        })
        .await;
    }

    /// Kill -9, and wait for the end.
    pub async fn kill9(&mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    /// SIGTERM, and the exit code.
    pub async fn terminate(&mut self) -> Option<i32> {
        let pid = self.child.id().expect("the child is running");
        let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
        assert!(status.expect("kill runs").success());
        self.child.wait().await.expect("a child can be waited for").code()
    }

    /// Starts it again as it was, without waiting.
    pub fn restart(&mut self) {
        self.child = spawn(&self.args, &self.env, &self.log);
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the child is running")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

fn spawn(args: &[String], env: &[(String, String)], log: &Path) -> Child {
    let file = File::options().create(true).append(true).open(log).expect("the log can be written");
    let errors = file.try_clone().expect("a file handle can be cloned");
    Command::new(binary())
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts")
}
