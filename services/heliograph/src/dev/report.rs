//! Where to look: for the person, for tests, and for commands given in the same folder.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use heliograph_domain::resources::{SecretRef, Spec};
use heliograph_testkit::sandbox::Sandbox;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    brokers::Brokers,
    keepsakes::{Keepsakes, as_yaml, write_private},
    reachable,
};
use crate::{
    admin::{Admin, Sandboxed},
    commands::dev::DevArgs,
    fleet::Addresses,
    output,
    settings::{DATA_DIR, DEV_FILE},
};

/// An agent who may sign in by password.
#[derive(Clone, Debug, Serialize)]
struct Agent {
    tenant: String,
    login: String,
    password: String,
}

/// Every address of a development fleet, as `--ready-file` holds it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Report {
    http: String,
    grpc: String,
    nats: String,
    redis: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox: Option<String>,
    desk: String,
    widgets: Vec<String>,
    channels: BTreeMap<String, String>,
    agents: Vec<Agent>,
    tokens: BTreeMap<String, String>,
    admin_token: String,
    data_dir: PathBuf,
    #[serde(skip)]
    settings: BTreeMap<&'static str, Value>,
    #[serde(skip)]
    usual_folder: bool,
}

impl Report {
    pub(super) async fn make(
        args: &DevArgs,
        keepsakes: &Keepsakes,
        brokers: &Brokers,
        at: &Addresses,
        sandboxed: &Sandboxed,
        sandbox: Option<&Sandbox>,
        admin: &Admin,
    ) -> anyhow::Result<Self> {
        let url = |addr: SocketAddr| format!("http://{}", reachable(addr));
        let (http, grpc) = (url(at.http), url(at.grpc));
        let (mut agents, mut widgets, mut tokens) = (Vec::new(), Vec::new(), BTreeMap::new());
        for stored in admin.list(None, None).await? {
            let (tenant, name) = (stored.resource.metadata.tenant, stored.resource.metadata.name);
            match stored.resource.spec {
                Spec::Agent(agent) => {
                    let Some(SecretRef::Value(password)) = agent.password else { continue };
                    let password = password.expose_secret().to_owned();
                    agents.push(Agent { tenant, login: agent.login.unwrap_or(name), password });
                }
                Spec::ChannelAccount(account) if account.channel == "webchat" && account.enabled => {
                    widgets.push(format!("{http}/webchat/{name}/demo.html"));
                }
                Spec::Tenant(_) => {
                    tokens.insert(tenant.clone(), keepsakes.api_token(&tenant));
                }
                _ => {}
            }
        }
        let first = agents.first().map(|agent| format!("?tenant={}&login={}", agent.tenant, agent.login));
        let channels: BTreeMap<String, String> =
            at.channels.iter().map(|(name, at)| (name.clone(), url(*at))).collect();
        let endpoints: BTreeMap<&String, Value> =
            channels.iter().map(|(name, endpoint)| (name, json!({ "endpoint": endpoint }))).collect();
        let settings = BTreeMap::from([
            ("nats", json!({ "url": brokers.nats_url })),
            ("redis", json!({ "url": brokers.redis_url })),
            ("channel", json!({ "inline_secrets": true, "private_networks": true })),
            ("admin", json!({ "token": keepsakes.admin_token(), "sandbox": sandboxed })),
            ("client", json!({ "egress": grpc, "token": tokens.values().next() })),
            ("channels", json!(endpoints)),
        ]);
        Ok(Self {
            desk: format!("{http}/desk/{}", first.unwrap_or_default()),
            http,
            grpc,
            nats: brokers.nats_url.clone(),
            redis: brokers.redis_url.clone(),
            sandbox: sandbox.map(|sandbox| format!("{}/phones/", sandbox.base_url())),
            widgets,
            channels,
            agents,
            tokens,
            admin_token: keepsakes.admin_token().to_owned(),
            data_dir: keepsakes.folder().to_owned(),
            settings,
            usual_folder: args.data_dir == Path::new(DATA_DIR),
        })
    }

