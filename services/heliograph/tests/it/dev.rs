//! `dev`: the whole fleet in one process.

use std::{collections::BTreeSet, path::PathBuf, process::Stdio, time::Duration};

use heliograph_runtime::http_client::{HttpClient, HttpClientOptions};
use heliograph_testkit::servers::NatsServer;
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::support::{Done, binary};

/// How long anything may take before a test gives up. Nothing is measured by it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A development fleet.
struct Dev {
    child: Child,
    out: Lines<BufReader<ChildStdout>>,
    ready: Value,
    folder: TempDir,
}

impl Dev {
    async fn start(folder: TempDir, more: &[&str]) -> Self {
        let file = folder.path().join("ready.json");
        // That of an earlier run may still be there.
        let _ = std::fs::remove_file(&file);
        let mut args = vec!["dev", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--ready-file"];
        args.push(file.to_str().unwrap());
        args.extend_from_slice(more);
        let mut child = binary(&args, folder.path().to_owned()).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = async {
            loop {
                if let Ok(text) = std::fs::read(&file) {
                    return serde_json::from_slice::<Value>(&text).unwrap();
                }
                assert!(child.try_wait().unwrap().is_none(), "it ended before it was ready");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let ready = timeout(PATIENCE, read).await.expect("ready in time");
        Self { child, out, ready, folder }
    }

    /// Runs a command in the fleet's folder.
    async fn command(&self, args: &[&str]) -> Done {
        let folder: PathBuf = self.folder.path().to_owned();
        timeout(PATIENCE, binary(args, folder).output()).await.expect("ends in time").unwrap().into()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let client = HttpClient::new(&HttpClientOptions::default()).unwrap();
        let url = format!("{}{path}", self.ready["http"].as_str().unwrap());
        let response = client.send(client.get(url.as_str())).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// Ctrl-C; the exit code and the folder.
    async fn interrupt(mut self) -> (i32, TempDir) {
        let pid = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        let status = timeout(PATIENCE, self.child.wait()).await.expect("ends in time").unwrap();
        (status.code().unwrap_or(-1), self.folder)
    }
}

/// The canonical JSON of the events of a type that match, oldest first, once there are `count`.
async fn events(dev: &Dev, kind: &str, count: usize) -> Vec<Value> {
    let limit = count.to_string();
    let told =
        dev.command(&["tail", "--json", "--from", "start", "--type", kind, "--limit", &limit]).await.ok();
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was received, once every one of the customers who write by themselves has. Who is told to wait writes again.
async fn everybody(dev: &Dev) -> Vec<Value> {
    const CAST: usize = 11;
    let mut count = CAST;
    loop {
        let received = events(dev, "message.received", count).await;
        let who = |event: &Value| event["contact"].as_str().unwrap().to_owned();
        if received.iter().map(who).collect::<BTreeSet<_>>().len() >= CAST {
            return received;
        }
        count += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_of_every_region_are_received_and_what_was_said_outlives_a_restart() {
    let mut dev = Dev::start(tempfile::tempdir().unwrap(), &["--data-dir", "data"]).await;
    let block = async {
        while let Some(line) = dev.out.next_line().await.unwrap() {
            if line.contains("/desk/?tenant=acme&login=ann") {
                return;
            }
        }
        panic!("nothing says where the desk is");
    };
    timeout(PATIENCE, block).await.unwrap();

    let (status, checks) = dev.get("/readyz").await;
    assert_eq!(status, 200, "{checks}");
    assert_eq!(dev.get("/livez").await.0, 200);
    let (_, landing) = dev.get("/").await;
    assert!(landing.contains("/webchat/acme-web/demo.html") && landing.contains("/phones/"), "{landing}");
    assert_eq!(dev.get("/webchat/acme-web/demo.html").await.0, 200);
    assert_eq!(dev.get("/desk/").await.0, 200);

    let received = everybody(&dev).await;
    let of = |region: &str, channel: &str| {
        received
            .iter()
            .find(|event| event["region"] == region && event["channel"] == channel)
            .unwrap()
            .clone()
    };
    for (region, channel) in [
        ("north-america", "sms"),
        ("greater-china", "wechat"),
        ("islands", "bottle"),
        ("latam-europe", "telegram"),
        ("latam-europe", "viber"),
        ("latam-europe", "whatsapp"),
        ("line-lands", "line"),
        ("india", "rcs"),
        ("oceania", "messenger"),
        ("oceania", "instagram"),
    ] {
        assert_eq!(of(region, channel)["messageReceived"]["verdict"]["outcome"], "OUTCOME_ALLOW");
    }
    let denied = of("latam-europe", "sms");
    assert_eq!(denied["messageReceived"]["verdict"]["outcome"], "OUTCOME_DENY");
    assert_eq!(denied["messageReceived"]["verdict"]["fired"][0]["code"], "policy.region.forbids");

    // A message by API takes the whole way to the provider and back.
    let to = ["send", "--tenant", "acme", "--channel", "sms", "--account", "acme-us", "--to", "+12125550142"];
    let sent = dev.command(&[&to[..], &["--text", "It is on its way.", "--json"]].concat()).await.ok();
    let sent: Value = serde_json::from_str(&sent.out).unwrap();
    // Customers who wait for an agent are told so by message, too.
    let mut count = 1;
    while events(&dev, "message.delivered", count).await[count - 1]["messageDelivered"]["messageId"]
        != sent["messageId"]
    {
        count += 1;
    }

    dev.command(&["doctor"]).await.ok();
    let again = dev.command(&["dev", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0"]).await;
    assert_eq!(again.code, 2);
    assert!(again.err.contains("--data-dir"), "{}", again.err);

    let (code, folder) = dev.interrupt().await;
    assert_eq!(code, 0);
    assert!(!folder.path().join("data/dev.yaml").exists());

    let dev = Dev::start(folder, &["--no-sandbox"]).await;
    assert!(dev.ready["sandbox"].is_null());
    let kept = events(&dev, "message.received", received.len()).await;
    assert_eq!(kept, received);
    assert_eq!(dev.interrupt().await.0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_given_is_used_and_left_alone() {
    let nats = NatsServer::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dev = Dev::start(folder, &["--nats-url", &nats.url(), "--no-sandbox"]).await;
    assert_eq!(dev.ready["nats"], nats.url());
    assert!(!dev.folder.path().join("data/nats").exists());
    let (code, folder) = dev.interrupt().await;
    assert_eq!(code, 0);
    let queues =
        binary(&["get", "queues", "--nats-url", &nats.url()], folder.path().to_owned()).output().await;
    assert!(Done::from(queues.unwrap()).ok().out.contains("support"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_joined_split_and_asked_not_to_be_written_to() {
    let dev = Dev::start(tempfile::tempdir().unwrap(), &["--data-dir", "data"]).await;
    let received = everybody(&dev).await;
    let of = |channel: &str| received.iter().find(|event| event["channel"] == channel).unwrap();
    let id = |event: &Value| event["contact"].as_str().unwrap().to_owned();
    let (kept, other) = (id(of("wechat")), id(of("bottle")));
    let address = &of("bottle")["messageReceived"]["message"]["address"];
    let part = |name: &str| address[name].as_str().unwrap();
    let address = format!("{}:{}:{}", part("channel"), part("account"), part("userId"));

    let joined = dev.command(&["contact", "join", &kept, &other]).await.ok().out;
    assert!(joined.starts_with(&kept) && joined.contains(&address), "{joined}");
    let shown = dev.command(&["contact", "show", "--tenant", "acme", &address]).await.ok().out;
    assert!(shown.starts_with(&kept) && shown.contains("by asserted"), "{shown}");
    assert_eq!(events(&dev, "contact.joined", 1).await[0]["contact"], kept.as_str());

    let consent = ["contact", "consent", &kept, "out", "--channel", "bottle", "--source", "a test"];
    dev.command(&consent).await.ok();
    let ask = ["policy", "explain", "--tenant", "acme", "--channel", "bottle", "--contact", &kept];
    let told = dev.command(&ask).await.ok().out;
    assert!(told.starts_with("deny") && told.contains("consent.opted_out"), "{told}");

    let code = dev.command(&["contact", "link-code", &kept]).await.ok().out;
    assert!(code.starts_with("HG-") && code.trim().len() == 9, "{code}");
    let split = dev.command(&["contact", "split", &kept, &address]).await.ok().out;
    assert!(split.lines().filter(|line| line.starts_with("con_")).count() == 2, "{split}");
    let nobody = dev.command(&["contact", "join", "con_nobody", &kept]).await;
    assert_eq!((nobody.code, nobody.err.contains("no such contact")), (1, true), "{}", nobody.err);
    assert_eq!(dev.command(&["contact", "split", &kept, &kept]).await.code, 2);
    assert_eq!(dev.interrupt().await.0, 0);
}
