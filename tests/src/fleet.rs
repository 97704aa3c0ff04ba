//! A fleet as platform teams run it: a process for each service, brokers beside them, stand-ins for the providers.

use std::{collections::BTreeMap, process::Output};

use heliograph_fabric::{Fabric, Options};
use heliograph_testkit::{
    sandbox::{Sandbox, SandboxOptions},
    servers::{NatsCluster, RedisServer},
};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    eventually,
    process::{Process, binary, free_port},
    tenant,
};

/// A running fleet; everything ends when it is dropped.
pub struct Fleet {
    /// The broker.
    pub nats: NatsCluster,
    /// The cache.
    pub redis: RedisServer,
    /// The providers.
    pub sandbox: Sandbox,
    processes: BTreeMap<String, Process>,
    ports: BTreeMap<String, (u16, u16)>,
    /// Settings of this fleet's own.
    settings: Vec<(String, String)>,
    folder: TempDir,
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("the fleet kept its logs in {}", self.folder.path().display());
        }
    }
}

impl Fleet {
    /// Starts the named services: channel names, `router`, `egress`, `desk`; a suffix tells members of one service
    /// apart: `router-2`. Provisions and applies the tenant first.
    pub async fn start(services: &[&str]) -> Self {
        Self::begin(1, services, &[]).await
    }

    /// The same with settings of its own, as environment variables without `HELIOGRAPH__`.
    pub async fn start_with(services: &[&str], settings: &[(&str, &str)]) -> Self {
        Self::begin(1, services, settings).await
    }

    /// The same on a broker of `size` nodes; every stream has a copy on each.
    pub async fn start_clustered(size: usize, services: &[&str]) -> Self {
        Self::begin(size, services, &[]).await
    }

    async fn begin(size: usize, services: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut nats = NatsCluster::start(size).await.expect("nats-server starts");
        let copies = nats.nodes().len().to_string();
        let redis = RedisServer::start().await.expect("the Redis server starts");
        let sandbox = Sandbox::start(SandboxOptions::default()).await.expect("the sandbox starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports = services.iter().map(|name| ((*name).to_owned(), (free_port(), free_port()))).collect();
        let settings =
            settings.iter().map(|(name, value)| (format!("HELIOGRAPH__{name}"), (*value).to_owned()));
        let settings = settings.collect();
        let mut fleet = Self { nats, redis, sandbox, processes: BTreeMap::new(), ports, settings, folder };
        // A cluster takes a moment to elect its leaders.
        eventually("provisioning", || async {
            let output = fleet.run(&["provision", "--replicas", &copies]).await;
            output.status.success().then_some(())
        })
        .await;
        fleet.apply(&fleet.tenant(str::to_owned)).await;
        for account in tenant::accounts() {
            let webhook = fleet.webhook_url(&account.channel, &account.name);
            fleet.sandbox.add_account(&account, &webhook);
        }
        for name in services {
            fleet.launch(name).await;
        }
        fleet
    }

    /// What `change` makes of the tenant's manifest.
    pub fn tenant<T>(&self, change: impl FnOnce(&str) -> T) -> T {
        let ingress = |channel: &str| self.http(channel).parse().expect("an address makes a URL");
        let base = |channel: &str, provider: Option<&str>| self.sandbox.provider_url(channel, provider);
        change(&tenant::manifest(base, ingress))
    }

    /// Applies a manifest.
    pub async fn apply(&self, manifest: &str) {
        self.cli(&["apply", "-f", &self.write(manifest)]).await;
    }

    /// Applies a manifest that has to be refused; what is said.
    pub async fn refused(&self, manifest: &str) -> String {
        let output = self.run(&["apply", "-f", &self.write(manifest)]).await;
        assert!(!output.status.success(), "the manifest was taken");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn write(&self, manifest: &str) -> String {
        let file = self.folder.path().join("acme.yaml");
        std::fs::write(&file, manifest).expect("the manifest can be written");
        file.to_str().expect("the path is UTF-8").to_owned()
    }

    /// Runs a command of the binary to its end; its output.
    pub async fn cli(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "heliograph {} failed: {errors}", args.join(" "));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    async fn run(&self, args: &[&str]) -> Output {
        let command = Command::new(binary()).args(args).envs(self.environment()).kill_on_drop(true).output();
        command.await.expect("the binary starts")
    }

    /// What every process of the fleet is told.
    pub fn environment(&self) -> Vec<(String, String)> {
        let mut environment = vec![
            ("HELIOGRAPH__NATS__URL".to_owned(), self.nats.url()),
            ("HELIOGRAPH__REDIS__URL".to_owned(), self.redis.url()),
            ("HELIOGRAPH__SHUTDOWN__DRAIN_SECONDS".to_owned(), "0".to_owned()),
            ("HELIOGRAPH__DESK__DEV_USERS".to_owned(), "true".to_owned()),
            ("HELIOGRAPH__DESK__SESSION_SECRET".to_owned(), "made-up-session-secret-of-32-bytes".to_owned()),
        ];
        for channel in tenant::CHANNELS {
            if let Some((_, grpc)) = self.ports.get(channel) {
                let name = format!("HELIOGRAPH__CHANNELS__{}__ENDPOINT", channel.to_uppercase());
                environment.push((name, format!("http://127.0.0.1:{grpc}")));
            }
        }
        if self.ports.contains_key("media") {
            environment.push(("HELIOGRAPH__MEDIA__PUBLIC_URL".to_owned(), self.http("media")));
        }
        environment.extend(tenant::environment());
        environment.extend(self.settings.iter().cloned());
        environment
    }

    async fn launch(&mut self, name: &str) {
        let (http, grpc) = self.ports[name];
        let http = format!("127.0.0.1:{http}");
        let service = name.split('-').next().unwrap_or(name);
        let grpc = format!("127.0.0.1:{grpc}");
        let args = ["run", service, "--http", &http, "--grpc", &grpc].map(str::to_owned).to_vec();
        let process = Process::start(name, args, self.environment(), &http, self.folder.path()).await;
        self.processes.insert(name.to_owned(), process);
    }

    /// A service's process.
    pub fn process(&mut self, name: &str) -> &mut Process {
        self.processes.get_mut(name).expect("the service was started")
    }

    /// A service's HTTP address as a URL.
    pub fn http(&self, name: &str) -> String {
        let (http, _) = self.ports.get(name).copied().unwrap_or_default();
        format!("http://127.0.0.1:{http}")
    }

    /// A service's gRPC address as a URL.
    pub fn grpc(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}", self.ports[name].1)
    }

    /// Where a provider calls an account.
    pub fn webhook_url(&self, channel: &str, account: &str) -> String {
        format!("{}/{channel}/{account}", self.http(channel))
    }

    /// A connection to the broker.
    pub async fn fabric(&self) -> Fabric {
        Fabric::connect(Options::new(self.nats.url(), "heliograph-tests")).await.expect("the broker answers")
    }
}