    /// URL, title and explanation of every page.
    pub(super) fn links(&self) -> Vec<(String, String, String)> {
        let agents: Vec<String> =
            self.agents.iter().map(|agent| format!("{} / {}", agent.login, agent.password)).collect();
        let mut links = vec![(
            self.desk.clone(),
            "The desk".to_owned(),
            format!("Sign in as an agent and go online. Login and password: {}.", agents.join(", ")),
        )];
        for widget in &self.widgets {
            let about = "A shop's page with the widget: write as a customer.".to_owned();
            links.push((widget.clone(), "Web chat".to_owned(), about));
        }
        if let Some(sandbox) = &self.sandbox {
            let about =
                "What customers see on SMS, WeChat and by bottle; write from their phones.".to_owned();
            links.push((sandbox.clone(), "The customers' phones".to_owned(), about));
        }
        for (path, title, about) in [
            ("/readyz", "Readiness", "Every check of every service."),
            ("/metrics", "Metrics", "What was counted, in Prometheus' format."),
        ] {
            links.push((format!("{}{path}", self.http), title.to_owned(), about.to_owned()));
        }
        links
    }

    /// Prints the block, and writes the files.
    pub(super) fn publish(&self, ready_file: Option<&Path>) -> anyhow::Result<()> {
        let settings = format!("# Written by `heliograph dev` while it runs.\n{}", as_yaml(&self.settings)?);
        write_private(&self.dev_file(), &settings)?;
        self.print()?;
        if let Some(file) = ready_file {
            // Whoever waits for the file must not read half of it.
            let unfinished = file.with_extension("unfinished");
            write_private(&unfinished, &serde_json::to_string_pretty(self)?)?;
            std::fs::rename(&unfinished, file).with_context(|| format!("cannot write {}", file.display()))?;
        }
        Ok(())
    }

    /// Commands must not look for a fleet that is gone.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_file(self.dev_file());
    }

    fn dev_file(&self) -> PathBuf {
        self.data_dir.join(DEV_FILE)
    }

    fn print(&self) -> anyhow::Result<()> {
        let mut lines =
            vec![String::new(), format!("  Heliograph is ready        {}", self.http), String::new()];
        let mut say = |what: &str, at: &str| lines.push(format!("  {what:<24}   {at}"));
        say("desk", &self.desk);
        let mut logins = self.agents.chunks(4).map(|agents| {
            let one = |agent: &Agent| format!("{} / {}", agent.login, agent.password);
            agents.iter().map(one).collect::<Vec<_>>().join(", ")
        });
        say(
            "  login / password",
            &logins.next().unwrap_or_else(|| "no agent has a password here".to_owned()),
        );
        logins.for_each(|more| say("", &more));
        for widget in &self.widgets {
            say("web chat, as a customer", widget);
        }
        if let Some(sandbox) = &self.sandbox {
            say("the customers' phones", sandbox);
        }
        say("gRPC", &self.grpc);
        say("NATS, Redis", &format!("{}  {}", self.nats, self.redis));
        let config = if self.usual_folder {
            String::new()
        } else {
            format!(" --config {}", self.dev_file().display())
        };
        say("events as they happen", &format!("heliograph{config} tail"));
        say("secrets, made up", &self.data_dir.join("secrets.json").display().to_string());
        lines.push(String::new());
        if self.sandbox.is_some() {
            lines.push("  Customers are writing: from New York by SMS, from Shanghai by WeChat, from Pitcairn by bottle;".to_owned());
            lines
                .push("  and from São Paulo by SMS, where policy has other channels and says so.".to_owned());
        }
        lines.push("  Ctrl-C ends.".to_owned());
        lines.push(String::new());
        output::line(&lines.join("\n"))
    }
}
